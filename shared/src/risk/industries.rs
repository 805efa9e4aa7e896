//! Which sectors of higher risk an industry, told in free text or by a code, belongs to.

use crate::model::customer::RiskLevel;
use crate::model::fold::fold;
use crate::model::value::Industry;

#[derive(Debug)]
pub struct Source {
    pub title: &'static str,
    pub url: &'static str,
}

#[derive(Debug)]
pub struct Sector {
    pub id: &'static str,
    /// `High` or `Medium`.
    pub risk: RiskLevel,
    pub sources: &'static [Source],
    /// Folded words. They are looked for as whole words, in singular and plural.
    pub phrases: &'static [&'static str],
    /// NACE Rev. 2 and ISIC Rev. 4 codes without the point; what is below them belongs to them.
    pub nace: &'static [&'static str],
    /// ISO 18245 merchant category codes.
    pub mcc: &'static [&'static str],
}

/// The sectors an industry belongs to, those of the worst risk only, in the order of the model.
pub(super) fn sectors_of(sectors: &'static [Sector], industry: &Industry) -> Vec<&'static Sector> {
    let text = fold(industry.as_str());
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).map(singular).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let codes = codes(&text);
    let in_sector = |sector: &&Sector| {
        let coded = |code: &Code| match code {
            Code::Nace(digits) => sector.nace.iter().any(|nace| digits.starts_with(nace)),
            Code::Mcc(digits) => sector.mcc.contains(&digits.as_str()),
        };
        sector.phrases.iter().any(|phrase| has_phrase(&words, phrase)) || codes.iter().any(coded)
    };
    let found: Vec<&Sector> = sectors.iter().filter(in_sector).collect();
    let any_high = found.iter().any(|sector| sector.risk == RiskLevel::High);
    let counts = |sector: &&Sector| !any_high || sector.risk == RiskLevel::High;
    found.into_iter().filter(counts).collect()
}

fn has_phrase(words: &[&str], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').map(singular).collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

/// Good enough to find `casinos` by `casino`, as it is done to both sides.
fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() >= 3).unwrap_or(word)
}

enum Code {
    Nace(String),
    Mcc(String),
}

/// A number is a code when its scheme stands before it (`NACE 64`, `MCC 7995`), when it is written
/// like one of NACE or ISIC (`92.00`, `R9200`), or, as an MCC, when it is all there is.
fn codes(text: &str) -> Vec<Code> {
    let tokens = text.split(|c: char| !c.is_alphanumeric() && c != '.');
    let tokens: Vec<&str> =
        tokens.map(|token| token.trim_matches('.')).filter(|t| !t.is_empty()).collect();
    let before = std::iter::once("").chain(tokens.iter().copied());
    let read = |(before, token): (&str, &str)| {
        let number = token.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let section = token.len() - number.len();
        let digits: String = number.split('.').collect();
        if section > 1 || digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let pointed = number.find('.') == Some(2);
        match before {
            "nace" | "isic" => Some(Code::Nace(digits)),
            "mcc" => Some(Code::Mcc(digits)),
            _ if pointed || (section == 1 && digits.len() >= 3) => Some(Code::Nace(digits)),
            _ if digits == text && digits.len() == 4 => Some(Code::Mcc(digits)),
            _ => None,
        }
    };
    before.zip(tokens.iter().copied()).filter_map(read).collect()
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
    fn words_are_whole_and_blind_to_case_accents_and_number() {
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
    fn codes_are_told_by_their_form_or_their_scheme() {
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
        // Government in ISO 18245; a home computer; a number among words.
        for other in ["9211", "C64", "est. 7995 sites", "92", "62.01", "MCC 9200", "NACE 7995"] {
            assert_eq!(ids(other), [""; 0], "{other}");
        }
    }

    #[test]
    fn the_worst_risk_counts() {
        assert_eq!(ids("Construction of casinos"), ["gambling"]);
        assert_eq!(ids("Real estate and construction"), ["real_estate", "construction"]);
    }

    #[test]
    fn the_table_is_in_order() {
        let mut seen = std::collections::HashSet::new();
        for sector in SECTORS {
            assert!(matches!(sector.risk, RiskLevel::High | RiskLevel::Medium));
            assert!(!sector.sources.is_empty() && seen.insert(("id", sector.id)));
            for phrase in sector.phrases {
                assert!(seen.insert(("phrase", phrase)) && fold(phrase) == *phrase, "{phrase}");
                assert!(!ids(phrase).is_empty(), "{phrase} finds itself");
            }
            for (scheme, codes) in [("nace", sector.nace), ("mcc", sector.mcc)] {
                for code in codes {
                    assert!(seen.insert((scheme, code)) && code.parse::<u16>().is_ok(), "{code}");
                    assert!(!ids(&format!("{scheme} {code}")).is_empty(), "{code} finds itself");
                }
            }
        }
    }
}
