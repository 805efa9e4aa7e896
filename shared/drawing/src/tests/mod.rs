mod examples;
mod hostile;
mod parsed;

use examples::{company, drawing, edge, person};
use parsed::{ParsedSvg, crossed, overlapping};

use crate::{mermaid, svg};

#[test]
fn realistic_structures_are_drawn_completely() {
    for example in [examples::five(), examples::ring(), examples::thirty(), examples::hundred()] {
        let parsed = ParsedSvg::new(&svg(&example).unwrap());
        assert_eq!(parsed.boxes.len(), example.nodes.len());
        assert!(parsed.lines.len() >= example.edges.len());
        assert_eq!(overlapping(&parsed), None);
        assert_eq!(crossed(&parsed), None);
        for edge in &example.edges {
            assert!(parsed.texts.contains(&edge.label), "{}", edge.label);
        }
    }
}

#[test]
fn owners_are_above_what_they_own_and_the_customer_is_at_the_bottom() {
    let example = examples::thirty();
    let boxes = ParsedSvg::new(&svg(&example).unwrap()).boxes;
    let top = |party: usize| boxes[&example.nodes[party].id].y;
    for party in [1, 2, 3, 6, 11, 14, 27] {
        assert!(top(party) < top(0), "{}", example.nodes[party].name);
    }
    let closes_circle = |owner, owned| [(0, 23), (2, 1)].contains(&(owner, owned));
    for edge in example.edges.iter().filter(|edge| !closes_circle(edge.owner, edge.owned)) {
        assert!(top(edge.owner) < top(edge.owned), "{}", edge.label);
    }
}

#[test]
fn the_same_drawing_always_gives_the_same_text() {
    for example in [examples::ring(), examples::thirty(), examples::hundred()] {
        let first = svg(&example).unwrap();
        for _ in 0..20 {
            assert_eq!(svg(&example).unwrap(), first);
        }
        assert_eq!(mermaid(&example), mermaid(&example));
    }
}

#[test]
fn the_largest_structures_are_drawn_or_refused() {
    let star = |parties: usize| {
        let nodes = vec![company("C", &[]); parties];
        let edges = (1..parties).map(|party| edge(party, 0, "0.2 %")).collect();
        drawing("C", nodes, edges)
    };
    assert!(svg(&star(500)).is_ok());

    let mut chain = star(500);
    chain.edges = (1..500).map(|party| edge(party, party - 1, "100 %")).collect();
    assert!(svg(&chain).is_ok());
    chain.edges.extend((2..500).map(|party| edge(party, 0, "0.1 %")));
    assert!(svg(&chain).is_err());

    let mut dense = star(500);
    dense.edges = (0..2000).map(|index| edge(250 + index % 250, index / 8, "1 %")).collect();
    assert!(svg(&dense).is_err());
}

#[test]
fn small_and_empty_drawings_are_valid() {
    let mut small = drawing("C", vec![company("C", &[])], vec![edge(0, 9, "1 %")]);
    assert_eq!(ParsedSvg::new(&svg(&small).unwrap()).boxes.len(), 1);
    assert!(!mermaid(&small).contains("n9"));
    small.nodes.clear();
    assert!(ParsedSvg::new(&svg(&small).unwrap()).boxes.is_empty());
    assert!(mermaid(&small).starts_with("flowchart TB\n"));
}

#[test]
fn mermaid_text_of_five_parties() {
    let text = mermaid(&examples::five());
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(lines[1], "n0[\"CUSTOMER<br/>Brightwater Payments Ltd<br/>GB\"]:::customer");
    assert_eq!(
        lines[2],
        "n1(\"UBO<br/>Amelia Hartley<br/>GB<br/>director<br/>holds 60 #37; in total\"):::individual"
    );
    assert_eq!(lines[3], "class n1 ubo");
    assert!(lines.contains(&"n3 -->|\"60 #37;\"| n0"));
    let control =
        drawing("C", vec![company("C", &[]), person("P", &[])], vec![edge(1, 0, "control")]);
    assert!(mermaid(&control).contains("n1 -.->|\"control\"| n0"));
}

#[test]
fn mermaid_text_of_the_examples() {
    insta::assert_snapshot!("five", mermaid(&examples::five()));
    insta::assert_snapshot!("ring", mermaid(&examples::ring()));
}
