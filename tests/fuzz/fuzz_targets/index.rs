//! Index files that are damaged, also such that their checksums hold: refused, or used without
//! a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::screening::delta::Delta;
use shared::screening::import;
use shared::screening::index::Index;
use shared::screening::lists::Input;
use shared::screening::{Query, Screener};

const LIST: &[u8] = include_bytes!("../../../infra/watchlists/sample.csv");

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = Input { name: "sample", read: Box::new(LIST) };
    import("fuzz", None, vec![file], |_| ()).expect("the sample").index
});

/// The table of sections: where it begins, how many entries it has, how long each of them is.
const TABLE: usize = 24;
const SECTIONS: usize = 12;
const ENTRY: usize = 20;

// Edits of five bytes: the section, where in it, and what is written there.
fuzz_target!(|data: &[u8]| {
    let mut file = WHOLE.clone();
    let (edits, rest) = data.as_chunks::<5>();
    for [section, high, middle, low, byte] in edits.iter().take(64) {
        let (from, length, _) = section_of(&file, usize::from(*section) % SECTIONS);
        if length == 0 {
            continue;
        }
        let place = (usize::from(*high) << 16) + (usize::from(*middle) << 8) + usize::from(*low);
        file[from + place % length] = *byte;
    }
    if rest.len() % 2 == 0 {
        seal(&mut file);
    }
    let Ok(index) = Index::open(file) else { return };
    for name in ["Mirka Dovello", "Abd al-Rahman Yusuf Al Tamouni", "BRINDAL QUARRY", "Мирка"]
    {
        for found in Screener::new([&index]).screen(&Query::of_name(name), 0.3) {
            assert!((0.3..=1.0).contains(&found.score), "a score of {}", found.score);
        }
    }
    let whole = Index::open(WHOLE.clone()).expect("just built");
    let delta = Delta::between(&whole, &index);
    let _ = delta.index(&index);
    let _ = index.entities().count();
});

fn section_of(file: &[u8], section: usize) -> (usize, usize, usize) {
    let entry = TABLE + section * ENTRY;
    let number = |at: usize| {
        let eight = file[at..at + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(eight) as usize
    };
    (number(entry), number(entry + 8), entry + 16)
}

/// Makes the checksums hold.
fn seal(file: &mut [u8]) {
    for section in 0..SECTIONS {
        let (from, length, sum) = section_of(file, section);
        let checksum = crc32fast::hash(&file[from..from + length]).to_le_bytes();
        file[sum..sum + 4].copy_from_slice(&checksum);
    }
    let end = TABLE + SECTIONS * ENTRY;
    let checksum = crc32fast::hash(&file[..end]).to_le_bytes();
    file[end..end + 4].copy_from_slice(&checksum);
}
