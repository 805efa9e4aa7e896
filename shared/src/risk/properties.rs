//! Tests properties that hold for any facts.

use proptest::prelude::*;
use proptest::sample::select;
use strum::VariantNames;

use super::evidence::MAX_EVIDENCE;
use super::level::rank;
use super::*;
use crate::model::alert::AlertStatus;
use crate::model::id::CustomerId;
use crate::model::session::{SessionStatus, ValidationKind};
use crate::model::value::{CalendarDate, Country, Industry, one_of};

const NOW: i64 = 1_795_435_200_000;
const DAY: i64 = 86_400_000;

/// The same data as [`Facts`], but owned.
#[derive(Clone, Debug)]
struct Case {
    is_company: bool,
    country: Option<Country>,
    industry: Option<Industry>,
    incorporated_on: Option<CalendarDate>,
    organization: Option<OrganizationFacts>,
    sessions: Vec<SessionFacts>,
    alerts: Vec<AlertFacts>,
}

impl Case {
    fn assess(&self) -> Assessment {
        let facts = Facts {
            now: Timestamp::from_millis(NOW),
            customer_id: CustomerId::MIN,
            entity_type: if self.is_company { EntityType::Company } else { EntityType::Individual },
            country: self.country.as_ref(),
            industry: self.industry.as_ref(),
            incorporated_on: self.incorporated_on.as_ref(),
            organization: self.organization.clone(),
            sessions: self.sessions.clone(),
            alerts: self.alerts.clone(),
        };
        assess(&MODEL, &facts)
    }
}

fn countries() -> impl Strategy<Value = Country> {
    let codes = vec!["DE", "FR", "US", "BG", "IQ", "RU", "AF", "VN", "IR", "KP"];
    select(codes).prop_map(|code| Country::parse(code).unwrap())
}

fn industries() -> impl Strategy<Value = Industry> {
    let known = select(vec!["Casino", "NACE 64", "6051", "Software", "real estate"]);
    prop_oneof![known.prop_map(str::to_owned), "\\PC{1,40}"]
        .prop_filter_map("not an industry", |text| Industry::parse(&text).ok())
}

fn kinds() -> impl Strategy<Value = ValidationKind> {
    select(ValidationKind::VARIANTS).prop_map(|word| one_of::<ValidationKind>(word).unwrap())
}

/// Generates times from a small set, so sessions often have the same time.
fn times() -> impl Strategy<Value = Timestamp> {
    (-2..8i64).prop_map(|step| Timestamp::from_millis(NOW - step * 200 * DAY))
}

fn sessions() -> impl Strategy<Value = SessionFacts> {
    let status =
        select(SessionStatus::VARIANTS).prop_map(|word| one_of::<SessionStatus>(word).unwrap());
    let some_kinds = || prop::collection::vec(kinds(), 0..3);
    ("s[0-9]", status, some_kinds(), some_kinds(), some_kinds(), times()).prop_map(
        |(session_id, status, failed, in_review, passed, at)| SessionFacts {
            session_id,
            status,
            failed,
            in_review,
            passed,
            at,
        },
    )
}

fn alerts() -> impl Strategy<Value = AlertFacts> {
    ("a[0-9]{2}", select(AlertStatus::VARIANTS)).prop_map(|(alert_id, status)| {
        let status = one_of::<AlertStatus>(status).unwrap();
        AlertFacts { alert_id, list: "un".to_owned(), status }
    })
}

fn related() -> impl Strategy<Value = RelatedFacts> {
    ("p[0-9]{2}", prop::option::of(countries()), any::<bool>())
        .prop_map(|(party_id, country, is_owner)| RelatedFacts { party_id, country, is_owner })
}

fn organizations() -> impl Strategy<Value = OrganizationFacts> {
    let percentage = prop_oneof![0.0..100.0f64, Just(0.0), Just(100.0), any::<f64>()];
    let circular = prop::collection::vec("p[0-9]", 0..4);
    let parties = prop::collection::vec(related(), 0..40);
    (parties, percentage, 0..7u32, circular, any::<(bool, bool)>()).prop_map(
        |(related, undisclosed_percentage, most_layers, circular, ubos)| OrganizationFacts {
            version: 1,
            related,
            undisclosed_percentage,
            most_layers,
            circular,
            has_owner_ubo: ubos.0,
            senior_manager_only: ubos.1,
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let dates =
        (1990..2030i32).prop_map(|year| CalendarDate::parse(&format!("{year}-05-01")).unwrap());
    let optional = (
        prop::option::of(countries()),
        prop::option::of(industries()),
        prop::option::of(dates),
        prop::option::weighted(0.8, organizations()),
    );
    let history = prop::collection::vec(sessions(), 0..8);
    // At least half of the customers have no alert. Some have more alerts than evidence can list.
    let alerts = prop_oneof![Just(Vec::new()), prop::collection::vec(alerts(), 0..60)];
    (any::<bool>(), optional, history, alerts).prop_map(
        |(is_company, (country, industry, incorporated_on, organization), sessions, alerts)| Case {
            is_company,
            country,
            industry,
            incorporated_on,
            organization,
            sessions,
            alerts,
        },
    )
}

/// A change that makes the facts worse.
#[derive(Clone, Debug)]
enum Change {
    Failure(usize, ValidationKind),
    Rejection(SessionFacts),
    Alert(AlertFacts),
    Country(Country),
    RelatedCountry(usize, Country),
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), kinds()).prop_map(|(index, kind)| Change::Failure(index, kind)),
        sessions().prop_map(Change::Rejection),
        alerts().prop_map(Change::Alert),
        countries().prop_map(Change::Country),
        (any::<usize>(), countries())
            .prop_map(|(index, country)| Change::RelatedCountry(index, country)),
    ]
}

/// Returns the points for a customer in a country, 0 if the country is unknown or not listed.
fn country_points(country: Option<&Country>) -> u8 {
    let lists = MODEL.country_lists.iter();
    lists
        .filter(|list| country.is_some_and(|country| list.has(country.as_str())))
        .map(|list| list.customer_points)
        .max()
        .unwrap_or(0)
}

fn changed(case: &Case, change: Change) -> Case {
    let mut case = case.clone();
    match change {
        Change::Failure(index, kind) => {
            let index = index % case.sessions.len().max(1);
            if let Some(session) = case.sessions.get_mut(index) {
                session.failed.push(kind);
            }
        }
        Change::Rejection(session) => {
            case.sessions.push(SessionFacts { status: SessionStatus::Rejected, ..session })
        }
        Change::Alert(alert) => case.alerts.push(alert),
        Change::Country(country) => {
            if country_points(Some(&country)) >= country_points(case.country.as_ref()) {
                case.country = Some(country);
            }
        }
        Change::RelatedCountry(index, country) => {
            if let Some(organization) = &mut case.organization {
                let index = index % organization.related.len().max(1);
                if let Some(party) = organization.related.get_mut(index)
                    && country_points(Some(&country)) >= country_points(party.country.as_ref())
                {
                    party.country = Some(country);
                }
            }
        }
    }
    case
}

/// Returns the case with all lists in another order. `seed` determines the order.
fn shuffled(case: &Case, seed: usize) -> Case {
    fn shuffle<T>(list: &mut [T], seed: usize) {
        list.rotate_left(seed % list.len().max(1));
        if seed % 2 == 1 {
            list.reverse();
        }
    }
    let mut case = case.clone();
    shuffle(&mut case.sessions, seed);
    shuffle(&mut case.alerts, seed / 3);
    for session in &mut case.sessions {
        shuffle(&mut session.failed, seed);
        shuffle(&mut session.in_review, seed);
        shuffle(&mut session.passed, seed);
    }
    if let Some(organization) = &mut case.organization {
        shuffle(&mut organization.related, seed / 5);
        shuffle(&mut organization.circular, seed);
    }
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_score_is_the_sum_of_the_points_and_every_factor_is_listed(case in cases()) {
        let assessment = case.assess();
        let factors = &assessment.factors;
        let sum: u32 = factors.iter().map(|factor| u32::from(factor.points)).sum();
        prop_assert!(sum <= 100);
        prop_assert!(factors.iter().map(|factor| u32::from(factor.weight)).sum::<u32>() <= 100);
        prop_assert_eq!(assessment.score.is_none(), assessment.level == RiskLevel::NotSet);
        prop_assert!(assessment.score.is_none_or(|score| u32::from(score) == sum));
        for factor in factors {
            prop_assert!(factor.points <= factor.weight && factor.evidence.len() <= MAX_EVIDENCE);
            prop_assert!(factor.points == 0 || !factor.evidence.is_empty(), "{}", factor.code);
            prop_assert!(factor.reason.ends_with('.'));
        }
        let codes: Vec<&str> = factors.iter().map(|factor| factor.code.as_str()).collect();
        prop_assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), codes.len());
        prop_assert_eq!(codes.len() - usize::from(codes.contains(&"insufficient_data")), 15);
    }

    #[test]
    fn the_assessment_does_not_depend_on_the_order_of_facts(case in cases(), seed in any::<usize>()) {
        prop_assert_eq!(case.assess(), shuffled(&case, seed).assess());
    }

    #[test]
    fn a_change_for_the_worse_never_lowers_score_or_level(case in cases(), change in changes()) {
        let (before, after) = (case.assess(), changed(&case, change).assess());
        prop_assert!(after.score >= before.score, "{:?} to {:?}", before.score, after.score);
        prop_assert!(rank(after.level) >= rank(before.level));
    }

    #[test]
    fn rules_have_evidence_and_only_raise_the_level(case in cases()) {
        let assessment = case.assess();
        let sum: u8 = assessment.factors.iter().map(|factor| factor.points).sum();
        let is_insufficient =
            assessment.factors.iter().any(|factor| factor.code == "insufficient_data");
        let level_of_score = match sum {
            _ if is_insufficient => RiskLevel::NotSet,
            0..15 => RiskLevel::Low,
            15..40 => RiskLevel::Medium,
            _ => RiskLevel::High,
        };
        let rules = assessment.hard_rules.iter().map(|rule| rank(rule.level)).max();
        let expected = rank(level_of_score).max(rules.unwrap_or(0));
        prop_assert_eq!(rank(assessment.level), expected);
        for rule in &assessment.hard_rules {
            prop_assert!((1..=MAX_EVIDENCE).contains(&rule.evidence.len()), "{}", rule.code);
        }
        let confirmed = case.alerts.iter().any(|alert| alert.status == AlertStatus::Confirmed);
        prop_assert_eq!(assessment.level == RiskLevel::Prohibited, confirmed);
    }

    #[test]
    fn too_little_data_is_never_low(case in cases()) {
        let assessment = case.assess();
        let is_decided = case.sessions.iter().any(SessionFacts::is_decided);
        let has_organization = !case.is_company || case.organization.is_some();
        let is_sufficient = case.country.is_some() && is_decided && has_organization;
        let is_reported =
            assessment.factors.iter().any(|factor| factor.code == "insufficient_data");
        prop_assert_eq!(is_reported, !is_sufficient);
        prop_assert!(is_sufficient || assessment.level != RiskLevel::Low);
        let has_no_level = !is_sufficient && assessment.hard_rules.is_empty();
        prop_assert_eq!(assessment.level == RiskLevel::NotSet, has_no_level);
        prop_assert_eq!(assessment.next_review_at.is_none(), has_no_level);
    }
}
