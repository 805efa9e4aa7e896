//! Reads arbitrary bytes as labelled queries, as names and as pairs. Evaluates those that are
//! valid.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::screening::index::Index;
use shared::screening::lists::Input;
use shared::screening::{eval, import};

const LIST: &[u8] = include_bytes!("../../../infra/watchlists/sample.csv");

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let file = Input { name: "sample", read: Box::new(LIST) };
    let imported = import("fuzz", None, vec![file], |_| ()).expect("the sample is a valid list");
    Index::open(imported.index).expect("a new index opens")
});

fuzz_target!(|data: &[u8]| {
    let lists = [&*INDEX];
    if let Ok(mut queries) = eval::read_queries(data) {
        queries.truncate(20);
        for context in [false, true] {
            let report = eval::evaluate(&lists, &queries, 0.78, context, |_| ());
            assert!((0.0..=1.0).contains(&report.shares.recall));
        }
    }
    if let Ok(mut names) = eval::read_names(data) {
        names.truncate(20);
        assert!((0.0..=1.0).contains(&eval::alert_rate(&lists, &names, 0.78, |_| ())));
    }
    if let Ok(mut pairs) = eval::read_pairs(data) {
        pairs.truncate(20);
        assert_eq!(eval::separate(&pairs).len(), 100);
    }
});
