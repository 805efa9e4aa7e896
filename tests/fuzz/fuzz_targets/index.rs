//! Opens damaged index files, with and without valid checksums. Each file must either be refused or
//! be usable without a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::screening::delta::Delta;
use shared::screening::import;
use shared::screening::index::Index;
use shared::screening::lists::Input;
use shared::screening::{Query, Screener};

const LIST: &[u8] = include_bytes!("../../../infra/watchlists/sample.csv");

static INTACT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = Input { name: "sample", read: Box::new(LIST) };
    import("fuzz", None, vec![file], |_| ()).expect("the sample is a valid list").index
});

/// Offset of the table of sections in the file, in bytes.
const TABLE: usize = 24;
/// Number of sections.
const SECTIONS: usize = 12;
/// Length of a table entry in bytes.
const ENTRY: usize = 20;

// The input is a list of edits of five bytes: the section (1), the position in it (3) and the new
// value of the byte there (1). If the number of bytes after the last complete edit is even, the
// target updates the checksums.
fuzz_target!(|data: &[u8]| {
    let mut file = INTACT.clone();
    let (edits, rest) = data.as_chunks::<5>();
    for [section, high, middle, low, byte] in edits.iter().take(64) {
        let section = section_at(&file, usize::from(*section) % SECTIONS);
        if section.length == 0 {
            continue;
        }
        let position = (usize::from(*high) << 16) + (usize::from(*middle) << 8) + usize::from(*low);
        file[section.offset + position % section.length] = *byte;
    }
    if rest.len() % 2 == 0 {
        update_checksums(&mut file);
    }
    let Ok(index) = Index::open(file) else { return };
    for name in ["Mirka Dovello", "Abd al-Rahman Yusuf Al Tamouni", "BRINDAL QUARRY", "Мирка"]
    {
        for found in Screener::new([&index]).screen(&Query::of_name(name), 0.3) {
            assert!((0.3..=1.0).contains(&found.score), "the score is {}", found.score);
        }
    }
    let intact = Index::open(INTACT.clone()).expect("an intact index opens");
    let delta = Delta::between(&intact, &index);
    let _ = delta.index(&index);
    let _ = index.entities().count();
});

struct Section {
    /// Offset in the file, in bytes.
    offset: usize,
    /// Length in bytes.
    length: usize,
    /// Offset of the section's checksum in the file, in bytes.
    checksum: usize,
}

fn section_at(file: &[u8], number: usize) -> Section {
    let entry = TABLE + number * ENTRY;
    let read = |at: usize| {
        let bytes = file[at..at + 8].try_into().expect("the slice has eight bytes");
        u64::from_le_bytes(bytes) as usize
    };
    Section { offset: read(entry), length: read(entry + 8), checksum: entry + 16 }
}

fn update_checksums(file: &mut [u8]) {
    for number in 0..SECTIONS {
        let section = section_at(file, number);
        let bytes = &file[section.offset..section.offset + section.length];
        let checksum = crc32fast::hash(bytes).to_le_bytes();
        file[section.checksum..section.checksum + 4].copy_from_slice(&checksum);
    }
    let end = TABLE + SECTIONS * ENTRY;
    let checksum = crc32fast::hash(&file[..end]).to_le_bytes();
    file[end..end + 4].copy_from_slice(&checksum);
}
