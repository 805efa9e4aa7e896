//! Groups of interchangeable forms of a name, such as Bill and William, which spelling and sound
//! alone would not match reliably.
//!
//! The list was written for this project. It is short on purpose and contains only forms that are
//! in daily use for the same person.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Returns the number of the group of interchangeable names that a folded word belongs to, or 0
/// if it belongs to none.
pub(crate) fn variant_group(word: &str) -> u8 {
    VARIANTS.get(word).copied().unwrap_or(0)
}

// Groups are numbered from 1 in a byte of the index file.
const _: () = assert!(GROUPS.len() <= u8::MAX as usize);

// A word that is in several groups belongs to the last one.
static VARIANTS: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let groups = GROUPS.iter().zip(1_u8..);
    groups.flat_map(|(group, number)| group.split(' ').map(move |word| (word, number))).collect()
});

const GROUPS: &[&str] = &[
    // Korean and Chinese family names in different romanisations.
    "lee li ri rhee yi",
    "park pak bak",
    "choi choe",
    "jung jeong jong chong chung",
    "cho jo",
    "chang jang",
    "kang gang",
    "kim gim",
    "zhou chou chow",
    "xi hsi",
    "xu hsu",
    "zhao chao",
    "zhang chang",
    // Short forms and spellings of given names.
    "bill william will billy",
    "bob robert rob bobby",
    "dick richard rick",
    "ted theodore edward eddie",
    "jim james jimmy",
    "joe joseph",
    "jack john johnny",
    "mike michael mick",
    "tony anthony",
    "alex alexander aleksandr sasha sandy",
    "ben benjamin",
    "tom thomas",
    "dan daniel danny",
    "steve steven stephen",
    "kate katherine catherine kathy",
    "liz elizabeth beth betty",
    "peggy margaret maggie",
    "barry barack",
    "vova volodya vladimir volodymyr",
    "misha mikhail",
    "kolya nikolai nikolay",
    "dima dmitry dmitri mitya",
    "zhenya yevgeny evgeny eugene yevgeniy evgeniy",
    "seryozha sergey sergei",
    "pepe jose",
    "paco francisco pancho",
    "nacho ignacio",
    "chuy jesus",
    "memo guillermo",
    "lalo eduardo",
];
