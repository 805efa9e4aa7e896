//! The country lists, each with its source and date.
//!
//! To bring a list up to date: replace its countries, `date` and `url` by what the publisher says,
//! and give [`super::MODEL`] a new version; the FATF publishes after each plenary (February, June,
//! October), the EU in the Official Journal. They are the same for every tenant; one that is
//! stricter can block a customer. A profile names the version and the dates it was
//! calculated with, so old profiles stay explained.

use crate::model::customer::RiskLevel;

/// A published list of countries.
#[derive(Debug)]
pub struct CountryList {
    pub id: &'static str,
    /// As its publisher calls it.
    pub title: &'static str,
    pub url: &'static str,
    /// The day from which the list reads like this, `YYYY-MM-DD`.
    pub date: &'static str,
    /// ISO 3166-1 alpha-2, in order.
    pub countries: &'static [&'static str],
    /// Points of a customer in one of these countries.
    pub(super) customer_points: u8,
    /// Points when an owner, director or representative is in one of them.
    pub(super) related_points: u8,
    /// The least level of a customer in one of them.
    pub(super) customer_floor: RiskLevel,
    /// The least level of a customer with an owner in one of them, `NotSet` for none.
    pub(super) owner_floor: RiskLevel,
    /// The same of a director or representative who owns nothing.
    pub(super) officer_floor: RiskLevel,
}

impl CountryList {
    pub fn has(&self, country: &str) -> bool {
        self.countries.contains(&country)
    }
}

/// Worst first.
pub(super) const LISTS: &[CountryList] = &[
    CountryList {
        id: "fatf_call_for_action",
        title: "FATF High-Risk Jurisdictions subject to a Call for Action",
        url: "https://www.fatf-gafi.org/en/topics/high-risk-and-other-monitored-jurisdictions.html",
        date: "2026-06-19",
        countries: &["IR", "KP", "MM"],
        customer_points: 18,
        related_points: 10,
        customer_floor: RiskLevel::High,
        owner_floor: RiskLevel::High,
        officer_floor: RiskLevel::Medium,
    },
    // Directive (EU) 2015/849, Article 18a: enhanced due diligence, whatever else is known. It is
    // about customers in these countries; an owner there is a reason to look closer.
    // As amended last by Delegated Regulations (EU) 2026/46 (the Russian Federation) and 2026/83.
    CountryList {
        id: "eu_high_risk",
        title: "EU high-risk third countries, Delegated Regulation (EU) 2016/1675",
        url: "https://eur-lex.europa.eu/eli/reg_del/2016/1675",
        date: "2026-01-29",
        countries: &[
            "AF", "AO", "BO", "CD", "CI", "CM", "DZ", "HT", "IR", "KE", "KP", "LA", "LB", "MC",
            "MM", "NA", "NP", "RU", "SS", "SY", "TT", "VE", "VG", "VN", "VU", "YE",
        ],
        customer_points: 14,
        related_points: 7,
        customer_floor: RiskLevel::High,
        owner_floor: RiskLevel::Medium,
        officer_floor: RiskLevel::NotSet,
    },
    // The FATF asks for attention to these, not for enhanced due diligence.
    CountryList {
        id: "fatf_increased_monitoring",
        title: "FATF Jurisdictions under Increased Monitoring",
        url: "https://www.fatf-gafi.org/en/topics/high-risk-and-other-monitored-jurisdictions.html",
        date: "2026-06-19",
        countries: &[
            "AO", "BA", "BG", "BO", "CD", "CI", "CM", "HT", "IQ", "KE", "KW", "LA", "LB", "MC",
            "NP", "PG", "SS", "SY", "VE", "VG", "VN", "YE",
        ],
        customer_points: 10,
        related_points: 5,
        customer_floor: RiskLevel::Medium,
        owner_floor: RiskLevel::NotSet,
        officer_floor: RiskLevel::NotSet,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_date;
    use crate::model::value::Country;
    use crate::risk::level_rank;

    #[test]
    fn every_entry_is_a_country_and_stands_there_once() {
        for list in LISTS {
            let known = |code: &&str| Country::parse(code).is_ok_and(|c| c.as_str() == *code);
            assert!(list.countries.iter().all(known), "{}", list.id);
            assert!(list.countries.is_sorted_by(|a, b| a < b), "{}", list.id);
            assert!(parse_date(list.date).is_some() && list.url.starts_with("https://"));
        }
        let sizes: Vec<usize> = LISTS.iter().map(|list| list.countries.len()).collect();
        assert_eq!(sizes, [3, 26, 22], "as many as their publishers name");
    }

    #[test]
    fn the_worst_list_is_first_in_every_respect() {
        for pair in LISTS.windows(2) {
            let (worse, better) = (&pair[0], &pair[1]);
            assert!(worse.customer_points > better.customer_points);
            assert!(worse.related_points > better.related_points);
            assert!(level_rank(worse.customer_floor) >= level_rank(better.customer_floor));
            assert!(level_rank(worse.owner_floor) >= level_rank(better.owner_floor));
            assert!(level_rank(worse.officer_floor) >= level_rank(better.officer_floor));
        }
    }
}
