//! Tests single assessments with their exact points.

use serde_json::Value;
use time::Duration;

use super::*;
use crate::model::alert::AlertStatus;
use crate::model::id::CustomerId;
use crate::model::risk::Evidence;
use crate::model::session::{SessionStatus, ValidationKind};
use crate::model::time::format_date;
use crate::model::value::{CalendarDate, Country, Industry};

const DAY: i64 = 86_400_000;
const ID: &str = "0193b3a0-0000-7000-8000-00000000abcd";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T12:00:00Z").unwrap()
}

fn country(code: &str) -> &'static Country {
    Box::leak(Box::new(Country::parse(code).unwrap()))
}

fn industry(text: &str) -> Option<&'static Industry> {
    Some(Box::leak(Box::new(Industry::parse(text).unwrap())))
}

fn days_ago(days: i64) -> Option<&'static CalendarDate> {
    let date = now().date().unwrap() - Duration::days(days);
    Some(Box::leak(Box::new(CalendarDate::parse(&format_date(date)).unwrap())))
}

fn session(id: &str, status: SessionStatus, days_ago: i64) -> SessionFacts {
    SessionFacts {
        session_id: id.to_owned(),
        status,
        failed: Vec::new(),
        in_review: Vec::new(),
        passed: Vec::new(),
        at: Timestamp::from_millis(now().millis() - days_ago * DAY),
    }
}

fn alert(id: &str, status: AlertStatus) -> AlertFacts {
    AlertFacts { alert_id: id.to_owned(), list: "un".to_owned(), status }
}

fn related(party: &str, code: &str, is_owner: bool) -> RelatedFacts {
    RelatedFacts { party_id: party.to_owned(), country: Country::parse(code).ok(), is_owner }
}

/// Returns the facts of a German individual who was approved a month ago.
fn person() -> Facts<'static> {
    Facts {
        now: now(),
        customer_id: CustomerId::parse(ID).unwrap(),
        entity_type: EntityType::Individual,
        country: Some(country("DE")),
        industry: None,
        incorporated_on: None,
        organization: None,
        sessions: vec![session("s1", SessionStatus::Approved, 30)],
        alerts: Vec::new(),
    }
}

/// Returns the facts of a German software company, eleven years old (4,000 days), with one German
/// owner.
fn company() -> Facts<'static> {
    Facts {
        entity_type: EntityType::Company,
        industry: industry("Software"),
        incorporated_on: days_ago(4_000),
        organization: Some(OrganizationFacts {
            version: 3,
            related: vec![related("owner", "DE", true)],
            undisclosed_percentage: 0.0,
            most_layers: 1,
            circular: Vec::new(),
            has_owner_ubo: true,
            senior_manager_only: false,
        }),
        ..person()
    }
}

fn with(mut facts: Facts<'static>, change: impl FnOnce(&mut Facts<'static>)) -> Facts<'static> {
    change(&mut facts);
    facts
}

fn with_organization(change: impl FnOnce(&mut OrganizationFacts)) -> Facts<'static> {
    with(company(), |facts| change(facts.organization.as_mut().unwrap()))
}

/// Checks the factors with points, the rules, the level and the score of an assessment, and returns
/// it.
fn check(facts: &Facts<'_>, points: &[(&str, u8)], rules: &[&str], level: RiskLevel) -> Assessment {
    let assessment = assess(&MODEL, facts);
    let actual_points: Vec<(&str, u8)> = assessment
        .factors
        .iter()
        .filter(|factor| factor.points > 0)
        .map(|factor| (factor.code.as_str(), factor.points))
        .collect();
    let codes: Vec<&str> = assessment.hard_rules.iter().map(|rule| rule.code.as_str()).collect();
    assert_eq!(
        (actual_points.as_slice(), codes.as_slice(), assessment.level),
        (points, rules, level)
    );
    let sum = points.iter().map(|(_, points)| points).sum::<u8>();
    assert_eq!(assessment.score, (level != RiskLevel::NotSet).then_some(sum));
    assessment
}

fn factor<'a>(assessment: &'a Assessment, code: &str) -> &'a Factor {
    assessment.factors.iter().find(|factor| factor.code == code).unwrap()
}

#[test]
fn customers_without_risk_factors_are_low_and_reviewed_in_three_years() {
    for facts in [person(), company()] {
        let assessment = check(&facts, &[], &[], RiskLevel::Low);
        assert_eq!(assessment.next_review_at.unwrap().to_string(), "2029-11-22T12:00:00.000Z");
        assert_eq!(
            (assessment.factors.len(), assessment.model_version.as_str()),
            (15, "2026-11-1")
        );
    }
    let assessment = assess(&MODEL, &person());
    let layers = factor(&assessment, "ownership_layers");
    assert_eq!((&layers.value, layers.weight), (&Value::Null, 3));
    assert_eq!(layers.reason, "Not applicable: the customer is an individual.");
}

#[test]
fn an_owner_in_north_korea_makes_the_company_high() {
    let facts = with_organization(|o| o.related.push(related("kp", "KP", true)));
    let rules = ["owner_country_fatf_call_for_action", "owner_country_eu_high_risk"];
    let assessment = check(&facts, &[("related_countries", 10)], &rules, RiskLevel::High);
    let evidence = |kind: &str, id: &str| Evidence { kind: kind.to_owned(), id: id.to_owned() };
    let list = evidence("country_list", "fatf_call_for_action@2026-06-19");
    assert_eq!(assessment.hard_rules[0].evidence, [list, evidence("party", "kp")]);
    let reason = "The country of an owner is on the list FATF High-Risk Jurisdictions subject to a \
                  Call for Action (2026-06-19).";
    assert_eq!(assessment.hard_rules[0].reason, reason);
    let facts = with_organization(|o| o.related.push(related("kp", "KP", false)));
    let rules = ["officer_country_fatf_call_for_action"];
    check(&facts, &[("related_countries", 10)], &rules, RiskLevel::Medium);
    // A director in a country of the EU list gives points, but no rule applies.
    let facts = with_organization(|o| o.related.push(related("ru", "RU", false)));
    check(&facts, &[("related_countries", 7)], &[], RiskLevel::Low);
}

#[test]
fn a_country_has_the_points_of_its_worst_list_and_a_rule_for_each_list() {
    for (code, points, lists, level) in [
        ("MM", 18, "fatf_call_for_action eu_high_risk", RiskLevel::High),
        ("VN", 14, "eu_high_risk fatf_increased_monitoring", RiskLevel::High),
        ("RU", 14, "eu_high_risk", RiskLevel::High),
        ("IQ", 10, "fatf_increased_monitoring", RiskLevel::Medium),
    ] {
        let facts = with(person(), |facts| facts.country = Some(country(code)));
        let rules: Vec<String> =
            lists.split(' ').map(|list| format!("customer_country_{list}")).collect();
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let assessment = check(&facts, &[("customer_country", points)], &rules, level);
        let factor = factor(&assessment, "customer_country");
        assert_eq!(factor.evidence.len(), rules.len() + 1, "every list, and the customer");
    }
}

#[test]
fn many_small_factors_add_up_to_high_without_a_high_rule() {
    let facts = with(company(), |facts| {
        facts.country = Some(country("BG"));
        facts.industry = industry("Jane Doe's Casino");
        facts.incorporated_on = days_ago(100);
        let organization = facts.organization.as_mut().unwrap();
        organization.related.push(related("d", "VN", false));
        organization.undisclosed_percentage = 30.0;
        organization.has_owner_ubo = false;
        organization.senior_manager_only = true;
    });
    let points = [
        ("customer_country", 10),
        ("related_countries", 7),
        ("industry", 10),
        ("company_age", 4),
        ("undisclosed_ownership", 6),
        ("beneficial_owner", 4),
    ];
    let rules = ["customer_country_fatf_increased_monitoring", "high_risk_industry"];
    let assessment = check(&facts, &points, &rules, RiskLevel::High);
    assert!(
        !format!("{assessment:?}").contains("Jane"),
        "the industry is free text and must not be repeated"
    );
}

#[test]
fn the_worst_company_has_all_points() {
    let facts = with(company(), |facts| {
        facts.country = Some(country("KP"));
        facts.industry = industry("92.00");
        facts.incorporated_on = days_ago(1);
        facts.organization = Some(OrganizationFacts {
            version: 1,
            related: vec![related("a", "IR", true)],
            undisclosed_percentage: 100.0,
            most_layers: 9,
            circular: vec!["b".to_owned(), "c".to_owned()],
            has_owner_ubo: false,
            senior_manager_only: false,
        });
        let mut rejected = session("r1", SessionStatus::Rejected, 1);
        use ValidationKind::{AdverseMedia, Crypto, Document, Liveness, Watchlists};
        rejected.failed = vec![Document, Liveness, Crypto, Watchlists, AdverseMedia];
        facts.sessions = vec![rejected, session("r2", SessionStatus::Rejected, 2)];
        facts.sessions.extend((3..7).map(|day| session("e", SessionStatus::Expired, day)));
        facts.alerts = vec![alert("a1", AlertStatus::Confirmed)];
    });
    let assessment = assess(&MODEL, &facts);
    assert!(assessment.factors.iter().all(|factor| factor.points == factor.weight));
    assert_eq!((assessment.score, assessment.level), (Some(100), RiskLevel::Prohibited));
}

#[test]
fn open_and_confirmed_alerts_count_and_others_do_not() {
    let of = |alerts: Vec<AlertFacts>| with(person(), |facts| facts.alerts = alerts);
    let dismissed = vec![alert("1", AlertStatus::FalsePositive), alert("2", AlertStatus::Cleared)];
    check(&of(dismissed), &[], &[], RiskLevel::Low);
    let open = alert("3", AlertStatus::Open);
    check(&of(vec![open.clone()]), &[("alerts", 6)], &["open_alert"], RiskLevel::Medium);
    let both = vec![open, alert("4", AlertStatus::Confirmed)];
    let rules = ["confirmed_alert", "open_alert"];
    check(&of(both), &[("alerts", 10)], &rules, RiskLevel::Prohibited);
    let many = (10..50).map(|n| alert(&n.to_string(), AlertStatus::Open)).collect();
    let assessment = assess(&MODEL, &of(many));
    let alerts = factor(&assessment, "alerts");
    assert_eq!((&alerts.value["open"], alerts.evidence.len()), (&json!(40), 25));
    assert_eq!(alerts.evidence[0].id, "10", "evidence must be in the order of ids");
}

#[test]
fn a_failed_watchlist_check_counts_until_an_approved_session_passes_it() {
    let mut failed = session("s2", SessionStatus::Approved, 20);
    failed.failed.push(ValidationKind::Watchlists);
    let mut later = session("s3", SessionStatus::Approved, 10);
    let both = |later: &SessionFacts| {
        with(person(), |facts| facts.sessions = vec![later.clone(), failed.clone()])
    };
    let points = [("watchlist_checks", 5)];
    check(&both(&later), &points, &["watchlists_failed"], RiskLevel::High);
    later.passed.push(ValidationKind::Watchlists);
    check(&both(&later), &[], &[], RiskLevel::Low);
    // A session with contradicting results does not resolve a failed check.
    later.in_review.push(ValidationKind::Watchlists);
    check(&both(&later), &points, &["watchlists_failed"], RiskLevel::High);
    later.in_review.clear();
    later.status = SessionStatus::Completed;
    check(&both(&later), &points, &["watchlists_failed"], RiskLevel::High);
}

#[test]
fn sessions_count_by_their_outcome_and_age() {
    let of = |sessions: Vec<SessionFacts>| with(person(), |facts| facts.sessions = sessions);
    let approved = |days| session("ok", SessionStatus::Approved, days);
    let rejected = |days| session("no", SessionStatus::Rejected, days);
    check(&of(vec![approved(365)]), &[], &[], RiskLevel::Low);
    check(&of(vec![approved(366)]), &[("last_approval", 2)], &[], RiskLevel::Low);
    check(&of(vec![approved(731)]), &[("last_approval", 4)], &[], RiskLevel::Low);
    let points = [("rejected_sessions", 4)];
    check(&of(vec![approved(1), rejected(2)]), &points, &[], RiskLevel::Low);
    let rules = ["latest_session_rejected"];
    check(&of(vec![approved(2), rejected(1)]), &points, &rules, RiskLevel::High);
    // If two sessions have the same time, the worse one counts as the latest.
    check(&of(vec![approved(1), rejected(1)]), &points, &rules, RiskLevel::High);
    check(&of(vec![approved(1), rejected(1_095)]), &[], &[], RiskLevel::Low);
    let review = session("?", SessionStatus::ManualReview, 1);
    let points = [("last_approval", 5)];
    check(&of(vec![review]), &points, &["latest_session_in_review"], RiskLevel::Medium);
}

#[test]
fn too_little_data_gives_not_set_and_lists_what_is_missing() {
    for (facts, missing) in [
        (with(person(), |facts| facts.country = None), json!(["country"])),
        (with(person(), |facts| facts.sessions.clear()), json!(["decided_session"])),
        (with(company(), |facts| facts.organization = None), json!(["organization"])),
    ] {
        let assessment = assess(&MODEL, &facts);
        assert_eq!((assessment.level, assessment.score), (RiskLevel::NotSet, None));
        assert_eq!(assessment.next_review_at, None);
        assert_eq!(factor(&assessment, "insufficient_data").value, missing);
    }
    let facts = with(person(), |facts| {
        facts.country = Some(country("KP"));
        facts.sessions.clear();
    });
    let rules = ["customer_country_fatf_call_for_action", "customer_country_eu_high_risk"];
    let points = [("customer_country", 18), ("last_approval", 5)];
    let assessment = check(&facts, &points, &rules, RiskLevel::High);
    assert_eq!(factor(&assessment, "insufficient_data").value, json!(["decided_session"]));
}

#[test]
fn a_company_without_a_beneficial_owner_is_high_and_nan_counts_as_undisclosed() {
    let facts = with_organization(|o| {
        o.has_owner_ubo = false;
        o.undisclosed_percentage = f64::NAN;
    });
    let points = [("undisclosed_ownership", 8), ("beneficial_owner", 6)];
    check(&facts, &points, &["no_beneficial_owner"], RiskLevel::High);
}
