//! Screens arbitrary Unicode text against a list of arbitrary Unicode names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::screening::delta::Delta;
use shared::screening::entity::{Entity, EntityKind, ListedName, NameKind};
use shared::screening::index::{Index, Source, build};
use shared::screening::{Match, Query, Screener};

// Each line of the input is a name. The last of up to nine lines is the name to screen. The others
// are listed names, two for each entry.
fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut lines: Vec<&str> = text.split('\n').take(9).collect();
    let Some(name) = lines.pop() else { return };
    let entities: Vec<Entity> = lines.chunks(2).enumerate().map(entity).collect();
    let (old_entities, _) = entities.split_at(entities.len() / 2);
    let (old, new) = (index("old", old_entities), index("new", &entities));
    let query = Query::of_name(name);

    let matches = Screener::new([&new]).screen(&query, 0.3);
    for one in &matches {
        assert!((0.3..=1.0).contains(&one.score), "the score is {}", one.score);
    }
    // A higher threshold removes matches, but does not change the others.
    let above: Vec<Match> = matches.iter().filter(|one| one.score >= 0.78).cloned().collect();
    assert_eq!(Screener::new([&new]).screen(&query, 0.78), above);
    // An entry that a delta adds must match in the delta exactly as it matches in the whole list.
    let delta = Delta::between(&old, &new);
    let bytes = delta.index(&new).expect("a list of four entries builds");
    let delta_index = Index::open(bytes).expect("a new index opens");
    let mut added = matches;
    added.retain(|one| delta.added.contains(&one.id));
    assert_eq!(Screener::new([&delta_index]).screen(&query, 0.3), added);
});

fn entity((number, names): (usize, &[&str])) -> Entity {
    let kinds = [NameKind::Primary, NameKind::WeakAlias];
    let listed = |(name, kind): (&&str, NameKind)| ListedName::whole((*name).to_owned(), kind);
    Entity {
        names: names.iter().zip(kinds).map(listed).collect(),
        ..Entity::new(number.to_string(), EntityKind::Unknown)
    }
}

fn index(version: &str, entities: &[Entity]) -> Index {
    let source = Source { list: "fuzz", version, date: None };
    let file = build(source, entities.iter().cloned()).expect("a list of four entries builds");
    Index::open(file).expect("a new index opens")
}
