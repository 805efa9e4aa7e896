//! Forms of a name that neither spelling nor sound brings together. Written for this project;
//! short on purpose: only forms that are in daily use for the same person.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The group of names that stand for each other which a folded word belongs to; 0 for none.
pub(crate) fn variant(word: &str) -> u8 {
    VARIANTS.get(word).copied().unwrap_or_default()
}

static VARIANTS: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let groups = GROUPS.iter().zip(1_u8..);
    groups.flat_map(|(group, number)| group.split(' ').map(move |word| (word, number))).collect()
});

const GROUPS: &[&str] = &[
    // Korean and Chinese families, by one romanisation and another.
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
    // Short forms.
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
