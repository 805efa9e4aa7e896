//! Any Unicode as the names of a list and as the name that is asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::screening::delta::Delta;
use shared::screening::entity::{Entity, EntityKind, ListedName, NameKind};
use shared::screening::index::{Index, Source, build};
use shared::screening::{Match, Query, Screener};

// A line each: up to eight names of a list, two an entry, and at last the name asked for.
fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut lines: Vec<&str> = text.split('\n').take(9).collect();
    let Some(asked) = lines.pop() else { return };
    let entities: Vec<Entity> = lines.chunks(2).enumerate().map(entity).collect();
    let (before, _) = entities.split_at(entities.len() / 2);
    let (old, new) = (index("old", before), index("new", &entities));
    let query = Query::of_name(asked);

    let found = Screener::new([&new]).screen(&query, 0.3);
    for one in &found {
        assert!((0.3..=1.0).contains(&one.score), "a score of {}", one.score);
    }
    // A threshold only cuts the answer.
    let above: Vec<Match> = found.iter().filter(|one| one.score >= 0.78).cloned().collect();
    assert_eq!(Screener::new([&new]).screen(&query, 0.78), above);
    // The entries that a delta adds match as they do in the whole list.
    let delta = Delta::between(&old, &new);
    let small = Index::open(delta.index(&new).expect("few entries")).expect("just built");
    let added: Vec<Match> = found.into_iter().filter(|one| delta.added.contains(&one.id)).collect();
    assert_eq!(Screener::new([&small]).screen(&query, 0.3), added);
});

fn entity((number, names): (usize, &[&str])) -> Entity {
    let kinds = [NameKind::Primary, NameKind::WeakAlias];
    let named = |(name, kind): (&&str, NameKind)| ListedName {
        text: (*name).to_owned(),
        kind,
        given: None,
        family: None,
    };
    Entity {
        id: number.to_string(),
        kind: EntityKind::Unknown,
        names: names.iter().zip(kinds).map(named).collect(),
        dates: Vec::new(),
        countries: Vec::new(),
        identifiers: Vec::new(),
        programs: Vec::new(),
        gender: None,
        remarks: None,
    }
}

fn index(version: &str, entities: &[Entity]) -> Index {
    let source = Source { list: "fuzz", version, date: None };
    let file = build(source, entities.iter().cloned()).expect("few entries");
    Index::open(file).expect("just built")
}
