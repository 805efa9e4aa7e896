//! The lists of the United Nations, the European Union and the United Kingdom.

use super::*;

#[test]
fn the_un_list_reads_field_by_field() {
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
    assert_eq!(dates(vardek), "1954-10-07 1955 ~1950 1941..1943 1973-11");
    assert_eq!(lands(vardek), "nationality:KP residence:IR birth:CD");
    assert_eq!(ids(vardek), ["passport:X7712345 (IQ)", "national_id:55-1"]);
    assert_eq!(vardek.programs, ["DPRK"]);
    assert_eq!(vardek.gender.map(|gender| gender.as_str()), Some("male"));
    assert_eq!(
        remarks(vardek),
        "Title: Haji; Title: Harbour master; Title: Lamplighter; Reference: KPi.901; \
         Listed on: 2012-12-31; Keeper of the lantern & the harbour."
    );
    let northwind = entity(&entities, "6900004");
    assert_eq!(northwind.kind.as_str(), "organization");
    assert_eq!(names(northwind), ["primary: NORTHWIND TRADING", "former: SOUTHWIND"]);
    assert_eq!(lands(northwind), "residence:KP");
    assert_eq!(
        skipped(&report),
        [(32, "KPi.902", "has no name"), (33, "", "holds &unknown;, which means nothing")]
    );
    assert_eq!(unread(&report), [("country", "Atlantis", 5), ("date", "in his forties", 5)]);
}

#[test]
fn the_eu_xml_reads_field_by_field() {
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
    assert_eq!(parts(vardek), (Some("Osmin Talib"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 ~1950 1941..1943 1960-02");
    assert_eq!(lands(vardek), "nationality:KP birth:CD residence:IR");
    assert_eq!(ids(vardek), ["passport:X7712345 (IR)", "national_id:55-1"]);
    assert_eq!(vardek.programs, ["PRK", "TAQA"]);
    assert_eq!(vardek.gender.map(|gender| gender.as_str()), Some("male"));
    assert_eq!(
        remarks(vardek),
        "Title: Haji; Title: Harbour master; Reference: EU.900.01; UN reference: KPi.901; \
         Keeper of the lantern"
    );
    let northwind = entity(&entities, "9002");
    assert_eq!(names(northwind), ["primary: Northwind <Trading> d'Or"]);
    assert_eq!(ids(northwind), ["registration:HRB 1 (DE)"]);
    assert_eq!(skipped(&report), [(29, "EU.900.03", "has no logicalId")]);
    assert_eq!(unread(&report), []);
}
