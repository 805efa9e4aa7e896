//! FollowTheMoney and a tenant's own lists.

use super::*;

#[test]
fn follow_the_money_reads_field_by_field() {
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
    assert_eq!(parts(vardek), (Some("Osmin"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 1955");
    assert_eq!(lands(vardek), "nationality:KP nationality:IR birth:CD other:SU residence:IR");
    let numbers =
        ["passport:X7712345", "national_id:55-1", "tax_id:7700000001", "passport:K000111 (IQ)"];
    assert_eq!(ids(vardek), numbers);
    assert_eq!(vardek.programs, ["FIC-PRK", "The Fictional Regulations"]);
    assert_eq!(vardek.gender.map(|gender| gender.into_str()), Some("male"));
    assert_eq!(remarks(vardek), "Topic: sanction; Position: Harbour master");
    let northwind = entity(&entities, "fic-2");
    assert_eq!(
        (dates(northwind), lands(northwind)),
        ("1999-01-12".into(), "registration:DE".into())
    );
    assert_eq!(
        ids(northwind),
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
    assert_eq!((dates(heron), lands(heron)), ("1987".into(), "registration:KP other:PA".into()));
    assert_eq!(ids(heron), ["imo:1234567", "mmsi:572469999"]);
    assert_eq!(entity(&entities, "fic-5").kind.into_str(), "aircraft");
    let passed: Vec<_> = report.passed_over.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(passed, [("Address", 1), ("Sanction", 2)]);
    assert_eq!(unread(&report), [("country", "atl", 3)]);
    let lines: Vec<u64> = report.skipped.iter().map(|skipped| skipped.line).collect();
    assert_eq!(lines, [9, 10], "no name; an id that is no text");
}

#[test]
fn a_plain_list_reads_field_by_field() {
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
    assert_eq!(parts(vardek), (Some("Osmin Talib"), Some("Vardek")));
    assert_eq!(dates(vardek), "1954-10-07 ~1950");
    assert_eq!(lands(vardek), "nationality:KP nationality:IR");
    assert_eq!(ids(vardek), ["passport:X7712345", "tax_id:100:200"]);
    assert_eq!(vardek.programs, ["internal fraud"]);
    assert_eq!(remarks(vardek), "owes us; a lot, really");
    let unclear = entities.iter().find(|entity| entity.names[0].text == "Unclear").unwrap();
    assert!(unclear.id.starts_with("name-") && unclear.kind.into_str() == "unknown");
    assert_eq!(skipped(&report), [(5, "T-3", "has no name")]);
    let heron = entity(&entities, "T-4");
    assert_eq!(
        names(heron),
        ["primary: Grey Heron"],
        "what is wrong beside it does not lose a name"
    );
    assert_eq!(
        unread(&report),
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
fn a_generated_id_stays_while_the_entry_does() {
    let id = |csv: &str| read_files(&[csv.as_bytes()]).unwrap().0.last().unwrap().id.clone();
    let one = id("name,date,remarks\nAnna Vardek,1970,a\n");
    assert_eq!(id("remarks,date,name\nx,,Before\nb,1970, Anna  Vardek \n"), one);
    assert_ne!(id("name,date\nAnna Vardek,1971\n"), one);
    let twice = read_files(&[b"name\nAnna\nBert\nAnna\n"]).unwrap().1;
    assert_eq!(skipped(&twice)[0].2, "has the id of an earlier record");
}

#[test]
fn a_plain_list_with_a_wrong_header_says_what_is_wrong() {
    let why = refused(&[b"name,birthday\nA,1970\n"]);
    assert!(why.contains("line 1: no column is called \"birthday\"; they are id, kind"), "{why}");
    assert!(refused(&[b"name,kind,NAME\nA,,B\n"]).contains("has two columns called name"));
    assert!(refused(&[b"vorname,nachname\nA,B\n"]).contains("is of no format that is known"));
    assert!(refused(&[b"name,kind\n"]).contains("has no entry"));
    let why = refused(&[b"name,kind\nA\nB\nC\nD,person\n"]);
    assert!(why.contains("line 2: 3 of 4 records can't be read"), "{why}");
}
