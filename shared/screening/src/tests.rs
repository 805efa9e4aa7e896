//! Matching as a whole, on a list of people and firms that don't exist.

use proptest::prelude::*;

use super::delta::Delta;
use super::entity::{
    CountryKind, Entity, EntityKind, Gender, Identifier, ListedCountry, ListedDate, ListedName,
    NameKind,
};
use super::index::{Builder, Index, Refused, Source, build};
use super::normalise::{Token, prepare};
use super::score::{DEFAULT_MIN_SCORE, Limit, Outcome, Part, Room, Strength, score};
use super::{Match, Query, Screener};

fn entity(id: &str, kind: EntityKind, names: &[(&str, NameKind)]) -> Entity {
    let name = |(text, kind): &(&str, NameKind)| ListedName {
        text: (*text).to_owned(),
        kind: *kind,
        given: None,
        family: None,
    };
    Entity {
        id: id.to_owned(),
        kind,
        names: names.iter().map(name).collect(),
        dates: Vec::new(),
        countries: Vec::new(),
        identifiers: Vec::new(),
        programs: vec!["SYNTHETIC".to_owned()],
        gender: None,
        remarks: Some("Made up.".to_owned()),
    }
}

fn born(year: i16, month: u8, day: u8) -> ListedDate {
    ListedDate { year, month: Some(month), day: Some(day), until_year: None, circa: false }
}

fn passport(value: &str) -> Identifier {
    Identifier {
        kind: "passport".to_owned(),
        value: value.to_owned(),
        country: Some("FR".to_owned()),
    }
}

fn list() -> Vec<Entity> {
    use EntityKind::{Organization, Person, Vessel};
    use NameKind::{Former, Primary, StrongAlias, WeakAlias};
    let mut dovello = entity(
        "1",
        Person,
        &[
            ("DOVELLO, Mirka Ilinovna", Primary),
            ("ILINSKA, Mirka", StrongAlias),
            ("The Heron", WeakAlias),
        ],
    );
    dovello.dates = vec![born(1971, 3, 9)];
    dovello.countries =
        vec![ListedCountry { code: "FR".to_owned(), kind: CountryKind::Nationality }];
    dovello.identifiers = vec![passport("AB 12-3456")];
    dovello.gender = Some(Gender::Female);
    vec![
        dovello,
        entity("2", Person, &[("AL-TAMOUNI, Abd al-Rahman Yusuf", Primary)]),
        entity("3", Person, &[("KUZMINCHEV, Aleksey Viktorovich", Primary)]),
        entity("4", Organization, &[("BRINDAL QUARRY TRADING LLC", Primary)]),
        entity("5", Organization, &[("VESTRIMAR", Primary), ("GENERAL TRADING", Former)]),
        entity("6", Vessel, &[("OLD TARN 62", Primary)]),
        entity("7", Person, &[("QUIRREBACH ODUM, Jose Tomas", Primary)]),
        entity("8", Organization, &[("CORP", Primary)]),
    ]
}

fn index_of(entities: Vec<Entity>) -> Index {
    Index::open(bytes_of(entities)).unwrap()
}

pub(super) fn index_of_list() -> Index {
    index_of(list())
}

fn bytes_of(entities: Vec<Entity>) -> Vec<u8> {
    let source = Source { list: "synthetic", version: "1", date: Some("2026-01-01") };
    build(source, entities).unwrap()
}

fn screen(query: &Query<'_>, least: f32) -> Vec<Match> {
    Screener::new([&index_of(list())]).screen(query, least)
}

fn found(name: &str) -> Vec<String> {
    screen(&Query::of_name(name), DEFAULT_MIN_SCORE).into_iter().map(|found| found.id).collect()
}

#[test]
fn every_kind_of_variation_is_found() {
    for (name, id) in [
        ("Mirka Ilinovna Dovello", "1"),
        ("DOVELLO, Mirka Ilinovna", "1"),
        ("Dovello Mirka", "1"),
        ("Mirka Dovello", "1"),
        ("Dr. Mirka Dovello", "1"),
        ("Mirka I. Dovello", "1"),
        ("Mirka Ilinovna Karin Dovello", "1"),
        ("Mirca Dovelo", "1"),
        ("Mirka Dovlelo", "1"),
        ("Мирка Довелло", "1"),
        ("Mir\u{43a}a Dovello", "1"),
        ("Μίρκα Δοβέλλο", "1"),
        ("Abdulrahman Yousef Altamouni", "2"),
        ("Abd Al-Rahman Al-Tamouni", "2"),
        ("Abdurrahman Yusuf Tamuni", "2"),
        ("عبد الرحمن يوسف الطموني", "2"),
        ("Alexei Kuzminchev", "3"),
        ("Aleksei Viktorovich Kuzmintchev", "3"),
        ("Alekseyviktorovich Kuzminchev", "3"),
        ("Brindal Quarry Trading Limited", "4"),
        ("Brindal Quary Trading LLC", "4"),
        ("Quarry Brindal Trading", "4"),
        ("Brindalquarry Trading", "4"),
        ("Vestrimar", "5"),
        ("Vestrimar Ltd", "5"),
        ("M/V Old Tarn 62", "6"),
        ("Jose Quirrebach", "7"),
    ] {
        assert_eq!(found(name), [id], "{name}");
    }
}

#[test]
fn another_name_is_not() {
    for name in [
        "Pierre Dovello",
        "Mirka Lindqvist",
        "Dovello",
        "Yusuf",
        "Trading",
        "Limited",
        "Corporation",
        "Corp Ltd Trading",
        "Harbour Quarry Trading LLC",
        "Old Tarn 63",
        "Herring",
        "",
        " ,.",
        "\u{1f980}",
    ] {
        assert_eq!(found(name), [] as [&str; 0], "{name}");
    }
    assert_eq!(found("CORP"), ["8"]);
}

#[test]
fn a_weak_alias_is_a_hint_and_must_be_the_same() {
    let matches = screen(&Query::of_name("The Heron"), DEFAULT_MIN_SCORE);
    assert_eq!(matches[0].name_kind, NameKind::WeakAlias);
    assert!(matches[0].score <= 0.8);
    assert_eq!(found("The Herons"), [] as [&str; 0]);
}

#[test]
fn every_listed_name_finds_its_entry_with_the_full_score() {
    for entity in list() {
        for name in entity.names.iter().filter(|name| name.kind != NameKind::WeakAlias) {
            let matches = screen(&Query::of_name(&name.text), DEFAULT_MIN_SCORE);
            let own = matches.iter().find(|found| found.id == entity.id).unwrap();
            assert_eq!(own.score, 1.0, "{}", name.text);
        }
    }
}

#[test]
fn a_match_shows_what_it_rests_on() {
    let query = Query {
        kind: Some(EntityKind::Person),
        date: Some(born(1971, 3, 9)),
        countries: &["DE", "FR"],
        ..Query::of_name("Mirca Dovello")
    };
    let best = &screen(&query, DEFAULT_MIN_SCORE)[0];
    let told = &best.explanation;
    assert_eq!(
        (best.name.as_str(), told.strength),
        ("DOVELLO, Mirka Ilinovna", Strength::NameAndDate)
    );
    assert_eq!(told.name.aligned.len(), 2);
    assert_eq!(told.name.only_listed[0].token, "ilinovna");
    let outcome = |of: &str| told.context.iter().find(|one| one.of == of).unwrap().outcome;
    assert_eq!(outcome("date"), Outcome::Equal);
    assert_eq!(outcome("country"), Outcome::Equal);
    assert_eq!(outcome("identifier"), Outcome::NotCompared);
    assert_eq!(outcome("gender"), Outcome::NotCompared);
    assert!(serde_json::to_string(best).unwrap().contains("\"reason\":\"sound\""));
}

#[test]
fn an_identifier_finds_whoever_bears_it() {
    let identifiers = [passport("ab123456")];
    let query = Query { identifiers: &identifiers, ..Query::of_name("Somebody Else") };
    let matches = screen(&query, DEFAULT_MIN_SCORE);
    assert_eq!(
        (matches[0].id.as_str(), matches[0].explanation.strength),
        ("1", Strength::Identifier)
    );
    let elsewhere = [Identifier { country: Some("DE".to_owned()), ..passport("AB123456") }];
    let query = Query { identifiers: &elsewhere, ..Query::of_name("Somebody Else") };
    assert!(screen(&query, DEFAULT_MIN_SCORE).is_empty());
}

#[test]
fn a_file_holds_what_was_built() {
    let index = index_of(list());
    assert_eq!(index.entities().collect::<Vec<_>>(), list());
    assert_eq!(index.entity("6"), Some(list().remove(5)));
    assert_eq!((index.meta().entities, index.meta().kinds["person"]), (8, 4));
    assert_eq!(bytes_of(list()), bytes_of(list()));
    assert_eq!(index_of(Vec::new()).entities().count(), 0);
    assert!(
        build(Source { list: "x", version: "1", date: None }, [list(), list()].concat()).is_err()
    );
}

#[test]
fn a_file_of_another_version_says_so() {
    let mut bytes = bytes_of(list());
    bytes[8] = 99;
    assert!(matches!(Index::open(bytes.clone()), Err(Refused::Format { file: 99, .. })));
    bytes[8] = 1;
    bytes[12] = 99;
    // The header is under a checksum of its own, behind the table of sections.
    let end = 24 + 12 * 20;
    let sum = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..end + 4].copy_from_slice(&sum);
    assert!(matches!(Index::open(bytes.clone()), Err(Refused::Model { file: 99, .. })));
    // What it was built from is there all the same.
    assert_eq!(Index::source_of(bytes).unwrap().1, list());
    assert!(matches!(Index::open(b"id,name\n1,x\n".to_vec()), Err(Refused::Foreign)));
    assert!(Index::open(Vec::new()).is_err());
}

#[test]
fn a_delta_tells_what_must_be_screened_again() {
    let mut new = list();
    new.remove(7);
    new[0].remarks = None;
    new[1].dates.push(born(1960, 1, 1));
    new.push(entity("9", EntityKind::Person, &[("NEWLY, Aded", NameKind::Primary)]));
    let delta = Delta::between(&index_of(list()), &index_of(new.clone()));
    assert_eq!(delta.added, ["9"]);
    assert_eq!(delta.changed, ["2"]);
    assert_eq!(delta.redescribed, ["1"]);
    assert_eq!(delta.removed, ["8"]);
    let new = index_of(new);
    let mini = Index::open(delta.index(&new).unwrap()).unwrap();
    assert_eq!(mini.entities().map(|entity| entity.id).collect::<Vec<_>>(), ["2", "9"]);
}

/// A name of few words, so that random names have much in common.
fn name() -> impl Strategy<Value = String> {
    let words = [
        "Mirka",
        "Mirca",
        "Dovello",
        "Dovelo",
        "Ilin",
        "Abdulrahman",
        "Abd",
        "Al-Rahman",
        "Tamoun",
        "Tamouni",
        "Trading",
        "LLC",
        "Quarry",
        "Brindal",
        "7",
        "62",
        "J.",
        "bin",
        "Muhammad",
        "Mohamed",
        "Mirkadovello",
        "Иван",
        "محمد",
        "王",
        "Dr",
        "Lee",
        "Ri",
        "An",
        "Ann",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 1..6)
        .prop_map(|words| words.join(" "))
}

fn entities() -> impl Strategy<Value = Vec<Entity>> {
    let one = prop::collection::vec((name(), 0..4_usize), 1..4);
    prop::collection::vec(one, 0..12).prop_map(|all| {
        let kinds =
            [NameKind::Primary, NameKind::StrongAlias, NameKind::WeakAlias, NameKind::Former];
        let of = |(number, names): (usize, Vec<(String, usize)>)| {
            let names: Vec<(&str, NameKind)> =
                names.iter().map(|(name, kind)| (name.as_str(), kinds[*kind])).collect();
            entity(&number.to_string(), EntityKind::Person, &names)
        };
        all.into_iter().enumerate().map(of).collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_screened(text in any::<String>(), least in 0.3_f32..1.0) {
        for found in screen(&Query::of_name(&text), least) {
            prop_assert!((least..=1.0).contains(&found.score));
        }
    }

    #[test]
    fn scores_are_shares_and_a_name_is_itself(a in name(), b in name()) {
        let (a, b) = (prepare(&a), prepare(&b));
        let parts = |name: &super::normalise::Prepared| -> Vec<Token> { name.tokens.clone() };
        let (a, b) = (parts(&a), parts(&b));
        let (a, b): (Vec<Part<'_>>, Vec<Part<'_>>) =
            (a.iter().map(Part::of).collect(), b.iter().map(Part::of).collect());
        let mut room = Room::default();
        let one = score(&a, &b, &mut room);
        let mut pairs: Vec<_> = room.pairs.iter().map(|pair| (pair.left, pair.right)).collect();
        let other = score(&b, &a, &mut room);
        let mut turned: Vec<_> = room.pairs.iter().map(|pair| (pair.right, pair.left)).collect();
        pairs.sort();
        turned.sort();
        prop_assert!((0.0..=1.0).contains(&one) && (0.0..=1.0).contains(&other));
        prop_assert_eq!(pairs.len(), turned.len());
        prop_assert_eq!(score(&a, &a, &mut room), 1.0);
    }

    #[test]
    fn a_delta_finds_what_the_whole_list_does(
        old in entities(), new in entities(), queries in prop::collection::vec(name(), 1..8), least in 0.4_f32..0.95,
    ) {
        let (old, new) = (index_of(old), index_of(new));
        let delta = Delta::between(&old, &new);
        let mini = Index::open(delta.index(&new).unwrap()).unwrap();
        let gone = |id: &String| delta.changed.contains(id) || delta.removed.contains(id);
        for name in &queries {
            let found = |index: &Index| -> Vec<(String, String, u32)> {
                let matches = Screener::new([index]).screen(&Query::of_name(name), least);
                matches.into_iter().map(|found| (found.id, found.name, found.score.to_bits())).collect()
            };
            let mut kept: Vec<_> = found(&old).into_iter().filter(|(id, ..)| !gone(id)).collect();
            kept.extend(found(&mini));
            let mut whole = found(&new);
            kept.sort();
            whole.sort();
            prop_assert_eq!(kept, whole, "{}", name);
        }
    }

    #[test]
    fn what_is_asked_for_only_cuts_the_answer(
        listed in entities(), name in name(), least in 0.4_f32..0.95,
    ) {
        let index = index_of(listed);
        let mut screener = Screener::new([&index]);
        let query = Query::of_name(&name);
        let mut all = screener.screen(&query, 0.3);
        all.retain(|found| found.score >= least);
        prop_assert_eq!(screener.screen(&query, least), all);
    }

    #[test]
    fn a_damaged_file_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<prop::sample::Index>()) {
        let bytes = bytes_of(list());
        let mut flipped = bytes.clone();
        let place = at.index(bytes.len());
        flipped[place] ^= 1 << bit;
        prop_assert!(Index::open(flipped).is_err());
        let short = cut.index(bytes.len());
        prop_assert!(Index::open(bytes[..short].to_vec()).is_err());
        prop_assert!(Index::open([bytes, vec![0; 1 + short % 9]].concat()).is_err());
    }

    #[test]
    fn context_moves_the_score_its_own_way(
        year in 1960_i16..1980, month in 1_u8..13, day in 1_u8..29, country in "FR|DE|SY",
        female in any::<bool>(), person in any::<bool>(),
    ) {
        let bare = Query::of_name("Mirka Dovello");
        let score = |query: &Query<'_>| {
            let matches = screen(query, 0.2);
            let own = matches.into_iter().find(|found| found.id == "1").unwrap();
            (own.score, own.explanation.context)
        };
        let (before, _) = score(&bare);
        let countries = [country.as_str()];
        let gender = if female { Gender::Female } else { Gender::Male };
        let kind = if person { EntityKind::Person } else { EntityKind::Vessel };
        for query in [
            Query { date: Some(born(year, month, day)), ..bare },
            Query { countries: &countries, ..bare },
            Query { gender: Some(gender), ..bare },
            Query { kind: Some(kind), ..bare },
        ] {
            let (after, context) = score(&query);
            if context.iter().any(|one| one.outcome == Outcome::Different) {
                prop_assert!(after < before);
            } else {
                prop_assert!(after >= before);
            }
        }
    }
}

#[test]
fn turning_lists_round_changes_nothing() {
    let turned: Vec<Entity> = list()
        .into_iter()
        .rev()
        .map(|mut entity| {
            entity.dates.reverse();
            entity.countries.reverse();
            entity.identifiers.reverse();
            entity.programs.reverse();
            // The primary name stays the first.
            if let Some((_, others)) = entity.names.split_first_mut() {
                others.reverse();
            }
            entity
        })
        .collect();
    let (old, new) = (index_of(list()), index_of(turned.clone()));
    assert_eq!(Delta::between(&old, &new), Delta::default());
    let content = |entities: Vec<Entity>| {
        let mut builder = Builder::default();
        entities.iter().for_each(|entity| builder.add(entity).unwrap());
        builder.content()
    };
    assert_eq!(content(list()), content(turned));
    assert_ne!(content(list()), content(list().split_off(1)));
}

/// A given name that is also a title, a particle or a legal form is a given name beside a single
/// family name, which never matches alone.
#[test]
fn no_family_name_matches_alone() {
    let mut entity = list().remove(0);
    for (listed, asked, is_match) in [
        ("GERTOLO, Dan", "Gertolo", false),
        ("GERTOLO, Dan", "Ben Gertolo", false),
        ("GERTOLO, Dan", "Asa Gertolo", false),
        ("GERTOLO, Dan", "Dan Gertolo", true),
        ("HAQQOLO, Abdul", "Haqqolo Abdul", true),
        ("HAQQOLO, Abdul", "Abdul Haqqolo", true),
        ("HAQQOLO, Abdul", "Abdel Haqqolo", true),
    ] {
        entity.names.truncate(1);
        entity.names[0].text = listed.to_owned();
        let index = index_of(vec![entity.clone()]);
        let found = Screener::new([&index]).screen(&Query::of_name(asked), DEFAULT_MIN_SCORE);
        assert_eq!(!found.is_empty(), is_match, "{asked} against {listed}: {found:?}");
    }
}

#[test]
fn what_keeps_a_score_down_is_told() {
    let mut entity = list().remove(0);
    entity.names.truncate(1);
    let limit = |entity: &Entity, asked: &str| {
        let index = index_of(vec![entity.clone()]);
        let found = Screener::new([&index]).screen(&Query::of_name(asked), 0.3);
        found.first().and_then(|found| found.explanation.limit)
    };
    entity.names[0].text = "Ali bin Omar".to_owned();
    assert_eq!(limit(&entity, "Omar bin Ali"), Some(Limit::FatherAndSon));
    assert_eq!(limit(&entity, "Ali bin Omar"), None);
    entity.names[0].text = "Mirka Dovello".to_owned();
    assert_eq!(limit(&entity, "Dovello"), Some(Limit::OneWord));
}
