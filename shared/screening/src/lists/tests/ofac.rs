use super::*;

#[test]
fn the_csv_set_is_joined_in_whichever_order_it_comes() {
    let expected = read_files(&[SDN, ALT, ADD, COMMENTS]).unwrap();
    for files in [[COMMENTS, ADD, ALT, SDN], [ALT, SDN, COMMENTS, ADD]] {
        let (entities, report) = read_files(&files).unwrap();
        assert_eq!((entities, report.counts), (expected.0.clone(), expected.1.counts.clone()));
    }
    let (entities, report) = expected;
    assert_eq!(report.format, Format::OfacCsv);
    assert_eq!(report.published, None);
    let ids: Vec<&str> = entities.iter().map(|entity| entity.id.as_str()).collect();
    assert_eq!(ids, ["101", "102", "103", "104", "105"]);
    assert_eq!(skipped(&report), [(5, "104", "has the id of an earlier record")]);
    let kinds = [("aircraft", 1), ("organization", 1), ("person", 2), ("vessel", 1)];
    assert_eq!(report.counts.kinds.into_iter().collect::<Vec<_>>(), kinds);
}

#[test]
fn a_person_of_the_csv_set_has_every_field() {
    let (entities, report) = read_files(&[SDN, ALT, ADD, COMMENTS]).unwrap();
    let vardek = entity(&entities, "101");
    assert_eq!(vardek.kind.into_str(), "person");
    assert_eq!(
        names(vardek),
        [
            "primary: VARDEK, Osmin Talib",
            "strong_alias: BARDEQ, Usmin",
            "former: OSTROV, Osmin",
            "weak_alias: THE LANTERN",
            "weak_alias: VARDEK, Uncle",
            "weak_alias: LANTERN BEARER",
        ],
        "an alias that repeats the name is not kept twice"
    );
    assert_eq!(parts(vardek), (Some("Osmin Talib"), Some("VARDEK")));
    assert_eq!(dates(vardek), "1954-10-07 1955 ~1950 1941..1943 1960-02");
    assert_eq!(lands(vardek), "residence:KP birth:CD nationality:KP nationality:IR");
    assert_eq!(
        ids(vardek),
        [
            "passport:X7712345 (IR)",
            "passport:K000111",
            "passport:B99",
            "national_id:55-1 (IQ)",
            "social_security:000-11-2222 (US)",
            "driving_license:D99 (MX)",
            "tax_id:100200 (RS)",
            "email:o.vardek@example.com",
            "phone:98 21 5550100",
            "other:77 (MT)",
            "crypto:1FictionalAddress0000000000000",
        ]
    );
    assert_eq!(vardek.programs, ["SDGT", "IFSR"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert!(remarks(vardek).starts_with("Title: Haji; DOB 07 Oct 1954; "));
    assert!(
        remarks(vardek)
            .contains("NORTHWIND TRADING & SHIPPING CO., LTD.; a.k.a. 'LANTERN BEARER'."),
        "a comment goes on in the middle of a word"
    );
    assert_eq!(entity(&entities, "105").gender.map(|gender| gender.into_str()), Some("female"));
    assert_eq!(
        unread(&report),
        [
            ("country", "Atlantis", 1),
            ("country", "Region: Kafia Kingi", 2),
            ("date", "31 Feb 1990", 4)
        ]
    );
}

#[test]
fn organizations_vessels_and_aircraft_of_the_csv_set() {
    let (entities, _) = read_files(&[SDN, ALT, ADD, COMMENTS]).unwrap();
    let northwind = entity(&entities, "102");
    assert_eq!(
        names(northwind),
        [
            "primary: NORTHWIND TRADING & SHIPPING CO., LTD.",
            "strong_alias: NORTHWIND GROUP",
            "strong_alias: COMPAÑIA DEL NORTE – NW",
            "weak_alias: SOUTHWIND",
            "weak_alias: NW''T",
        ]
    );
    assert_eq!(parts(northwind), (None, None), "a comma in a company's name tells no parts apart");
    assert_eq!(dates(northwind), "1999-01-12");
    assert_eq!(lands(northwind), "residence:CU");
    assert_eq!(
        ids(northwind),
        [
            "registration:HRB 738077 (DE)",
            "lei:549300FICTIONAL0001 (DE)",
            "swift:NWTSDEFF",
            "isin:XX0009177331",
            "duns:123456789",
            "imo:5012345",
            "tax_id:DE 1234",
            "website:www.example.com",
        ]
    );
    let heron = entity(&entities, "103");
    assert_eq!(dates(heron), "1987");
    assert_eq!(lands(heron), "registration:KP other:PA");
    let numbers = ["call_sign:ABCD5", "imo:1234567", "mmsi:572469999", "call_sign:EFGH6"];
    assert_eq!(ids(heron), numbers);
    let columns = "Vessel Type: Bulk Carrier; Tonnage: 99,000; Gross Registered Tonnage: 55,000; \
        Vessel Owner: Heron Shipowners; ";
    assert!(remarks(heron).starts_with(columns), "{}", remarks(heron));
    let plane = entity(&entities, "104");
    assert_eq!(names(plane), ["primary: EP-XYZ", "strong_alias: EP XYZ"]);
    assert_eq!(dates(plane), "1992-12-01");
    assert_eq!(ids(plane), ["aircraft_serial:20001", "tail_number:EP-XYZ", "other:7302A1"]);
}

#[test]
fn sdn_csv_alone_is_a_list_and_the_rest_without_it_is_none() {
    let (entities, _) = read_files(&[SDN]).unwrap();
    assert_eq!(entities.len(), 5);
    assert!(refused(&[ALT, ADD]).contains("sdn.csv is missing"));
    assert!(refused(&[SDN, ALT, ALT]).contains("is a second alt.csv"));
    assert!(refused(&[SDN, UN]).contains("one list is read from files of one format"));
    let strangers =
        b"901,1,\"aka\",\"A\",-0- \n902,2,\"aka\",\"B\",-0- \n903,3,\"aka\",\"C\",-0- \n";
    let why = refused(&[SDN, strangers]);
    assert!(why.contains("4 of 12 records can't be read"), "{why}");
}

#[test]
fn the_advanced_model_reads_into_the_same_entities() {
    let (entities, report) = read_files(&[ADVANCED]).unwrap();
    assert_eq!(report.format, Format::OfacXml);
    assert_eq!(report.published.as_deref(), Some("2026-05-21"));
    let vardek = entity(&entities, "101");
    assert_eq!(
        names(vardek),
        [
            "primary: VARDEK, Osmin Talib",
            "strong_alias: Вардек, Осмин",
            "former: OSTROV, Osmin",
            "weak_alias: THE LANTERN",
        ]
    );
    assert_eq!(parts(vardek), (Some("Osmin Talib"), Some("VARDEK")));
    assert_eq!(dates(vardek), "1954-10-07 ~1950 1941..1943 1960-02");
    assert_eq!(lands(vardek), "birth:IR nationality:KP residence:IR");
    assert_eq!(ids(vardek), ["passport:X7712345 (IR)", "crypto:1FictionalAddress0000000000000"]);
    assert_eq!(vardek.programs, ["SDGT", "IFSR"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert_eq!(remarks(vardek), "POB: Sarnath, Iran");
    let northwind = entity(&entities, "102");
    assert_eq!(names(northwind), ["primary: NORTHWIND TRADING & SHIPPING CO., LTD."]);
    assert_eq!((dates(northwind), lands(northwind)), ("1999-01-12".to_owned(), String::new()));
    assert_eq!(ids(northwind), ["tax_id:100200 (KP)", "swift:NWTSDEFF"]);
    assert_eq!(remarks(northwind), "All offices & branches – worldwide");
    let heron = entity(&entities, "103");
    assert_eq!((heron.kind.into_str(), lands(heron)), ("vessel", "registration:IR".to_owned()));
    assert_eq!(ids(heron), ["imo:1234567", "call_sign:ABCD5"]);
    assert_eq!(remarks(heron), "VESSEL TYPE: Bulk Carrier");
    assert_eq!(skipped(&report), [(86, "104", "has no profile")]);
}
