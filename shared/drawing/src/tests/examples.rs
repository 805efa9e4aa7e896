//! Builds realistic structures: five parties, a circle, thirty parties in layers, and a hundred
//! parties.

use crate::{Drawing, Edge, Kind, Node};

pub(super) fn person(name: &str, details: &[&str]) -> Node {
    party(name, Kind::Individual, details)
}

pub(super) fn company(name: &str, details: &[&str]) -> Node {
    party(name, Kind::Company, details)
}

fn party(name: &str, kind: Kind, details: &[&str]) -> Node {
    let details: Vec<String> = details.iter().map(|detail| (*detail).to_owned()).collect();
    let is_beneficial_owner = details.iter().any(|detail| detail.starts_with("holds"));
    Node {
        id: name.to_lowercase().replace(' ', "-"),
        name: name.to_owned(),
        kind,
        is_customer: false,
        details,
        is_beneficial_owner,
    }
}

pub(super) fn edge(owner: usize, owned: usize, label: &str) -> Edge {
    Edge { owner, owned, label: label.to_owned(), is_control_only: label == "control" }
}

pub(super) fn drawing(name: &str, mut nodes: Vec<Node>, edges: Vec<Edge>) -> Drawing {
    nodes[0].is_customer = true;
    nodes[0].id = "self".to_owned();
    Drawing { title: format!("Ownership of {name}"), nodes, edges }
}

pub(super) fn five() -> Drawing {
    let nodes = vec![
        company("Brightwater Payments Ltd", &["GB"]),
        person("Amelia Hartley", &["GB", "director", "holds 60 % in total"]),
        person("Tomasz Wiśniewski", &["PL", "holds 32.5 % in total"]),
        company("Hartley Family Holdings Ltd", &["GB"]),
        person("Grace Okonkwo", &["NG", "director"]),
    ];
    let edges =
        vec![edge(3, 0, "60 %"), edge(1, 3, "100 %"), edge(2, 0, "32.5 %"), edge(4, 0, "7.5 %")];
    drawing("Brightwater Payments Ltd", nodes, edges)
}

pub(super) fn ring() -> Drawing {
    let nodes = vec![
        company("Kuroshio Marine K.K.", &["JP"]),
        company("北海造船ホールディングス株式会社", &["JP"]),
        company("Seto Logistics Co., Ltd.", &["JP"]),
        person("田中 美咲", &["JP", "representative director", "holds 71.4286 % in total"]),
    ];
    let edges = vec![
        edge(1, 0, "70 %"),
        edge(0, 2, "40 %"),
        edge(2, 1, "30 %"),
        edge(3, 1, "50 %"),
        edge(3, 2, "60 %"),
        edge(0, 0, "5 %"),
        edge(3, 0, "control"),
    ];
    drawing("Kuroshio Marine K.K.", nodes, edges)
}

pub(super) fn thirty() -> Drawing {
    let nodes = vec![
        company("Meridian Trade Finance GmbH", &["DE"]),
        company("Meridian Holding SE", &["DE"]),
        company("Alster Beteiligungsgesellschaft mbH & Co. KG", &["DE"]),
        company("Nordlicht Capital Partners S.à r.l.", &["LU"]),
        company("Polaris Trustees (Jersey) Limited", &["JE", "trustee of the Fjord Trust"]),
        company("Fjord Invest AS", &["NO"]),
        person(
            "Dr. Katharina von Hohenstein-Falkenberg",
            &["DE", "director", "holds 27.9 % in total"],
        ),
        person("Lars Eirik Sørensen", &["NO", "settlor", "holds 26.1 % in total"]),
        person("Ingrid Sørensen", &["NO", "beneficiary"]),
        person("Jean-Baptiste Lefèvre", &["FR", "director"]),
        person("María Fernanda Gutiérrez", &["ES"]),
        company("Banco Atlántico Inversiones S.A.", &["ES"]),
        company("Gutiérrez Hermanos S.L.", &["ES"]),
        person("Carlos Gutiérrez", &["ES"]),
        company("Vector Growth Fund II L.P.", &["KY"]),
        company("Vector GP Limited", &["KY", "general partner"]),
        person("Wei Zhang 张伟", &["CN"]),
        person("Olga Petrova Иванова", &["CY", "nominee shareholder"]),
        company("Lighthouse Nominees Ltd", &["CY"]),
        company("Employee Share Pool GbR", &["DE"]),
        person("Anna Schmidt", &["DE", "prokurist"]),
        person("Mehmet Yılmaz", &["TR"]),
        person("Sophie Dubois", &["BE"]),
        company("Meridian Treasury B.V.", &["NL"]),
        company("Stichting Administratiekantoor Meridian", &["NL"]),
        person("Pieter van der Berg", &["NL", "board member"]),
        company("Hamburg Ventures AG", &["DE", "listed: XETRA"]),
        person("فاطمة الزهراء", &["AE"]),
        company("Gulf Horizon Investments LLC", &["AE"]),
        person("Rajesh Kumar", &["IN", "compliance officer"]),
    ];
    let edges = vec![
        edge(1, 0, "55 %"),
        edge(2, 0, "20 %"),
        edge(11, 0, "10 % (votes 40 %)"),
        edge(19, 0, "5 %"),
        edge(14, 0, "10 %"),
        edge(3, 1, "45 %"),
        edge(2, 1, "30 %"),
        edge(23, 1, "15 %"),
        edge(26, 1, "10 %"),
        edge(6, 2, "62 %"),
        edge(9, 2, "38 %"),
        edge(5, 3, "58 %"),
        edge(28, 3, "42 %"),
        edge(4, 5, "100 %"),
        edge(7, 4, "control"),
        edge(8, 4, "control"),
        edge(12, 11, "75.5 %"),
        edge(10, 12, "50 %"),
        edge(13, 12, "50 %"),
        edge(15, 14, "control"),
        edge(16, 14, "33.3333 %"),
        edge(18, 14, "66.6667 %"),
        edge(17, 18, "100 %"),
        edge(16, 15, "100 %"),
        edge(20, 19, "40 %"),
        edge(21, 19, "35 %"),
        edge(22, 19, "25 %"),
        edge(24, 23, "100 % (votes 0 %)"),
        edge(25, 24, "control"),
        edge(0, 23, "0 % (option 12.5 %)"),
        edge(27, 28, "100 %"),
        edge(1, 2, "4.75 %"),
    ];
    drawing("Meridian Trade Finance GmbH", nodes, edges)
}

/// Returns a structure of a hundred parties: the customer, 39 companies in layers above it, and
/// sixty individual shareholders.
pub(super) fn hundred() -> Drawing {
    let mut nodes = vec![company("Continental Grid Operations plc", &["GB"])];
    let mut edges = Vec::new();
    for number in 1..40 {
        let name = format!("Continental Holding No. {number} Ltd");
        nodes.push(company(&name, &[["GB", "NL", "SG", "US"][number % 4]]));
        let share = format!("{} %", 10 + number * 7 % 30);
        edges.push(edge(number, (number - 1) / 3, &share));
        if number % 6 == 0 {
            edges.push(edge(number, number / 5, "2.5 %"));
        }
    }
    for number in 40..100 {
        let details: &[&str] =
            if number % 20 == 0 { &["FR", "holds 25.5 % in total"] } else { &["FR"] };
        nodes.push(person(&format!("Shareholder Number {number}"), details));
        let owned = if number < 64 { 0 } else { number % 40 };
        let label = if number % 11 == 0 { "control" } else { "1.75 %" };
        edges.push(edge(number, owned, label));
    }
    drawing("Continental Grid Operations plc", nodes, edges)
}
