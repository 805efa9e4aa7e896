//! Countries as lists write them, to ISO 3166-1 alpha-2.
//!
//! Three layers: the names of ISO 3166-1, the names that OFAC, the UN, the EU and the UK use
//! besides, and codes. Word order, case, diacritics, `the`, `of` and `and` do not matter, so
//! `Korea, North` is `North Korea`. A country that was renamed has today's code; one that broke
//! up keeps its own (`SU`, `YU`, `CS`, `DD`, `AN`, of ISO 3166-3). Kosovo is `XK`, as the EU, the
//! IMF and the list publishers have it. Places that a list calls a region have the code under which
//! ISO 3166-2 has them.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The code of a country by its name, alpha-2 or alpha-3 code in any case, or by the code that
/// FollowTheMoney has for former countries and for parts (`suhh`, `gb-sct`).
pub fn code(name: &str) -> Option<&'static str> {
    // No name is longer; what is, is prose.
    let name = Some(name.trim()).filter(|name| name.len() <= 100)?;
    by_name(name).or_else(|| by_code(name)).or_else(|| in_brackets(name))
}

/// Whether a list says in this place that there is no country, or that it knows none.
pub fn is_none(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let words = ["", "-", "00", "zz", "na", "n/a", "none", "none identified", "undetermined"];
    words.contains(&name.as_str()) || ["unknown", "stateless"].contains(&name.as_str())
}

fn by_name(name: &str) -> Option<&'static str> {
    static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        let iso = rust_iso3166::ALL.iter().map(|country| (country.name, country.alpha2));
        iso.chain(NAMES.iter().copied()).map(|(name, code)| (key(name), code)).collect()
    });
    CODES.get(&key(name)).copied()
}

fn by_code(code: &str) -> Option<&'static str> {
    let code = code.to_ascii_uppercase();
    match code.as_str() {
        "XK" | "XKX" | "UNK" => return Some("XK"),
        "SU" | "SUHH" | "SUN" => return Some("SU"),
        "YU" | "YUCS" | "YUG" => return Some("YU"),
        "CS" | "CSXX" | "CSHH" | "SCG" | "CSK" => return Some("CS"),
        "DD" | "DDDE" | "DDR" => return Some("DD"),
        "AN" | "ANHH" | "ANT" => return Some("AN"),
        "ROM" => return Some("RO"),
        "ZAR" => return Some("CD"),
        "TMP" => return Some("TL"),
        _ => {}
    }
    // Of a part of a country, like US-NY (ISO 3166-2); Al-Mukalla is not in Albania.
    let (country, part) = code.split_once('-').unwrap_or((&code, ""));
    let alpha2 = Some(country).filter(|country| country.len() == 2 && part.len() <= 3);
    let found = alpha2.and_then(rust_iso3166::from_alpha2);
    let found = found.or_else(|| rust_iso3166::from_alpha3(&code).filter(|_| code.len() == 3));
    found.map(|country| country.alpha2)
}

/// `Gaza (Palestinian Authority)`, `Tunis (Tunisia)`; two different countries are none.
fn in_brackets(name: &str) -> Option<&'static str> {
    let (before, rest) = name.split_once('(')?;
    let (within, _) = rest.split_once(')')?;
    match (by_name(before), by_name(within)) {
        (Some(before), Some(within)) if before != within => None,
        (before, within) => before.or(within),
    }
}

fn key(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            '\'' | '’' | '`' | '.' => {}
            c if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            _ => folded.push(' '),
        }
    }
    let mut words: Vec<&str> = folded
        .split(' ')
        .filter(|word| !matches!(*word, "" | "the" | "of" | "and"))
        .map(|word| if word == "st" { "saint" } else { word })
        .collect();
    words.sort_unstable();
    words.join(" ")
}

/// Names beside those of ISO 3166-1: OFAC's (`Korea, North` and the like, see the country column of
/// add.csv), the UN's official short and long names, and those found in list remarks.
const NAMES: &[(&str, &str)] = &[
    ("Abkhazia", "GE"),
    ("Bahamas, The", "BS"),
    ("Bolivia", "BO"),
    ("Plurinational State of Bolivia", "BO"),
    ("Bosnia", "BA"),
    ("Bosnia-Herzegovina", "BA"),
    ("British Virgin Islands", "VG"),
    ("Brunei", "BN"),
    ("Burma", "MM"),
    ("Cape Verde", "CV"),
    ("China, People's Republic of", "CN"),
    ("People's Republic of China", "CN"),
    ("Comoros Islands", "KM"),
    ("Congo, Democratic Republic of the", "CD"),
    ("Congo-Kinshasa", "CD"),
    ("Congo, Kinshasa", "CD"),
    ("DRC", "CD"),
    ("DR Congo", "CD"),
    ("Zaire", "CD"),
    ("Congo, Republic of the", "CG"),
    ("Congo-Brazzaville", "CG"),
    ("Cote d Ivoire", "CI"),
    ("Ivory Coast", "CI"),
    ("Crimea", "UA"),
    ("Region: Crimea", "UA"),
    ("Czech Republic", "CZ"),
    ("Czechoslovakia", "CS"),
    ("East Germany", "DD"),
    ("German Democratic Republic", "DD"),
    ("East Timor", "TL"),
    ("England", "GB"),
    ("Scotland", "GB"),
    ("Wales", "GB"),
    ("Northern Ireland", "GB"),
    ("Great Britain", "GB"),
    ("UK", "GB"),
    ("United Kingdom", "GB"),
    ("Falkland Islands", "FK"),
    ("Faeroe Islands", "FO"),
    ("Federal Republic of Germany", "DE"),
    ("Gaza", "PS"),
    ("Gaza Strip", "PS"),
    ("Region: Gaza", "PS"),
    ("West Bank", "PS"),
    ("Region: West Bank", "PS"),
    ("West Bank and Gaza", "PS"),
    ("Palestine", "PS"),
    ("Palestinian", "PS"),
    ("Palestinian Authority", "PS"),
    ("Palestinian Territories", "PS"),
    ("Occupied Palestinian Territories", "PS"),
    ("Occupied Palestinian Territory", "PS"),
    ("Palestinian Territory, Occupied", "PS"),
    ("Guinea Bissau", "GW"),
    ("Holland", "NL"),
    ("Netherlands", "NL"),
    ("Netherlands Antilles", "AN"),
    ("Hong Kong SAR", "HK"),
    ("Hong Kong, China", "HK"),
    ("Iran", "IR"),
    ("Islamic Republic of Iran", "IR"),
    ("Ireland, Republic of", "IE"),
    ("Keeling Islands", "CC"),
    ("Korea, North", "KP"),
    ("DPRK", "KP"),
    ("Democratic People's Republic of Korea", "KP"),
    ("Korea, South", "KR"),
    ("Republic of Korea", "KR"),
    ("Kosovo", "XK"),
    ("Republic of Kosovo", "XK"),
    ("Kyrgyz Republic", "KG"),
    ("Kirghizia", "KG"),
    ("Laos", "LA"),
    ("Libyan Arab Jamahiriya", "LY"),
    ("State of Libya", "LY"),
    ("Macau", "MO"),
    ("Macedonia", "MK"),
    ("North Macedonia, The Republic of", "MK"),
    ("Macedonia, The Former Yugoslav Republic of", "MK"),
    ("Micronesia", "FM"),
    ("Moldova", "MD"),
    ("Republic of Moldova", "MD"),
    ("Transnistria", "MD"),
    ("Northern Cyprus", "CY"),
    ("Pitcairn Islands", "PN"),
    ("Region: Northern Mali", "ML"),
    ("Reunion Island", "RE"),
    ("Russia", "RU"),
    ("Russian Soviet Federative Socialist Republic", "RU"),
    ("Saint Helena", "SH"),
    ("Saint Martin", "MF"),
    ("Sint Maarten", "SX"),
    ("Serbia and Montenegro", "CS"),
    ("Slovak Republic", "SK"),
    ("Somaliland", "SO"),
    ("South Ossetia", "GE"),
    ("Soviet Union", "SU"),
    ("Union of Soviet Socialist Republics", "SU"),
    ("USSR", "SU"),
    ("ex-USSR", "SU"),
    ("former USSR", "SU"),
    ("former Soviet Union", "SU"),
    ("Svalbard", "SJ"),
    ("Swaziland", "SZ"),
    ("Syria", "SY"),
    ("Taiwan", "TW"),
    ("Taiwan, Province of China", "TW"),
    ("Tanzania", "TZ"),
    ("United Republic of Tanzania", "TZ"),
    ("Trinidad", "TT"),
    ("Turkey", "TR"),
    ("Republic of Türkiye", "TR"),
    ("UAE", "AE"),
    ("U.S. Virgin Islands", "VI"),
    ("Virgin Islands, U.S.", "VI"),
    ("United States", "US"),
    ("United States of America", "US"),
    ("U.S.A.", "US"),
    ("Upper Volta", "BF"),
    ("Vatican", "VA"),
    ("Vatican City", "VA"),
    ("Vatican City State", "VA"),
    ("Venezuela", "VE"),
    ("Bolivarian Republic of Venezuela", "VE"),
    ("Vietnam", "VN"),
    ("Yugoslavia", "YU"),
    ("ex-Yugoslavia", "YU"),
    ("former Yugoslavia", "YU"),
    ("Federal Republic of Yugoslavia", "YU"),
    ("Socialist Federal Republic of Yugoslavia", "YU"),
    ("Åland", "AX"),
    ("Bonaire", "BQ"),
    ("Republic of Belarus", "BY"),
    ("Republic of Serbia", "RS"),
    ("Republic of Iraq", "IQ"),
    ("Republic of Yemen", "YE"),
    ("Kingdom of Saudi Arabia", "SA"),
    ("State of Palestine", "PS"),
    ("Republic of the Union of Myanmar", "MM"),
    ("Republic of South Sudan", "SS"),
    ("Sultanate of Oman", "OM"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_in_every_spelling() {
        for (name, expected) in [
            ("Korea, North", "KP"),
            ("North Korea", "KP"),
            ("Democratic People's Republic of Korea", "KP"),
            ("Democratic People’s Republic of Korea", "KP"),
            ("Republic of Korea", "KR"),
            ("Congo, Democratic Republic of the", "CD"),
            ("Congo, Republic of the", "CG"),
            ("Congo", "CG"),
            ("St. Kitts & Nevis", "KN"),
            ("Côte d'Ivoire", "CI"),
            ("Cote d Ivoire", "CI"),
            ("the Philippines", "PH"),
            ("RUSSIAN FEDERATION", "RU"),
            ("Man, Isle of", "IM"),
            ("The Gambia", "GM"),
            ("TÜRKIYE", "TR"),
            ("U.S.A.", "US"),
            ("PAK", "PK"),
            ("ru", "RU"),
            ("gb-sct", "GB"),
            ("suhh", "SU"),
            ("Gaza (Palestinian Authority)", "PS"),
            ("Tunis (Tunisia)", "TN"),
        ] {
            assert_eq!(code(name), Some(expected), "{name}");
        }
        for name in [
            "",
            "undetermined",
            "Sinaloa",
            "New Mexico",
            "Jalisco Mexico",
            "XX",
            "eu",
            "Congo (DRC)",
        ] {
            assert_eq!(code(name), None, "{name}");
        }
        assert!(is_none("undetermined") && is_none(" UNKNOWN ") && !is_none("Cuba"));
    }

    #[test]
    fn no_name_stands_for_two_countries() {
        let iso = rust_iso3166::ALL.iter().map(|country| (country.name, country.alpha2));
        let mut codes = HashMap::new();
        for (name, code) in iso.chain(NAMES.iter().copied()) {
            let before = codes.insert(key(name), code);
            assert!(before.is_none_or(|before| before == code), "{name}");
            assert_eq!(super::code(code), Some(code));
        }
    }

    proptest! {
        #[test]
        fn an_article_is_no_country(name in "(Al|ar|As|Ad|az|at)-[A-Z][a-z]{3,12}") {
            prop_assert_eq!(code(&name), None);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = (code(&text), is_none(&text));
        }
    }
}
