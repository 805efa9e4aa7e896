//! Finds the sectors of higher risk that an industry belongs to. The industry is free text or a
//! code.

use super::sectors::Sector;
use crate::model::customer::RiskLevel;
use crate::model::fold::fold;
use crate::model::value::Industry;

/// Returns the sectors that an industry belongs to, in the order of the model. If some of them are
/// of high risk, the sectors of medium risk are left out.
pub(super) fn sectors_of(sectors: &'static [Sector], industry: &Industry) -> Vec<&'static Sector> {
    let text = fold(industry.as_str());
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .map(singular)
        .filter(|word| !word.is_empty())
        .collect();
    let codes = codes(&text);
    let mut matches: Vec<&Sector> = sectors
        .iter()
        .filter(|sector| {
            sector.phrases.iter().any(|phrase| has_phrase(&words, phrase))
                || codes.iter().any(|code| has_code(sector, code))
        })
        .collect();
    if matches.iter().any(|sector| sector.risk == RiskLevel::High) {
        matches.retain(|sector| sector.risk == RiskLevel::High);
    }
    matches
}

fn has_phrase(words: &[&str], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').map(singular).collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

fn has_code(sector: &Sector, code: &Code) -> bool {
    match code {
        Code::Nace(digits) => sector.nace.iter().any(|nace| digits.starts_with(nace)),
        Code::Mcc(digits) => sector.mcc.contains(&digits.as_str()),
    }
}

/// Strips a plural `s` if at least 3 bytes remain. This is crude, but both sides of a comparison
/// are stripped, so `casino` matches `casinos`.
fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() >= 3).unwrap_or(word)
}

/// The digits of an industry code, by the scheme of the code.
enum Code {
    /// A code of NACE Rev. 2 or ISIC Rev. 4.
    Nace(String),
    /// A merchant category code of ISO 18245.
    Mcc(String),
}

/// Finds the codes in a folded text.
fn codes(text: &str) -> Vec<Code> {
    let tokens: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '.')
        .map(|token| token.trim_matches('.'))
        .filter(|token| !token.is_empty())
        .collect();
    let previous = std::iter::once("").chain(tokens.iter().copied());
    previous.zip(&tokens).filter_map(|(previous, token)| code(text, previous, token)).collect()
}

/// Reads a token of a folded text as a code. `previous` is the token before it. Returns `None` if
/// the token is not a code.
///
/// A number of at least two digits, with at most one letter before it, is a code
/// - if the name of its scheme precedes it (`NACE 64`, `MCC 7995`),
/// - if it has the form of a NACE or ISIC code (`92.00`, `R9200`), or
/// - if it has four digits and is the whole text. It is then a merchant category code.
fn code(text: &str, previous: &str, token: &str) -> Option<Code> {
    let number = token.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = token.len() - number.len();
    let digits: String = number.split('.').collect();
    if letters > 1 || digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let has_point = number.find('.') == Some(2);
    match previous {
        "nace" | "isic" => Some(Code::Nace(digits)),
        "mcc" => Some(Code::Mcc(digits)),
        _ if has_point || (letters == 1 && digits.len() >= 3) => Some(Code::Nace(digits)),
        _ if digits == text && digits.len() == 4 => Some(Code::Mcc(digits)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::sectors::SECTORS;

    fn ids(industry: &str) -> Vec<&'static str> {
        let industry = Industry::parse(industry).unwrap();
        sectors_of(SECTORS, &industry).iter().map(|sector| sector.id).collect()
    }

    #[test]
    fn words_match_whole_and_regardless_of_case_accents_and_number() {
        for (industry, sector) in [
            ("Online CASINOS", "gambling"),
            ("Money-Transfer services", "money_services"),
            ("Arms dealers", "arms_and_defence"),
            ("Car washes & car wash franchising", "cash_intensive"),
            ("Bureaux de change", "money_services"),
            ("Cryptó exchange", "virtual_assets"),
            ("An art gallery in Basel", "art_and_antiques"),
        ] {
            assert_eq!(ids(industry), [sector], "{industry}");
        }
        for industry in [
            "Smart galleries of software",
            "Cryptography software",
            "Pharmacy equipment art",
            "Embankments",
            "Bankruptcy software",
            "Alarms dealer",
            "Estate wine",
            "Software",
        ] {
            assert_eq!(ids(industry), [""; 0], "{industry}");
        }
    }

    #[test]
    fn codes_are_recognised_by_their_form_or_their_scheme() {
        for code in [
            "92.00",
            "R92.00",
            "R9200",
            "NACE 92",
            "nace: 92.00",
            "ISIC 9200",
            "MCC 7995",
            "7995",
            "92.00 - Glücksspiel",
            "NACE Rev. 2 92.00",
        ] {
            assert_eq!(ids(code), ["gambling"], "{code}");
        }
        assert_eq!(ids("6051"), ["virtual_assets"]);
        assert_eq!(ids("NACE 64.19"), ["finance"]);
        assert_eq!(ids("K66.12"), ["finance"]);
        // 9211 is the merchant category code for court costs, and C64 is a home computer. 7995 is
        // a code only with its scheme or as the whole text.
        for other in ["9211", "C64", "est. 7995 sites", "92", "62.01", "MCC 9200", "NACE 7995"] {
            assert_eq!(ids(other), [""; 0], "{other}");
        }
    }

    #[test]
    fn sectors_of_high_risk_hide_those_of_medium_risk() {
        assert_eq!(ids("Construction of casinos"), ["gambling"]);
        assert_eq!(ids("Real estate and construction"), ["real_estate", "construction"]);
    }

    #[test]
    fn the_table_of_sectors_is_consistent() {
        let mut seen = std::collections::HashSet::new();
        for sector in SECTORS {
            assert!(matches!(sector.risk, RiskLevel::High | RiskLevel::Medium));
            assert!(!sector.sources.is_empty() && seen.insert(("id", sector.id)));
            for phrase in sector.phrases {
                assert!(seen.insert(("phrase", phrase)) && fold(phrase) == *phrase, "{phrase}");
                assert!(!ids(phrase).is_empty(), "{phrase} must match itself");
            }
            for (scheme, codes) in [("nace", sector.nace), ("mcc", sector.mcc)] {
                for code in codes {
                    assert!(seen.insert((scheme, code)) && code.parse::<u16>().is_ok(), "{code}");
                    assert!(
                        !ids(&format!("{scheme} {code}")).is_empty(),
                        "{code} must match itself"
                    );
                }
            }
        }
    }
}
