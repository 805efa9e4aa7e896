//! Tests `GET /customers/{id}/organization`.

use api_tests::{Api, Persona, Value, json};

use super::{company, firm, holds, individual, put, structure};

/// Stores a structure for a new company, and returns the ownership statement that the API
/// calculates.
async fn statement(body: &Value, query: &str) -> Value {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    put(&api, &acme, &path, body).await.expect(201);
    api.get(&acme, &format!("{path}{query}")).await.expect(200)
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["party_id"].as_str().unwrap()).collect()
}

fn bases(statement: &Value) -> Vec<(&str, &str)> {
    let ubos = statement["ubos"].as_array().unwrap().iter();
    ubos.map(|ubo| (ubo["party_id"].as_str().unwrap(), ubo["basis"].as_str().unwrap())).collect()
}

fn codes(statement: &Value) -> Vec<&str> {
    let warnings = statement["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_close(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[tokio::test]
async fn effective_shares_are_exact_through_layers_and_circles() {
    // The customer and c1 hold half of each other. The effective shares in the customer are 2/3 for
    // p1 and 1/3 for p2.
    let body = structure(
        &["p1", "p2", "c1"],
        &[("self", "c1", 50.0), ("c1", "self", 50.0), ("p1", "self", 50.0), ("p2", "c1", 50.0)],
    );
    let circle = statement(&body, "").await;
    assert_eq!(bases(&circle), [("p1", "ownership"), ("p2", "ownership")]);
    let ubos = &circle["ubos"];
    assert_close(&ubos[0]["effective_percentage"], 200.0 / 3.0);
    assert_close(&ubos[1]["effective_percentage"], 100.0 / 3.0);
    assert_close(&ubos[0]["voting_percentage"], 200.0 / 3.0);
    assert_eq!(
        (&ubos[0]["direct_percentage"], &ubos[1]["direct_percentage"]),
        (&json!(50.0), &json!(0.0))
    );
    assert_eq!((&ubos[0]["layers"], &ubos[1]["layers"]), (&json!(1), &json!(2)));
    assert_eq!(ubos[1]["paths"], json!([{ "parties": ["p2", "c1", "self"], "percentage": 25.0 }]));
    assert_eq!(circle["undisclosed_percentage"], 0.0);
    assert_eq!(codes(&circle), ["circular_ownership"]);
    assert_eq!(circle["warnings"][0]["parties"], json!(["self", "c1"]));
    assert_eq!(ids(&circle["shareholders"]), ["p1", "c1"]);

    // A diamond: p1 holds shares through c1, through c2 and directly.
    let body = structure(
        &["c1", "c2", "p1"],
        &[
            ("c1", "self", 50.0),
            ("c2", "self", 30.0),
            ("p1", "c1", 60.0),
            ("p1", "c2", 70.0),
            ("p1", "self", 10.0),
        ],
    );
    let diamond = statement(&body, "").await;
    let owner = &diamond["ubos"][0];
    assert_close(&owner["effective_percentage"], 61.0);
    assert_close(&diamond["undisclosed_percentage"], 39.0);
    let paths = json!([
        { "parties": ["p1", "c1", "self"], "percentage": 30.0 },
        { "parties": ["p1", "c2", "self"], "percentage": 21.0 },
        { "parties": ["p1", "self"], "percentage": 10.0 },
    ]);
    assert_eq!((&owner["paths"], &owner["layers"]), (&paths, &json!(1)));
    assert_eq!(codes(&diamond), ["undisclosed_ownership"]);
}

#[tokio::test]
async fn beneficial_owners_hold_at_least_the_threshold() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    // The effective shares of p1 to p5 are 50, 25, 12.5, 7.5 and 5 %.
    let mut body = structure(
        &["c1", "p1", "p2", "p3", "p4", "p5"],
        &[
            ("c1", "self", 50.0),
            ("p1", "self", 50.0),
            ("p2", "c1", 50.0),
            ("p3", "c1", 25.0),
            ("p4", "c1", 15.0),
            ("p5", "c1", 10.0),
        ],
    );
    body["parties"][5]["roles"] = json!(["senior_manager", "director"]);
    put(&api, &acme, &path, &body).await.expect(201);

    for (query, expected) in [
        ("?threshold=10", &["p1", "p2", "p3"][..]),
        ("?threshold=25", &["p1", "p2"]),
        ("", &["p1", "p2"]),
        ("?threshold=50", &["p1"]),
        ("?threshold=0.0001", &["p1", "p2", "p3", "p4", "p5"]),
    ] {
        let read = api.get(&acme, &format!("{path}{query}")).await.expect(200);
        assert_eq!(ids(&read["ubos"]), expected, "{query}");
        assert!(read["ubos"].as_array().unwrap().iter().all(|ubo| ubo["basis"] == "ownership"));
    }

    // If no owner reaches the threshold, the senior manager is the beneficial owner.
    let fallback = api.get(&acme, &format!("{path}?threshold=50.1")).await.expect(200);
    assert_eq!(fallback["threshold"], 50.1);
    assert_eq!(bases(&fallback), [("p5", "senior_manager")]);
    assert_close(&fallback["ubos"][0]["effective_percentage"], 5.0);
    assert_eq!(ids(&fallback["directors"]), ["p5"]);

    // A party without shares does not reach even the smallest threshold.
    let mut with_idle_party = body.clone();
    with_idle_party["parties"].as_array_mut().unwrap().push(individual("p6"));
    put(&api, &acme, &path, &with_idle_party).await.expect(200);
    let all_owners = api.get(&acme, &format!("{path}?threshold=5e-324")).await.expect(200);
    assert_eq!(ids(&all_owners["ubos"]), ["p1", "p2", "p3", "p4", "p5"]);

    for threshold in ["0", "100.1", "-1", "a", "", "inf", "NaN", "%2B5", "25%25"] {
        let answer = api.get(&acme, &format!("{path}?threshold={threshold}")).await;
        assert_eq!(answer.faults(), ["?threshold"], "{threshold}");
    }
}

#[tokio::test]
async fn voting_rights_and_control_also_make_a_beneficial_owner() {
    let mut body = structure(
        &["p1", "p2", "p3", "p4", "c1", "c2"],
        &[("c1", "self", 30.0), ("c2", "self", 40.0)],
    );
    let more = [
        json!({ "owner": "p1", "owned": "self", "percentage": 10, "voting_percentage": 30 }),
        json!({ "owner": "p2", "owned": "self", "control": true }),
        // p3 has the majority of the votes in c2, but c2 does not control the customer, so neither
        // does p3.
        json!({ "owner": "p3", "owned": "c2", "percentage": 51 }),
        json!({ "owner": "p4", "owned": "c1", "control": true }),
    ];
    body["relationships"].as_array_mut().unwrap().extend(more);

    let result = statement(&body, "").await;
    let expected = [("p1", "voting"), ("p2", "control"), ("p4", "control")];
    let mut actual = bases(&result);
    actual.sort_unstable();
    assert_eq!(actual, expected);

    let path_of = |id: &str| {
        let ubos = result["ubos"].as_array().unwrap();
        ubos.iter().find(|ubo| ubo["party_id"] == id).unwrap()["paths"].clone()
    };
    assert_eq!(path_of("p1"), json!([{ "parties": ["p1", "self"], "percentage": 30.0 }]));
    assert_eq!(path_of("p2"), json!([{ "parties": ["p2", "self"], "percentage": null }]));
    assert_eq!(path_of("p4"), json!([{ "parties": ["p4", "c1", "self"], "percentage": null }]));

    // The effective share of p3 (51 % of 40 %) is below 25 %, but a warning says that p3 has the
    // majority in c2.
    let warnings = result["warnings"].as_array().unwrap();
    let majority = warnings.iter().find(|warning| warning["code"] == "majority_of_votes").unwrap();
    assert_eq!(majority["parties"], json!(["p3"]));

    let p2 =
        result["shareholders"].as_array().unwrap().iter().find(|s| s["party_id"] == "p2").unwrap();
    assert_eq!((&p2["control"], &p2["direct_percentage"]), (&json!(true), &json!(0.0)));

    // p1 has the majority in c1, which controls the customer by other means.
    let mut body = structure(&["p1", "p2", "c1"], &[("p1", "c1", 60.0), ("p2", "self", 20.0)]);
    let control = json!({ "owner": "c1", "owned": "self", "control": true });
    body["relationships"].as_array_mut().unwrap().push(control);
    let result = statement(&body, "").await;
    assert_eq!(bases(&result), [("p1", "control")]);
    let chain = json!([{ "parties": ["p1", "c1", "self"], "percentage": null }]);
    assert_eq!((&result["ubos"][0]["paths"], &result["ubos"][0]["layers"]), (&chain, &json!(2)));
}

#[tokio::test]
async fn unusual_structures_have_warnings() {
    let empty = statement(&json!({ "parties": [], "relationships": [] }), "").await;
    assert_eq!(empty["ubos"], json!([]));
    assert_eq!(empty["undisclosed_percentage"], 100.0);
    assert_eq!(
        codes(&empty),
        ["no_natural_person", "undisclosed_ownership", "no_beneficial_owner"]
    );

    // c1 and c2 own each other entirely, c3 has no country, and c4 is not connected to the others.
    let mut body = structure(
        &["c1", "c2", "c3", "c4"],
        &[("c1", "c2", 100.0), ("c2", "c1", 100.0), ("c1", "self", 60.0), ("c3", "self", 40.0)],
    );
    body["parties"][2]["country"] = Value::Null;
    let closed = statement(&body, "").await;
    let expected = [
        "circular_ownership",
        "closed_ring",
        "missing_country",
        "not_connected",
        "no_natural_person",
        "undisclosed_ownership",
        "no_beneficial_owner",
    ];
    assert_eq!(codes(&closed), expected);
    assert_close(&closed["undisclosed_percentage"], 40.0);
    for (i, parties) in
        [json!(["c1", "c2"]), json!(["c1", "c2"]), json!(["c3"]), json!(["c4"])].iter().enumerate()
    {
        assert_eq!(closed["warnings"][i]["parties"], *parties);
    }

    let mut manager = individual("p1");
    manager["roles"] = json!(["senior_manager"]);
    let body =
        json!({ "parties": [manager, firm("c1")], "relationships": [holds("c1", "self", 100.0)] });
    let managed = statement(&body, "").await;
    assert_eq!(bases(&managed), [("p1", "senior_manager")]);
    assert_eq!(codes(&managed), ["no_natural_person", "undisclosed_ownership"]);
}

#[tokio::test]
async fn the_accept_header_chooses_svg_mermaid_or_json() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "<script>alert(1)</script> & Söhne" })).await;
    let path = format!("{}/organization", api_tests::path_of(&customer));
    let mut body = structure(
        &["p1", "p2", "c1"],
        &[("p1", "c1", 62.5), ("c1", "self", 80.0), ("p2", "self", 20.0)],
    );
    body["parties"][0]["name"] = json!("\"><script>alert(2)</script>");
    body["parties"][1]["name"] = json!("]]> --> {{x}} %%{init}");
    put(&api, &acme, &path, &body).await.expect(201);

    let get_as = async |accept: &str| {
        let answer = api.call(&acme, "GET", &path).header("accept", accept).send().await;
        assert_eq!(
            (answer.status, answer.header("vary")),
            (200, Some("Accept")),
            "{}",
            answer.text
        );
        let etag = answer.header("etag").unwrap();
        assert!(etag == "\"1\"" || etag.starts_with("\"1-"), "{etag}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        (answer.header("content-type").unwrap().to_owned(), answer.text)
    };

    let (kind, svg) = get_as("image/svg+xml").await;
    assert_eq!(kind, "image/svg+xml");
    assert!(svg.starts_with("<svg") && !svg.contains("<script"), "{svg}");
    for text in
        ["&lt;script", "80 %", "62.5 %", "holds 50 % in total", "holds 20 % in total", "UBO"]
    {
        assert!(svg.contains(text), "{text}");
    }

    let (kind, mermaid) = get_as("text/vnd.mermaid, application/json;q=0.5").await;
    assert_eq!(kind, "text/vnd.mermaid");
    assert!(mermaid.starts_with("flowchart TB") && !mermaid.contains("<script"), "{mermaid}");
    assert!(mermaid.contains("80 #37;") && !mermaid.contains("%%"), "{mermaid}");

    let (kind, json) = get_as("text/html, */*;q=0.8").await;
    assert_eq!(kind, "application/json");
    assert!(json.starts_with("{\"status\":\"success\""));

    // The drawing marks the parties that are beneficial owners at the requested threshold.
    let svg_with_threshold = |threshold: u32| {
        let call = api.call(&acme, "GET", &format!("{path}?threshold={threshold}"));
        call.header("accept", "image/svg+xml").send()
    };
    let marks = |svg: &str| svg.matches(">UBO<").count();
    assert_eq!(marks(&svg_with_threshold(10).await.text), marks(&svg) + 1);

    // Errors are always JSON.
    assert_eq!(svg_with_threshold(0).await.faults(), ["?threshold"]);
}

#[tokio::test]
async fn the_organization_of_one_customer_is_not_visible_to_another() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    put(&api, &acme, &path, &structure(&["p1"], &[("p1", "self", 10.0)])).await.expect(201);

    let (_, other) = company(&api, &acme).await;
    api.get(&acme, &other).await.refused(404, "ORGANIZATION_NOT_FOUND");
    api.get(&Persona::of("other"), &path).await.refused(404, "CUSTOMER_NOT_FOUND");
}
