//! Tests FollowTheMoney files and the lists of tenants.

use super::*;

#[test]
fn follow_the_money_is_read_field_by_field() {
    let (entities, report) = read_files(&[FTM]).unwrap();
    assert_eq!(report.format, Format::Ftm);
    let vardek = entity(&entities, "fic-1");
    assert_eq!(
        names(vardek),
        [
            "primary: Osmin Talib Vardek",
            "strong_alias: Осмин Вардек",
            "strong_alias: Usmin Bardeq",
            "former: Osmin Ostrov",
            "weak_alias: Uncle",
        ]
    );
    assert_eq!(name_parts(vardek), (Some("Osmin"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 1955");
    assert_eq!(countries(vardek), "nationality:KP nationality:IR birth:CD other:SU residence:IR");
    let expected =
        ["passport:X7712345", "national_id:55-1", "tax_id:7700000001", "passport:K000111 (IQ)"];
    assert_eq!(identifiers(vardek), expected);
    assert_eq!(vardek.programs, ["FIC-PRK", "The Fictional Regulations"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert_eq!(remarks(vardek), "Topic: sanction; Position: Harbour master");
    let northwind = entity(&entities, "fic-2");
    assert_eq!(
        (dates(northwind), countries(northwind)),
        ("1999-01-12".into(), "registration:DE".into())
    );
    assert_eq!(
        identifiers(northwind),
        [
            "tax_id:DE1",
            "registration:HRB 1",
            "registration:1027700000001",
            "lei:549300FICTIONAL0001",
            "swift:NWTSDEFF",
        ]
    );
    assert_eq!(entity(&entities, "fic-3").kind.into_str(), "unknown");
    let heron = entity(&entities, "fic-4");
    assert_eq!(
        (dates(heron), countries(heron)),
        ("1987".into(), "registration:KP other:PA".into())
    );
    assert_eq!(identifiers(heron), ["imo:1234567", "mmsi:572469999"]);
    assert_eq!(entity(&entities, "fic-5").kind.into_str(), "aircraft");
    let passed_over: Vec<_> =
        report.passed_over.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(passed_over, [("Address", 1), ("Sanction", 2)]);
    assert_eq!(unread_values(&report), [("country", "atl", 3)]);
    let lines: Vec<u64> = report.skipped.iter().map(|skipped| skipped.line).collect();
    assert_eq!(lines, [9, 10], "an entity without a name and one whose id is not a string");
}

#[test]
fn a_plain_list_is_read_field_by_field() {
    let (entities, report) = read_files(&[PLAIN]).unwrap();
    assert_eq!(report.format, Format::Plain);
    let vardek = entity(&entities, "T-1");
    assert_eq!(
        names(vardek),
        [
            "primary: Vardek, Osmin Talib",
            "strong_alias: Usmin Bardeq",
            "strong_alias: Osmin Wardak",
            "former: Osmin Ostrov",
            "weak_alias: Uncle",
        ]
    );
    assert_eq!(name_parts(vardek), (Some("Osmin Talib"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 ~1950");
    assert_eq!(countries(vardek), "nationality:KP nationality:IR");
    assert_eq!(identifiers(vardek), ["passport:X7712345", "tax_id:100:200"]);
    assert_eq!(vardek.programs, ["internal fraud"]);
    assert_eq!(remarks(vardek), "owes us; a lot, really");
    let unclear = entities.iter().find(|entity| entity.names[0].text == "Unclear").unwrap();
    assert!(unclear.id.starts_with("name-") && unclear.kind.into_str() == "unknown");
    assert_eq!(skipped_records(&report), [(5, "T-3", "the record has no name")]);
    let heron = entity(&entities, "T-4");
    assert_eq!(
        names(heron),
        ["primary: Grey Heron"],
        "a name is kept if other values of its entry cannot be read"
    );
    assert_eq!(
        unread_values(&report),
        [
            ("country", "Atlantis", 6),
            ("date", "soon", 6),
            ("gender", "other", 6),
            ("identifier", "imo 1234567", 6),
            ("kind", "boat", 6),
        ]
    );
}

#[test]
fn an_unchanged_entry_keeps_its_generated_id() {
    let id = |csv: &str| read_files(&[csv.as_bytes()]).unwrap().0.last().unwrap().id.clone();
    let generated = id("name,date,remarks\nAnna Vardek,1970,a\n");
    assert_eq!(id("remarks,date,name\nx,,Before\nb,1970, Anna  Vardek \n"), generated);
    assert_ne!(id("name,date\nAnna Vardek,1971\n"), generated);
    let report = read_files(&[b"name\nAnna\nBert\nAnna\n"]).unwrap().1;
    assert_eq!(skipped_records(&report)[0].2, "the record has the same id as an earlier record");
}

#[test]
fn a_wrong_header_of_a_plain_list_is_refused_with_the_reason() {
    let reason = refusal(&[b"name,birthday\nA,1970\n"]);
    let unknown = "line 1: \"birthday\" is not a column of a plain list; the columns are id, kind";
    assert!(reason.contains(unknown), "{reason}");
    assert!(refusal(&[b"name,kind,NAME\nA,,B\n"]).contains("the column \"name\" occurs twice"));
    assert!(refusal(&[b"vorname,nachname\nA,B\n"]).contains("the format is not recognised"));
    assert!(refusal(&[b"name,kind\n"]).contains("the file has no entries"));
    let reason = refusal(&[b"name,kind\nA\nB\nC\nD,person\n"]);
    assert!(reason.contains("line 2: 3 of 4 records cannot be read"), "{reason}");
}
