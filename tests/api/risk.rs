//! Tests `GET /customers/{id}/risk-profile`.

use std::sync::atomic::Ordering;

use api_tests::proptest::prelude::*;
use api_tests::table::{number, text};
use api_tests::{Answer, Api, Persona, Value, json, path_of, property, rounds};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;

use crate::audit::{events, kinds};
use crate::organization::{put, structure};

const NOON: i64 = 1_795_348_800_000; // 2026-11-22T12:00:00Z

fn profile_path(customer: &Value) -> String {
    format!("{}/risk-profile", path_of(customer))
}

/// Returns the customer's risk profile. `query` is the query string with its question mark, or
/// empty.
async fn profile(api: &Api, who: &Persona, customer: &Value, query: &str) -> Value {
    api.get(who, &format!("{}{query}", profile_path(customer))).await.expect(200)
}

/// Creates a session of the customer, completes it with these validations, and sets its outcome.
/// Returns the session.
async fn decide(
    api: &Api,
    who: &Persona,
    customer: &Value,
    outcome: &str,
    validations: Value,
) -> Value {
    let link = json!({ "customer_id": customer["customer_id"] });
    let session = api.post(who, "/kyc/sessions", &link).await.expect(201);
    let path = crate::sessions::path_of(&session);
    let body = json!({ "status": "completed", "validations": validations });
    api.patch(who, &path, &body).await.expect(200);
    api.patch(who, &path, &json!({ "status": outcome })).await.expect(200)
}

/// Returns the total points of all factors.
fn points(profile: &Value) -> u64 {
    let factors = profile["factors"].as_array().unwrap().iter();
    factors.map(|factor| factor["points"].as_u64().unwrap()).sum()
}

fn codes(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["code"].as_str().unwrap()).collect()
}

/// Checks that the profile agrees with the risk of the customer and with the first entry of the
/// history, and that the points add up to the score. Returns the profile without the history.
async fn consistent_profile(api: &Api, who: &Persona, customer: &Value) -> Value {
    let mut current = profile(api, who, customer, "?history=50").await;
    let history = current["history"].take();
    current.as_object_mut().unwrap().remove("history");
    assert_eq!(current, history[0]);
    let summary = json!({
        "level": current["level"], "score": current["score"], "calculated_at": current["calculated_at"],
    });
    assert_eq!(api.get(who, &path_of(customer)).await.expect(200)["risk"], summary);
    match current["score"].as_u64() {
        Some(score) => assert_eq!(points(&current), score),
        None => assert_eq!(current["level"], "not_set"),
    }
    let profiles = history.as_array().unwrap();
    for pair in profiles.windows(2) {
        assert!(pair[0]["calculated_at"].as_str() > pair[1]["calculated_at"].as_str());
        assert_eq!(pair[0]["previous_level"], pair[1]["level"]);
    }
    for factor in current["factors"].as_array().unwrap() {
        assert!(factor["points"].as_u64() <= factor["weight"].as_u64(), "{factor}");
        assert!(!factor["reason"].as_str().unwrap().is_empty(), "{factor}");
        assert!(factor["points"] == 0 || factor["evidence"][0]["id"].is_string(), "{factor}");
    }
    for rule in current["hard_rules"].as_array().unwrap() {
        assert!(rule["evidence"][0]["id"].is_string(), "{rule}");
    }
    current
}

#[tokio::test]
async fn before_the_first_calculation_the_profile_is_empty() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "country": "KP" })).await;
    let empty = json!({
        "customer_id": customer["customer_id"], "score": null, "level": "not_set",
        "previous_level": null, "factors": [], "hard_rules": [], "model_version": null,
        "trigger": null, "calculated_at": null, "next_review_at": null, "history": [],
    });
    assert_eq!(profile(&api, &acme, &customer, "").await, empty);
    assert_eq!(profile(&api, &acme, &customer, "?history=10&recalculate=false").await, empty);
    let path = profile_path(&customer);
    for other in ["stranger", "other"] {
        api.get(&Persona::of(other), &path).await.refused(404, "CUSTOMER_NOT_FOUND");
        let recalculated = api.get(&Persona::of(other), &format!("{path}?recalculate=true")).await;
        recalculated.refused(404, "CUSTOMER_NOT_FOUND");
    }
    let bad = api.get(&acme, &format!("{path}?history=51&recalculate=yes&level=low")).await;
    assert_eq!(bad.faults(), ["?history", "?recalculate", "?level"]);
}

#[tokio::test]
async fn the_profile_follows_every_scored_change() {
    let (api, now) = Api::with_clock_at(NOON).await;
    let acme = Persona::of("acme");
    let customer = api.create(&acme, &json!({ "name": "Acme GmbH" })).await;
    let step = || now.fetch_add(1_000, Ordering::SeqCst);

    // A scored field changes. The factors name the data that is missing for a score.
    step();
    api.patch(&acme, &path_of(&customer), &json!({ "country": "DE" })).await.expect(200);
    let first = consistent_profile(&api, &acme, &customer).await;
    assert_eq!(
        (&first["level"], &first["trigger"]),
        (&json!("not_set"), &json!("customer_changed"))
    );
    let missing = first["factors"].as_array().unwrap().last().unwrap();
    assert_eq!(missing["code"], "insufficient_data");
    assert_eq!(missing["value"], json!(["decided_session", "organization"]));

    // The organization is stored.
    step();
    let owned = structure(&["p1", "p2"], &[("p1", "self", 60.0), ("p2", "self", 40.0)]);
    let organization = format!("{}/organization", path_of(&customer));
    put(&api, &acme, &organization, &owned).await.expect(201);
    let second = consistent_profile(&api, &acme, &customer).await;
    assert_eq!((&second["level"], &second["trigger"]), (&json!("not_set"), &json!("organization")));

    // A session is approved. Now the data is sufficient, and the risk is low.
    step();
    let passed = json!([{ "kind": "document", "result": "passed" }]);
    decide(&api, &acme, &customer, "approved", passed).await;
    let third = consistent_profile(&api, &acme, &customer).await;
    assert_eq!((&third["level"], &third["trigger"]), (&json!("low"), &json!("session")));
    assert_eq!(third["score"], 0);
    assert_eq!(third["calculated_at"], "2026-11-22T12:00:03.002Z");

    // A session is rejected because of a failed validation.
    step();
    let failed = json!([{ "kind": "liveness", "result": "failed" }]);
    let rejected = decide(&api, &acme, &customer, "rejected", failed).await;
    let fourth = consistent_profile(&api, &acme, &customer).await;
    assert_eq!((&fourth["level"], &fourth["previous_level"]), (&json!("high"), &json!("low")));
    let rule = &fourth["hard_rules"][0];
    assert_eq!(rule["code"], "latest_session_rejected");
    assert_eq!(rule["evidence"], json!([{ "type": "session", "id": rejected["session_id"] }]));
    assert!(fourth["score"].as_u64().unwrap() < 40);

    // An owner moves to a country for which the FATF calls for action.
    step();
    let mut risky = owned.clone();
    risky["parties"][0]["country"] = json!("KP");
    put(&api, &acme, &organization, &risky).await.expect(200);
    let fifth = consistent_profile(&api, &acme, &customer).await;
    assert!(codes(&fifth["hard_rules"]).contains(&"owner_country_fatf_call_for_action"));
    assert!(fifth["score"].as_u64() > fourth["score"].as_u64());

    // A caller requests a calculation at a later time. The same facts give the same profile, so the
    // profile is not stored again.
    step();
    let before = api.get(&acme, &path_of(&customer)).await.expect(200);
    let same = profile(&api, &acme, &customer, "?recalculate=true&history=1").await;
    assert_eq!(same["history"][0], fifth);
    assert_eq!(api.get(&acme, &path_of(&customer)).await.expect(200), before);

    // Changing a field that is not scored does not cause a calculation.
    let renamed = api.patch(&acme, &path_of(&customer), &json!({ "name": "B" })).await.expect(200);
    assert_eq!(renamed["risk"], before["risk"]);
    // The list of customers by risk level is up to date.
    let high = api.get(&acme, "/customers?risk_level=high").await.expect(200);
    assert_eq!(high["items"][0]["customer_id"], customer["customer_id"]);
    assert_eq!(api.get(&acme, "/customers?risk_level=low").await.expect(200)["count"], 0);
}

#[tokio::test]
async fn a_confirmed_match_makes_the_level_prohibited_whatever_the_score_is() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "Ann", "entity_type": "individual", "country": "DE" });
    let customer = api.create(&acme, &body).await;
    decide(&api, &acme, &customer, "approved", json!([])).await;
    assert_eq!(consistent_profile(&api, &acme, &customer).await["level"], "low");
    // Ann takes the name of a listed person, and a reviewer decides whether she is that person.
    api.refresh().await;
    let path = path_of(&customer);
    api.post(&acme, &format!("{path}/monitor"), &json!({})).await.expect(201);
    api.patch(&acme, &path, &json!({ "name": "Mirka Ilinovna Dovello" })).await.expect(200);
    let alerts = api.get(&acme, &format!("{path}/alerts")).await.expect(200);
    let id = alerts["items"][0]["alert_id"].as_str().unwrap();
    for (status, level, rule) in [
        ("open", "medium", Some("open_alert")),
        ("false_positive", "low", None),
        ("confirmed", "prohibited", Some("confirmed_alert")),
    ] {
        let decision = json!({ "status": status });
        api.patch(&acme, &format!("{path}/alerts/{id}"), &decision).await.expect(200);
        let current = consistent_profile(&api, &acme, &customer).await;
        assert_eq!(current["level"], level, "{status}");
        let rules = current["hard_rules"].as_array().unwrap();
        assert_eq!(rules.first().map(|rule| rule["code"].as_str().unwrap()), rule);
        if let Some(rule) = rules.first() {
            assert_eq!(rule["evidence"], json!([{ "type": "alert", "id": id }]));
        }
    }
    api.patch(&acme, &path, &json!({ "name": "Ann" })).await.expect(200);
    assert_eq!(consistent_profile(&api, &acme, &customer).await["level"], "low");
}

/// A profile takes at most 100 sessions into account. Sessions with neither an outcome nor a
/// validation must not displace other sessions.
#[tokio::test]
async fn many_undecided_sessions_do_not_hide_a_rejected_one() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "Ann", "entity_type": "individual", "country": "DE" });
    let customer = api.create(&acme, &body).await;
    decide(&api, &acme, &customer, "rejected", json!([])).await;
    let link = json!({ "customer_id": customer["customer_id"] });
    let oldest = api.post(&acme, "/kyc/sessions", &link).await.expect(201);
    for _ in 0..101 {
        api.post(&acme, "/kyc/sessions", &link).await.expect(201);
    }
    let before = profile(&api, &acme, &customer, "?recalculate=true").await;
    assert_eq!(codes(&before["hard_rules"]), ["latest_session_rejected"]);
    let path = crate::sessions::path_of(&oldest);
    let failed = json!({ "validations": [{ "kind": "document", "result": "failed" }] });
    api.patch(&acme, &path, &failed).await.expect(200);
    let after = consistent_profile(&api, &acme, &customer).await;
    assert!(after["score"].as_u64() > before["score"].as_u64());
}

#[tokio::test]
async fn a_profile_of_an_older_model_is_readable() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let id = customer["customer_id"].as_str().unwrap();
    let at = "2024-01-01T00:00:00.000Z";
    let factor = AttributeValue::M(
        [
            ("code", text("shoe_size")),
            ("category", text("astrology")),
            ("points", number(31)),
            ("colour", text("blue")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    );
    let item = [
        ("pk", text(format!("T#{}#C#{id}", api.tenant("acme")))),
        ("sk", text(format!("RISK#{at}"))),
        ("customer_id", text(id)),
        ("score", number(31)),
        ("level", text("medium")),
        ("factors", AttributeValue::L(vec![factor])),
        ("model_version", text("2023-05-1")),
        ("calculated_at", text(at)),
    ];
    api.put_item(&item.map(|(name, value)| (name.to_owned(), value)).into()).await;
    let mut expected = json!({
        "customer_id": id, "score": 31, "level": "medium", "previous_level": null, "hard_rules": [],
        "model_version": "2023-05-1", "trigger": null, "calculated_at": at, "next_review_at": null,
        "factors": [{
            "code": "shoe_size", "category": "astrology", "value": null, "weight": 0, "points": 31,
            "reason": "", "evidence": [],
        }],
    });
    let old = profile(&api, &acme, &customer, "?history=1").await;
    assert_eq!(old["history"], json!([expected]));
    expected["history"] = old["history"].clone();
    assert_eq!(old, expected);
    let new = profile(&api, &acme, &customer, "?recalculate=true&history=2").await;
    assert_eq!((&new["trigger"], &new["history"][1]), (&json!("requested"), &old["history"][0]));
    assert_ne!(new["model_version"], old["model_version"]);
}

/// Returns an organization whose individual owners have these countries and shares in percent.
fn owned_by(owners: &[(Option<&str>, u32)]) -> Value {
    let parties: Vec<Value> = owners
        .iter()
        .enumerate()
        .map(|(i, (country, _))| {
            json!({
                "party_id": format!("p{i}"), "kind": "individual", "name": "P", "country": country,
            })
        })
        .collect();
    let relationships: Vec<Value> = owners
        .iter()
        .enumerate()
        .map(|(i, (_, share))| {
            json!({ "owner": format!("p{i}"), "owned": "self", "percentage": share })
        })
        .collect();
    json!({ "parties": parties, "relationships": relationships })
}

/// Checks random customers with owners and sessions: 1,000 if `THOROUGH=1` is set, otherwise 200.
#[test]
fn the_points_of_random_customers_add_up_and_do_not_fall_after_a_failed_check() {
    let country =
        || prop::option::of(prop::sample::select(vec!["DE", "KP", "IR", "SY", "RU", "BG", "US"]));
    let industry = prop::option::of(prop::sample::select(vec![
        "Casino",
        "Bakery",
        "Crypto exchange",
        "64.19",
    ]));
    let incorporated_on =
        prop::option::of(prop::sample::select(vec!["2026-06-01", "2024-06-01", "1990-01-01"]));
    let kinds = vec!["watchlists", "adverse_media", "face_match", "document", "liveness", "crypto"];
    let validation = (
        prop::sample::select(kinds.clone()),
        prop::sample::select(vec!["passed", "failed", "review"]),
    );
    let outcome = prop::sample::select(vec!["completed", "approved", "rejected", "manual_review"]);
    let session = (outcome, prop::collection::vec(validation, 0..4));
    let sessions = prop::collection::vec(session, 0..3);
    let owners = prop::option::of(prop::collection::vec((country(), 1..45u32), 0..3));
    let customers = (
        (any::<bool>(), country(), industry, incorporated_on),
        owners,
        sessions,
        prop::sample::select(kinds),
    );
    property(
        rounds(1_000),
        &customers,
        async |api,
               tenant,
               (
            (is_company, country, industry, incorporated_on),
            owners,
            sessions,
            failing_kind,
        )| {
            let who = Persona::of(tenant);
            let mut body = json!({ "name": "A", "country": country, "industry": industry });
            if is_company {
                body["incorporated_on"] = json!(incorporated_on);
            } else {
                body["entity_type"] = json!("individual");
            }
            let customer = api.create(&who, &body).await;
            if let Some(owners) = owners.filter(|_| is_company) {
                let organization = format!("{}/organization", path_of(&customer));
                put(api, &who, &organization, &owned_by(&owners)).await.expect(201);
            }
            for (outcome, validations) in sessions {
                let validations: Vec<Value> = validations
                    .iter()
                    .map(|(kind, result)| json!({ "kind": kind, "result": result }))
                    .collect();
                let link = json!({ "customer_id": customer["customer_id"] });
                let session = api.post(&who, "/kyc/sessions", &link).await.expect(201);
                let path = crate::sessions::path_of(&session);
                let body = json!({ "status": "completed", "validations": validations });
                api.patch(&who, &path, &body).await.expect(200);
                if outcome != "completed" {
                    api.patch(&who, &path, &json!({ "status": outcome })).await.expect(200);
                }
            }
            profile(api, &who, &customer, "?recalculate=true").await;
            let first = consistent_profile(api, &who, &customer).await;
            let recalculated = profile(api, &who, &customer, "?recalculate=true").await;
            for field in ["score", "level", "factors", "hard_rules", "model_version"] {
                assert_eq!(recalculated[field], first[field], "{field}");
            }
            // An additional session with a failed check must not lower the score.
            let link = json!({ "customer_id": customer["customer_id"] });
            let session = api.post(&who, "/kyc/sessions", &link).await.expect(201);
            let failed = json!({ "validations": [{ "kind": failing_kind, "result": "failed" }] });
            api.patch(&who, &crate::sessions::path_of(&session), &failed).await.expect(200);
            let after = consistent_profile(api, &who, &customer).await;
            assert!(after["score"].as_u64() >= first["score"].as_u64(), "{first} {after}");
            assert!(points(&after) >= points(&first), "{first} {after}");
        },
    );
}

/// Every stored profile is a new version of the customer. If each of many parallel recalculations
/// stored one, conditional changes by other callers would fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_recalculations_of_the_same_facts_write_one_profile() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "country": "DE" })).await;
    let owned = structure(&["p1", "p2"], &[("p1", "self", 40.0), ("p2", "self", 35.0)]);
    let organization = format!("{}/organization", path_of(&customer));
    put(&api, &acme, &organization, &owned).await.expect(201);
    let etag = api.get(&acme, &path_of(&customer)).await.header("etag").unwrap().to_owned();
    let recalculate = format!("{}?recalculate=true&history=50", profile_path(&customer));

    let answers = join_all((0..48).map(|_| api.get(&acme, &recalculate))).await;

    for answer in answers {
        assert_eq!(answer.expect(200)["history"].as_array().unwrap().len(), 1);
    }
    // An analyst who read the customer before the recalculations can still change it.
    let analyst = api.call(&acme, "PATCH", &path_of(&customer)).header("if-match", &etag);
    let changed = analyst.json(&json!({ "name": "B" })).send().await.expect(200);
    assert_eq!(changed["version"], 3);
    let events = events(&api, &changed).await;
    assert_eq!(kinds(&events), ["customer.created", "organization.replaced", "customer.updated"]);

    // If there is no profile for the current facts yet, only one of the parallel requests stores
    // one.
    let without_profile = api.create(&acme, &json!({ "name": "C", "country": "DE" })).await;
    let recalculate = format!("{}?recalculate=true&history=50", profile_path(&without_profile));
    // HEAD stores none.
    assert_eq!(api.call(&acme, "HEAD", &recalculate).send().await.status, 200);
    assert_eq!(api.get(&acme, &path_of(&without_profile)).await.expect(200), without_profile);
    for answer in join_all((0..48).map(|_| api.get(&acme, &recalculate))).await {
        assert_eq!(answer.expect(200)["history"].as_array().unwrap().len(), 1);
    }
    let read = api.get(&acme, &path_of(&without_profile)).await.expect(200);
    assert_eq!(read["version"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_parallel_changes_summary_profile_and_history_agree() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "country": "DE" })).await;
    let organization = format!("{}/organization", path_of(&customer));
    let changes = (0..12).map(async |i| -> Answer {
        match i % 4 {
            0 => {
                let owned = structure(&["p1"], &[("p1", "self", f64::from(i + 1))]);
                put(&api, &acme, &organization, &owned).await
            }
            1 => {
                let country = ["KP", "FR", "SY"][(i / 4) as usize];
                api.patch(&acme, &path_of(&customer), &json!({ "country": country })).await
            }
            2 => api.get(&acme, &format!("{}?recalculate=true", profile_path(&customer))).await,
            _ => {
                decide(&api, &acme, &customer, "approved", json!([])).await;
                api.get(&acme, &path_of(&customer)).await
            }
        }
    });
    for answer in join_all(changes).await {
        assert!(answer.status == 200 || answer.status == 201, "{}", answer.text);
    }
    let current = consistent_profile(&api, &acme, &customer).await;
    // The last change took all other changes into account, so another calculation gives the same
    // result.
    let recalculated = profile(&api, &acme, &customer, "?recalculate=true").await;
    assert_eq!(
        (&recalculated["factors"], &recalculated["hard_rules"]),
        (&current["factors"], &current["hard_rules"])
    );
}
