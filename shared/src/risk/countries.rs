//! Lists of high-risk countries, each with its source and date.
//!
//! To update a list, replace its countries, `date` and `url` with the values of the new
//! publication, and give [`super::MODEL`] a new version. The FATF publishes after each plenary
//! (February, June, October), the EU in the Official Journal.
//!
//! The lists are the same for every tenant. A tenant with a stricter policy can block a customer. A
//! profile names the model version and the dates of the lists that it was calculated with, so old
//! profiles can still be explained.

use crate::model::customer::RiskLevel;

/// A published list of countries.
#[derive(Debug)]
pub struct CountryList {
    /// Id of the list. The codes of hard rules contain it, such as `customer_country_eu_high_risk`.
    pub id: &'static str,
    /// Title that the publisher uses.
    pub title: &'static str,
    /// Address of the publication.
    pub url: &'static str,
    /// First day on which the list has this content, `YYYY-MM-DD`.
    pub date: &'static str,
    /// ISO 3166-1 alpha-2 codes in alphabetical order.
    pub countries: &'static [&'static str],
    /// Points if the customer is in one of these countries.
    pub(super) customer_points: u8,
    /// Points if an owner or officer is in one of these countries.
    pub(super) related_points: u8,
    /// Minimum level if the customer is in one of these countries.
    pub(super) customer_floor: RiskLevel,
    /// Minimum level if an owner is in one of these countries. `NotSet` if the list sets no minimum
    /// for owners.
    pub(super) owner_floor: RiskLevel,
    /// Minimum level if an officer who is not an owner is in one of these countries. `NotSet` if
    /// the list sets no minimum for officers.
    pub(super) officer_floor: RiskLevel,
}

impl CountryList {
    /// Returns whether the country with an ISO 3166-1 alpha-2 code is on the list.
    pub fn has(&self, country: &str) -> bool {
        self.countries.contains(&country)
    }
}

/// All lists, the one with the highest risk first.
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
    // Directive (EU) 2015/849, Article 18a, always requires enhanced due diligence for customers in
    // these countries. An owner in one of them needs attention, but not always enhanced due
    // diligence. Delegated Regulations (EU) 2026/46 (the Russian Federation) and 2026/83 last
    // amended the list.
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
    // The FATF asks for attention to these countries, but not for enhanced due diligence.
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
    use crate::risk::level::rank;

    #[test]
    fn every_entry_is_a_country_and_is_listed_once() {
        for list in LISTS {
            let is_code = |code: &&str| Country::parse(code).is_ok_and(|c| c.as_str() == *code);
            assert!(list.countries.iter().all(is_code), "{}", list.id);
            assert!(list.countries.is_sorted_by(|a, b| a < b), "{}", list.id);
            assert!(parse_date(list.date).is_some() && list.url.starts_with("https://"));
        }
        let sizes: Vec<usize> = LISTS.iter().map(|list| list.countries.len()).collect();
        assert_eq!(sizes, [3, 26, 22], "the numbers of countries that the publishers give");
    }

    #[test]
    fn the_worst_list_is_first_in_every_respect() {
        for pair in LISTS.windows(2) {
            let (worse, better) = (&pair[0], &pair[1]);
            assert!(worse.customer_points > better.customer_points);
            assert!(worse.related_points > better.related_points);
            assert!(rank(worse.customer_floor) >= rank(better.customer_floor));
            assert!(rank(worse.owner_floor) >= rank(better.owner_floor));
            assert!(rank(worse.officer_floor) >= rank(better.officer_floor));
        }
    }
}
