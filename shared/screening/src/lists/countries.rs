//! Converts the country names and codes in lists to ISO 3166-1 alpha-2 codes.
//!
//! A country is recognised by its name in ISO 3166-1, by the other names that OFAC, the UN, the EU
//! and the UK use, or by a code. Word order, case, diacritics and the words `the`, `of` and `and`
//! do not matter, so `Korea, North` is the same as `North Korea`.
//!
//! A renamed country has its current code. A country that broke up keeps its own code from
//! ISO 3166-3 (`SU`, `YU`, `CS`, `DD`, `AN`). Kosovo is `XK`, the code that the EU, the IMF and the
//! publishers of lists use. A place that a list calls a region has the code of the country to which
//! ISO 3166-2 assigns it.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Maximum length of a name in bytes. No country has a longer name, and a longer text is prose.
const MAX_NAME_BYTES: usize = 100;

/// Returns the alpha-2 code of a country, or `None` if the country is not known. `name` is its
/// name, its alpha-2 or alpha-3 code, or the code that FollowTheMoney uses for a former country or
/// a part of a country (`suhh`, `gb-sct`). Case does not matter.
pub fn code(name: &str) -> Option<&'static str> {
    let name = name.trim();
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    code_by_name(name).or_else(|| code_by_code(name)).or_else(|| code_in_brackets(name))
}

/// Returns whether lists write this text if a country is unknown or missing.
pub fn is_unspecified(name: &str) -> bool {
    matches!(
        name.trim().to_ascii_lowercase().as_str(),
        "" | "-"
            | "00"
            | "zz"
            | "na"
            | "n/a"
            | "none"
            | "none identified"
            | "undetermined"
            | "unknown"
            | "stateless"
    )
}

fn code_by_name(name: &str) -> Option<&'static str> {
    static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        let iso = rust_iso3166::ALL.iter().map(|country| (country.name, country.alpha2));
        iso.chain(NAMES.iter().copied()).map(|(name, code)| (lookup_key(name), code)).collect()
    });
    CODES.get(&lookup_key(name)).copied()
}

fn code_by_code(code: &str) -> Option<&'static str> {
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
    // A code such as US-NY (ISO 3166-2) names a part of a country. The part has at most three
    // characters, so a name such as Al-Mukalla does not count as a part of Albania (AL).
    let (country, part) = code.split_once('-').unwrap_or((&code, ""));
    let by_alpha2 = if country.len() == 2 && part.len() <= 3 {
        rust_iso3166::from_alpha2(country)
    } else {
        None
    };
    let country = match by_alpha2 {
        None if code.len() == 3 => rust_iso3166::from_alpha3(&code),
        country => country,
    };
    country.map(|country| country.alpha2)
}

/// Returns the code for a text such as `Gaza (Palestinian Authority)` or `Tunis (Tunisia)`. Returns
/// `None` if neither the text before the brackets nor the text inside names a country, or if the
/// two texts name different countries.
fn code_in_brackets(name: &str) -> Option<&'static str> {
    let (before, rest) = name.split_once('(')?;
    let (inside, _) = rest.split_once(')')?;
    match (code_by_name(before), code_by_name(inside)) {
        (Some(before), Some(inside)) if before != inside => None,
        (before, inside) => before.or(inside),
    }
}

/// Folds a name to its sorted words in lower case. Diacritics, apostrophes, dots and the words
/// `the`, `of` and `and` are removed, and `st` becomes `saint`.
fn lookup_key(name: &str) -> String {
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

/// Names in addition to those of ISO 3166-1, with their codes: the names that OFAC uses (such as
/// `Korea, North` in the country column of add.csv), the official short and long names of the UN,
/// and names that occur in the remarks of lists.
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
    fn code_accepts_every_spelling_of_a_name() {
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
        assert!(is_unspecified("undetermined") && is_unspecified(" UNKNOWN "));
        assert!(!is_unspecified("Cuba"));
    }

    #[test]
    fn every_name_has_one_code() {
        let iso = rust_iso3166::ALL.iter().map(|country| (country.name, country.alpha2));
        let mut codes = HashMap::new();
        for (name, code) in iso.chain(NAMES.iter().copied()) {
            let earlier = codes.insert(lookup_key(name), code);
            assert!(earlier.is_none_or(|earlier| earlier == code), "{name}");
            assert_eq!(super::code(code), Some(code));
        }
    }

    proptest! {
        #[test]
        fn an_arabic_article_is_not_a_country_code(name in "(Al|ar|As|Ad|az|at)-[A-Z][a-z]{3,12}") {
            prop_assert_eq!(code(&name), None);
        }

        #[test]
        fn code_never_panics(text in any::<String>()) {
            let _ = (code(&text), is_unspecified(&text));
        }
    }
}
