//! Tests OFAC's lists as CSV files and in the advanced sanctions data model.

use super::*;

#[test]
fn the_order_of_the_csv_files_does_not_matter() {
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
    assert_eq!(
        skipped_records(&report),
        [(5, "104", "the record has the same id as an earlier record")]
    );
    let kinds = [("aircraft", 1), ("organization", 1), ("person", 2), ("vessel", 1)];
    assert_eq!(report.counts.kinds.into_iter().collect::<Vec<_>>(), kinds);
}

#[test]
fn csv_files_are_read_with_all_fields_of_a_person() {
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
        "an alias equal to the primary name is dropped"
    );
    assert_eq!(name_parts(vardek), (Some("Osmin Talib"), Some("VARDEK")));
    assert_eq!(dates(vardek), "1954-10-07 1955 ~1950 1941..1943 1960-02");
    assert_eq!(countries(vardek), "residence:KP birth:CD nationality:KP nationality:IR");
    assert_eq!(
        identifiers(vardek),
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
        "a comment continues the remarks in the middle of a word"
    );
    assert_eq!(entity(&entities, "105").gender.map(|gender| gender.into_str()), Some("female"));
    assert_eq!(
        unread_values(&report),
        [
            ("country", "Atlantis", 1),
            ("country", "Region: Kafia Kingi", 2),
            ("date", "31 Feb 1990", 4)
        ]
    );
}

#[test]
fn csv_files_are_read_with_all_fields_of_organizations_vessels_and_aircraft() {
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
    assert_eq!(
        name_parts(northwind),
        (None, None),
        "a comma in the name of a company does not separate parts"
    );
    assert_eq!(dates(northwind), "1999-01-12");
    assert_eq!(countries(northwind), "residence:CU");
    assert_eq!(
        identifiers(northwind),
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
    assert_eq!(countries(heron), "registration:KP other:PA");
    let numbers = ["call_sign:ABCD5", "imo:1234567", "mmsi:572469999", "call_sign:EFGH6"];
    assert_eq!(identifiers(heron), numbers);
    let columns = "Vessel Type: Bulk Carrier; Tonnage: 99,000; Gross Registered Tonnage: 55,000; \
        Vessel Owner: Heron Shipowners; ";
    assert!(remarks(heron).starts_with(columns), "{}", remarks(heron));
    let plane = entity(&entities, "104");
    assert_eq!(names(plane), ["primary: EP-XYZ", "strong_alias: EP XYZ"]);
    assert_eq!(dates(plane), "1992-12-01");
    assert_eq!(identifiers(plane), ["aircraft_serial:20001", "tail_number:EP-XYZ", "other:7302A1"]);
}

#[test]
fn sdn_csv_is_required_and_the_other_csv_files_are_optional() {
    let (entities, _) = read_files(&[SDN]).unwrap();
    assert_eq!(entities.len(), 5);
    assert!(refusal(&[ALT, ADD]).contains("sdn.csv is missing"));
    assert!(refusal(&[SDN, ALT, ALT]).contains("the file is a second alt.csv"));
    assert!(
        refusal(&[SDN, UN]).contains("the format is un_xml, but the format of list is ofac_csv")
    );
    let orphans = b"901,1,\"aka\",\"A\",-0- \n902,2,\"aka\",\"B\",-0- \n903,3,\"aka\",\"C\",-0- \n";
    let reason = refusal(&[SDN, orphans]);
    assert!(reason.contains("4 of 12 records cannot be read"), "{reason}");
}

#[test]
fn the_advanced_model_is_read_field_by_field() {
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
    assert_eq!(name_parts(vardek), (Some("Osmin Talib"), Some("VARDEK")));
    assert_eq!(dates(vardek), "1954-10-07 ~1950 1941..1943 1960-02");
    assert_eq!(countries(vardek), "birth:IR nationality:KP residence:IR");
    assert_eq!(
        identifiers(vardek),
        ["passport:X7712345 (IR)", "crypto:1FictionalAddress0000000000000"]
    );
    assert_eq!(vardek.programs, ["SDGT", "IFSR"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert_eq!(remarks(vardek), "POB: Sarnath, Iran");
    let northwind = entity(&entities, "102");
    assert_eq!(names(northwind), ["primary: NORTHWIND TRADING & SHIPPING CO., LTD."]);
    assert_eq!((dates(northwind), countries(northwind)), ("1999-01-12".to_owned(), String::new()));
    assert_eq!(identifiers(northwind), ["tax_id:100200 (KP)", "swift:NWTSDEFF"]);
    assert_eq!(remarks(northwind), "All offices & branches – worldwide");
    let heron = entity(&entities, "103");
    assert_eq!((heron.kind.into_str(), countries(heron)), ("vessel", "registration:IR".to_owned()));
    assert_eq!(identifiers(heron), ["imo:1234567", "call_sign:ABCD5"]);
    assert_eq!(remarks(heron), "VESSEL TYPE: Bulk Carrier");
    assert_eq!(skipped_records(&report), [(86, "104", "the party has no Profile")]);
}
