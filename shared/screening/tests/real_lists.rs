//! Tests the matching on real lists.
//!
//! The lists are too large for this repository, and their licences do not allow publishing them
//! here. The environment variable `WATCHLISTS` must be the absolute path of a folder with these
//! files:
//!
//! | files | content |
//! |---|---|
//! | `ofac/sdn_2024-01-11.csv`, `ofac/{alt,add,sdn_comments}_2024-01.csv` | a full SDN list |
//! | `ofac/history/sdn_{date}.csv.gz` | later versions of `sdn.csv`, one for each day in `deltas_match_like_the_whole_list` |
//! | `eu/EUSanctionsShort.csv` | a part of the EU list in the layout of 2018 |
//! | `queries/dev-1.csv` | labelled queries for the SDN list |
//! | `queries/dev-2.csv`, `queries/list-dev-2.csv` | labelled queries in other scripts, of firms and of attacks, for the SDN list and this list together |
//! | `names/negatives_us.csv` | innocuous names |
//! | `pairs/cases.csv` | labelled pairs of names |
//!
//! Run the tests with
//! `WATCHLISTS=<folder> cargo test -p screening --profile ci --test real_lists -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::time::Instant;

use screening::delta::Delta;
use screening::eval;
use screening::index::Index;
use screening::lists::Input;
use screening::score::DEFAULT_MIN_SCORE;
use screening::{Match, Query, Screener, import};

fn file(path: &str) -> PathBuf {
    let folder = std::env::var("WATCHLISTS").unwrap_or_else(|_| panic!("WATCHLISTS is not set"));
    PathBuf::from(folder).join(path)
}

fn open(path: &str) -> File {
    File::open(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn index(list: &str, paths: &[&str]) -> Index {
    let inputs = paths.iter().map(|path| Input { name: path, read: read(path) }).collect();
    let imported = import(list, None, inputs, |_| ()).unwrap();
    println!("{list} {paths:?}: {:?}", imported.report.counts);
    Index::open(imported.index).unwrap()
}

fn read(path: &str) -> Box<dyn std::io::BufRead> {
    let file = open(path);
    if !path.ends_with(".gz") {
        return Box::new(BufReader::new(file));
    }
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    Box::new(std::io::Cursor::new(bytes))
}

fn sdn() -> Index {
    index(
        "ofac-sdn",
        &[
            "ofac/sdn_2024-01-11.csv",
            "ofac/alt_2024-01.csv",
            "ofac/add_2024-01.csv",
            "ofac/sdn_comments_2024-01.csv",
        ],
    )
}

#[test]
#[ignore = "needs a folder of real lists"]
fn labelled_queries_reach_the_expected_quality() {
    let sdn = sdn();
    assert_eq!(sdn.meta().entities, 13_827);
    let queries = eval::read_queries(open("queries/dev-1.csv")).unwrap();
    let report = eval::evaluate(&[&sdn], &queries, DEFAULT_MIN_SCORE, false, |_| ());
    println!("{:?}\n{:#?}", report.shares, report.classes);
    assert!(report.shares.recall >= 0.96);
    assert!(report.shares.random_negative_hits <= 0.01);
    assert!(report.shares.hard_negative_hits <= 0.08);
    for exact in [
        "exact_primary",
        "exact_listed_form",
        "exact_strong_alias",
        "company_with_digits",
        "company_single_token",
        "single_token_person",
        "long_name_70",
        "vessel_exact",
    ] {
        assert_eq!(report.classes.get(exact), Some(&1.0), "{exact}");
    }
    assert!(report.classes.get("arabic_script").is_some_and(|recall| *recall >= 0.84));
    let begun = Instant::now();
    eval::run(&[&sdn], &queries, DEFAULT_MIN_SCORE, false);
    println!(
        "{:.0} queries per second on one core",
        queries.len() as f64 / begun.elapsed().as_secs_f64()
    );

    let names = eval::read_names(open("names/negatives_us.csv")).unwrap();
    let rate = eval::alert_rate(&[&sdn], &names, DEFAULT_MIN_SCORE, |_| ());
    println!("{:.3} % of {} innocuous names alert", rate * 100.0, names.len());
    assert!(rate <= 0.008);
}

#[test]
#[ignore = "needs a folder of real lists"]
fn queries_in_other_scripts_reach_the_expected_quality() {
    let (sdn, other) = (sdn(), index("other", &["queries/list-dev-2.csv"]));
    let queries = eval::read_queries(open("queries/dev-2.csv")).unwrap();
    let report = eval::evaluate(&[&sdn, &other], &queries, DEFAULT_MIN_SCORE, false, |_| ());
    println!("{:?}\n{:#?}", report.shares, report.classes);
    assert!(report.shares.recall >= 0.85);
    assert!(report.shares.random_negative_hits <= 0.015);
    assert!(report.shares.hard_negative_hits <= 0.035);
    for (category, minimum) in [
        ("zh_pinyin", 0.9),
        ("ko_hangul", 0.9),
        ("ja_kanji", 0.75),
        ("cyr_uk", 0.95),
        ("greek", 0.7),
    ] {
        let recall = report.classes.get(category).copied().unwrap_or(0.0);
        assert!(recall >= minimum, "{category}: {recall}");
    }
    assert_eq!(report.classes.get("zero_width"), Some(&1.0));
}

#[test]
#[ignore = "needs a folder of real lists"]
fn labelled_pairs_are_separated() {
    let pairs = eval::read_pairs(open("pairs/cases.csv")).unwrap();
    let sweep = eval::separate(&pairs);
    let best = sweep.iter().max_by(|a, b| a.f1.total_cmp(&b.f1)).unwrap();
    println!("{best:?}");
    assert!(best.f1 >= 0.82);
}

#[test]
#[ignore = "needs a folder of real lists"]
fn every_entry_of_the_eu_list_matches_its_own_name() {
    let eu = index("eu", &["eu/EUSanctionsShort.csv"]);
    assert!(eu.meta().entities > 90);
    let all: Vec<_> = eu.entities().collect();
    let mut screener = Screener::new([&eu]);
    for entity in &all {
        let name = &entity.names.first().unwrap().text;
        let matches = screener.screen(&Query::of_name(name), DEFAULT_MIN_SCORE);
        assert!(matches.iter().any(|it| it.id == entity.id), "{}", entity.id);
    }
}

#[test]
#[ignore = "needs a folder of real lists"]
fn deltas_match_like_the_whole_list() {
    let first = index("ofac-sdn", &["ofac/sdn_2024-01-11.csv"]);
    let days = ["2024-02-20", "2024-02-23", "2024-03-27", "2024-04-12", "2024-05-03"];
    let versions: Vec<Index> = days
        .iter()
        .map(|day| index("ofac-sdn", &[format!("ofac/history/sdn_{day}.csv.gz").as_str()]))
        .collect();
    let queries = eval::read_queries(open("queries/dev-1.csv")).unwrap();
    let names = eval::read_names(open("names/negatives_us.csv")).unwrap();
    // Listed names ensure that some queries match.
    let listed: Vec<String> = versions
        .last()
        .unwrap()
        .entities()
        .step_by(3)
        .filter_map(|entity| Some(entity.names.into_iter().next()?.text))
        .collect();
    let query_names = queries.iter().map(|query| query.name.as_str());
    let other_names = names.iter().step_by(10).chain(&listed).map(String::as_str);
    let subjects: Vec<&str> = query_names.chain(other_names).collect();

    let mut previous = &first;
    for (day, new) in days.iter().zip(&versions) {
        for (since, old) in [("the first", &first), ("the previous", previous)] {
            let delta = Delta::between(old, new);
            let delta_index = Index::open(delta.index(new).unwrap()).unwrap();
            let is_outdated = |id: &String| {
                delta.changed.binary_search(id).is_ok() || delta.removed.binary_search(id).is_ok()
            };
            let (mut old_screener, mut new_screener, mut delta_screener) =
                (Screener::new([old]), Screener::new([new]), Screener::new([&delta_index]));
            let mut hits = 0;
            for subject in &subjects {
                let query = Query::of_name(subject);
                for min_score in [0.5, DEFAULT_MIN_SCORE] {
                    let key = |it: Match| (it.id, it.name, it.score.to_bits());
                    let mut combined = old_screener.screen(&query, min_score);
                    combined.retain(|it| !is_outdated(&it.id));
                    let new_matches = delta_screener.screen(&query, min_score);
                    hits += new_matches.len();
                    combined.extend(new_matches);
                    let mut combined: Vec<_> = combined.into_iter().map(key).collect();
                    let mut whole: Vec<_> =
                        new_screener.screen(&query, min_score).into_iter().map(key).collect();
                    combined.sort();
                    whole.sort();
                    assert_eq!(combined, whole, "{subject} on {day}");
                }
            }
            assert!(hits > 0);
            let begun = Instant::now();
            for name in names.iter().cycle().take(100_000) {
                delta_screener.screen(&Query::of_name(name), DEFAULT_MIN_SCORE);
            }
            println!(
                "{day} since {since}: {} added, {} changed, {} removed; 100,000 subjects in {:.2} s",
                delta.added.len(),
                delta.changed.len(),
                delta.removed.len(),
                begun.elapsed().as_secs_f64()
            );
        }
        previous = new;
    }
}
