//! Tests the lists of the United Nations, the European Union and the United Kingdom.

use super::*;

#[test]
fn the_un_list_is_read_field_by_field() {
    let (entities, report) = read_files(&[UN]).unwrap();
    assert_eq!(report.format, Format::UnXml);
    assert_eq!(report.published.as_deref(), Some("2026-02-27T00:00:09.554Z"));
    let vardek = entity(&entities, "6900001");
    assert_eq!(
        names(vardek),
        [
            "primary: OSMIN TALIB VARDEK",
            "strong_alias: عثمين وردك",
            "strong_alias: Usmin Bardeq",
            "strong_alias: Osmin Wardak",
            "weak_alias: The Lantern",
            "weak_alias: Uncle Vardek",
        ]
    );
    assert_eq!(dates(vardek), "1954-10-07 1955 ~1950 1941..1943 1973-11 ~1974");
    assert_eq!(countries(vardek), "nationality:KP residence:IR birth:CD");
    assert_eq!(identifiers(vardek), ["passport:X7712345 (IQ)", "national_id:55-1"]);
    assert_eq!(vardek.programs, ["DPRK"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert_eq!(
        remarks(vardek),
        "Title: Haji; Title: Harbour master; Title: Lamplighter; Reference: KPi.901; \
         Listed on: 2012-12-31; Keeper of the lantern & the harbour.; \
         Alias note: in Sarnath"
    );
    let northwind = entity(&entities, "6900004");
    assert_eq!(northwind.kind.into_str(), "organization");
    assert_eq!(names(northwind), ["primary: NORTHWIND TRADING", "former: SOUTHWIND"]);
    assert_eq!(countries(northwind), "residence:KP");
    assert_eq!(
        skipped_records(&report),
        [
            (33, "KPi.902", "the record has no name"),
            (34, "", "the reference &unknown; is not defined")
        ]
    );
    assert_eq!(unread_values(&report), [("country", "Atlantis", 5), ("date", "in his forties", 5)]);
}

#[test]
fn the_eu_xml_is_read_field_by_field() {
    let (entities, report) = read_files(&[EU]).unwrap();
    assert_eq!(report.format, Format::EuXml);
    assert_eq!(report.published.as_deref(), Some("2026-08-05T16:47:04.449+02:00"));
    let vardek = entity(&entities, "9001");
    assert_eq!(
        names(vardek),
        [
            "primary: Osmin Talib Vardek",
            "strong_alias: Осмин Вардек",
            "strong_alias: Usmin Bardeq",
            "weak_alias: Uncle Vardek",
        ]
    );
    assert_eq!(name_parts(vardek), (Some("Osmin Talib"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 ~1950 1941..1943 1960-02");
    assert_eq!(countries(vardek), "nationality:KP birth:CD residence:IR");
    assert_eq!(identifiers(vardek), ["passport:X7712345 (IR)", "national_id:55-1"]);
    assert_eq!(vardek.programs, ["PRK", "TAQA"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert_eq!(
        remarks(vardek),
        "Title: Haji; Title: Harbour master; Reference: EU.900.01; UN reference: KPi.901; \
         Keeper of the lantern"
    );
    let northwind = entity(&entities, "9002");
    assert_eq!(names(northwind), ["primary: Northwind <Trading> d'Or"]);
    assert_eq!(identifiers(northwind), ["registration:HRB 1 (DE)"]);
    assert_eq!(skipped_records(&report), [(29, "EU.900.03", "the record has no logicalId")]);
    assert_eq!(unread_values(&report), []);
}

#[test]
fn the_eu_csv_joins_rows_that_are_not_adjacent() {
    let (entities, report) = read_files(&[EU_CSV]).unwrap();
    assert_eq!(report.format, Format::EuCsv);
    assert_eq!(report.published.as_deref(), Some("05/08/2026"));
    assert_eq!(entities.len(), 2);
    let vardek = entity(&entities, "9001");
    assert_eq!(names(vardek), ["primary: Osmin Talib Vardek", "weak_alias: Uncle Vardek"]);
    assert_eq!(name_parts(vardek), (Some("Osmin Talib"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 ~1941..1943");
    assert_eq!(countries(vardek), "residence:IR birth:CD nationality:KP");
    assert_eq!(identifiers(vardek), ["passport:X7712345 (IR)"]);
    assert_eq!(vardek.programs, ["PRK"]);
    assert_eq!(
        remarks(vardek),
        "Title: Haji; Title: Harbour master; Reference: EU.900.01; \
         Keeper of the \"lantern\"; the old one"
    );
    assert_eq!(names(entity(&entities, "9002")), ["primary: Northwind Trading"]);
    assert_eq!(skipped_records(&report), [(10, "9003", "the row must have 38 columns, not 6")]);
}

#[test]
fn the_eu_csv_of_2018_is_read_with_and_without_quotes_around_each_row() {
    let quote = |line: &[u8]| {
        let mut quoted = b"\"".to_vec();
        for byte in line {
            quoted.extend(std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
        }
        quoted.extend(b"\t\t\t\"\n");
        quoted
    };
    let lines = EU_2018.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let quoted: Vec<u8> = lines.flat_map(quote).collect();
    for file in [EU_2018, &quoted] {
        let (entities, report) = read_files(&[file]).unwrap();
        assert_eq!(report.published.as_deref(), Some("04/07/2018"));
        assert_eq!((entities.len(), report.skipped_total), (2, 0));
        let vardek = entity(&entities, "9001");
        assert_eq!(names(vardek), ["primary: Osmin Talib Vardek", "strong_alias: Frère Vardek"]);
        assert_eq!(dates(vardek), "1954-10-07");
        assert_eq!(countries(vardek), "birth:CD nationality:KP residence:IR");
        assert_eq!(identifiers(vardek), ["passport:X7712345 (IR)"]);
        assert_eq!(
            remarks(vardek),
            "Title: Harbour \"master\"; retired; Reference: EU.900.01; \
             (Date of UN designation: 2012-12-31) Listed."
        );
        let damaged = [("name", "????? ??????", 2)];
        assert_eq!(unread_values(&report), damaged, "a name without its letters is not kept");
        assert_eq!(names(entity(&entities, "9002")), ["primary: Northwind Trading"]);
    }
}

#[test]
fn the_uk_list_is_read_field_by_field() {
    let (entities, report) = read_files(&[UK]).unwrap();
    assert_eq!(report.format, Format::UkCsv);
    assert_eq!(report.published.as_deref(), Some("13-Feb-2026"));
    let vardek = entity(&entities, "FIC0001");
    assert_eq!(
        names(vardek),
        [
            "primary: Osmin Talib VARDEK",
            "strong_alias: عثمين وردك",
            "strong_alias: Usmin BARDEQ",
            "former: Osmin OSTROV",
            "weak_alias: UNCLE",
        ]
    );
    assert_eq!(name_parts(vardek), (Some("Osmin Talib"), Some("VARDEK")));
    assert_eq!(dates(vardek), "1954-10-07 1955");
    assert_eq!(countries(vardek), "nationality:KP nationality:IR birth:CD residence:IR");
    assert_eq!(
        identifiers(vardek),
        [
            "passport:X7712345",
            "passport:K000111",
            "national_id:55-1",
            "phone:+98 21 5550100",
            "email:o.vardek@example.com",
        ]
    );
    assert_eq!(vardek.programs, ["The Fictional (Sanctions) Regulations 2020"]);
    assert!(
        remarks(vardek).starts_with("Title: Haji; Passport: (1) issued in Iran; OFSI Group ID")
    );
    assert!(remarks(vardek).ends_with("Reasons: Keeper of the lantern, \"old\" one"));
    let northwind = entity(&entities, "FIC0002");
    assert_eq!(names(northwind), ["primary: NORTHWIND TRADING", "strong_alias: NORTHWIND"]);
    assert_eq!(identifiers(northwind), ["registration:HRB 1", "website:www.example.com"]);
    let heron = entity(&entities, "FIC0003");
    assert_eq!((heron.kind.into_str(), dates(heron)), ("vessel", "1987".to_owned()));
    assert_eq!(countries(heron), "registration:CM other:PA");
    assert_eq!(identifiers(heron), ["imo:1234567", "other:HIN-1"]);
    assert_eq!(skipped_records(&report), [(11, "", "the row has no Unique ID")]);
    assert_eq!(unread_values(&report), [("date", "long ago", 7)]);
}
