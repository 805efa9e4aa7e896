//! What holds of any facts.

use crate::model::value::one_of;
use proptest::prelude::*;
use proptest::sample::select;
use strum::VariantNames;

use super::*;
use crate::model::alert::AlertStatus;
use crate::model::id::CustomerId;
use crate::model::session::{SessionStatus, ValidationKind};
use crate::model::value::{CalendarDate, Country, Industry};

const NOW: i64 = 1_795_435_200_000;
const DAY: i64 = 86_400_000;

/// [`Facts`] that own what they refer to.
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
            entity_type: match self.is_company {
                true => EntityType::Company,
                false => EntityType::Individual,
            },
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
        .prop_filter_map("an industry", |text| Industry::parse(&text).ok())
}

fn kinds() -> impl Strategy<Value = ValidationKind> {
    select(ValidationKind::VARIANTS).prop_map(|word| one_of::<ValidationKind>(word).unwrap())
}

/// Few days, so that sessions often change in the same millisecond.
fn times() -> impl Strategy<Value = Timestamp> {
    (-2..8i64).prop_map(|step| Timestamp::from_millis(NOW - step * 200 * DAY))
}

fn sessions() -> impl Strategy<Value = SessionFacts> {
    let status =
        select(SessionStatus::VARIANTS).prop_map(|word| one_of::<SessionStatus>(word).unwrap());
    let some = || prop::collection::vec(kinds(), 0..3);
    ("s[0-9]", status, some(), some(), some(), times()).prop_map(
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
    // Most customers have no alert; some have more than are evidence.
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

/// A change for the worse.
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
        (any::<usize>(), kinds()).prop_map(|(at, kind)| Change::Failure(at, kind)),
        sessions().prop_map(Change::Rejection),
        alerts().prop_map(Change::Alert),
        countries().prop_map(Change::Country),
        (any::<usize>(), countries()).prop_map(|(at, to)| Change::RelatedCountry(at, to)),
    ]
}

/// From 0 for no country or none on a list, upwards.
fn badness(country: Option<&Country>) -> u8 {
    let lists = MODEL.country_lists.iter();
    let on = lists.filter(|list| country.is_some_and(|country| list.has(country.as_str())));
    on.map(|list| list.customer_points).max().unwrap_or(0)
}

fn changed(case: &Case, change: Change) -> Case {
    let mut case = case.clone();
    let sessions = case.sessions.len().max(1);
    let related = case.organization.as_mut().map_or(&mut [][..], |o| &mut o.related);
    let parties = related.len().max(1);
    match change {
        Change::Failure(at, kind) => {
            case.sessions.get_mut(at % sessions).into_iter().for_each(|s| s.failed.push(kind));
        }
        Change::Rejection(session) => {
            case.sessions.push(SessionFacts { status: SessionStatus::Rejected, ..session })
        }
        Change::Alert(alert) => case.alerts.push(alert),
        Change::Country(to) if badness(Some(&to)) >= badness(case.country.as_ref()) => {
            case.country = Some(to)
        }
        Change::RelatedCountry(at, to) => {
            if let Some(party) = related.get_mut(at % parties)
                && badness(Some(&to)) >= badness(party.country.as_ref())
            {
                party.country = Some(to);
            }
        }
        Change::Country(_) => (),
    }
    case
}

fn shuffled(case: &Case, by: usize) -> Case {
    fn turn<T>(list: &mut [T], by: usize) {
        list.rotate_left(by % list.len().max(1));
        if by % 2 == 1 {
            list.reverse();
        }
    }
    let mut case = case.clone();
    turn(&mut case.sessions, by);
    turn(&mut case.alerts, by / 3);
    for session in &mut case.sessions {
        turn(&mut session.failed, by);
        turn(&mut session.in_review, by);
        turn(&mut session.passed, by);
    }
    if let Some(organization) = &mut case.organization {
        turn(&mut organization.related, by / 5);
        turn(&mut organization.circular, by);
    }
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_points_are_the_score_and_every_factor_is_there(case in cases()) {
        let assessment = case.assess();
        let factors = &assessment.factors;
        let sum: u32 = factors.iter().map(|factor| u32::from(factor.points)).sum();
        prop_assert!(sum <= 100);
        prop_assert!(factors.iter().map(|factor| u32::from(factor.weight)).sum::<u32>() <= 100);
        prop_assert_eq!(assessment.score.is_none(), assessment.level == RiskLevel::NotSet);
        prop_assert!(assessment.score.is_none_or(|score| u32::from(score) == sum));
        for factor in factors {
            prop_assert!(factor.points <= factor.weight && factor.evidence.len() <= MOST_EVIDENCE);
            prop_assert!(factor.points == 0 || !factor.evidence.is_empty(), "{}", factor.code);
            prop_assert!(factor.reason.ends_with('.'));
        }
        let codes: Vec<&str> = factors.iter().map(|factor| factor.code.as_str()).collect();
        prop_assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), codes.len());
        prop_assert_eq!(codes.len() - usize::from(codes.contains(&"insufficient_data")), 15);
    }

    #[test]
    fn order_does_not_matter_and_the_same_is_the_same(case in cases(), by in any::<usize>()) {
        prop_assert_eq!(case.assess(), shuffled(&case, by).assess());
    }

    #[test]
    fn what_is_worse_never_lowers(case in cases(), change in changes()) {
        let (before, after) = (case.assess(), changed(&case, change).assess());
        prop_assert!(after.score >= before.score, "{:?} to {:?}", before.score, after.score);
        prop_assert!(level_rank(after.level) >= level_rank(before.level));
    }

    #[test]
    fn rules_have_evidence_and_only_raise(case in cases()) {
        let assessment = case.assess();
        let sum: u8 = assessment.factors.iter().map(|factor| factor.points).sum();
        let known = !assessment.factors.iter().any(|factor| factor.code == "insufficient_data");
        let by_score = match sum {
            _ if !known => RiskLevel::NotSet,
            0..15 => RiskLevel::Low,
            15..40 => RiskLevel::Medium,
            _ => RiskLevel::High,
        };
        let rules = assessment.hard_rules.iter().map(|rule| level_rank(rule.level)).max();
        let expected = level_rank(by_score).max(rules.unwrap_or(0));
        prop_assert_eq!(level_rank(assessment.level), expected);
        for rule in &assessment.hard_rules {
            prop_assert!((1..=MOST_EVIDENCE).contains(&rule.evidence.len()), "{}", rule.code);
        }
        let confirmed = case.alerts.iter().any(|alert| alert.status == AlertStatus::Confirmed);
        prop_assert_eq!(assessment.level == RiskLevel::Prohibited, confirmed);
    }

    #[test]
    fn too_little_data_is_never_low(case in cases()) {
        let assessment = case.assess();
        let decided = case.sessions.iter().any(SessionFacts::is_decided);
        let organized = !case.is_company || case.organization.is_some();
        let known = case.country.is_some() && decided && organized;
        let says_so = assessment.factors.iter().any(|factor| factor.code == "insufficient_data");
        prop_assert_eq!(says_so, !known);
        prop_assert!(known || assessment.level != RiskLevel::Low);
        let nothing = !known && assessment.hard_rules.is_empty();
        prop_assert_eq!(assessment.level == RiskLevel::NotSet, nothing);
        prop_assert_eq!(assessment.next_review_at.is_none(), nothing);
    }
}
