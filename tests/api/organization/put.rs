//! Tests `PUT /customers/{id}/organization`.

use api_tests::{Api, Persona, Value, json, path_of};
use futures_util::future::join_all;

use super::{company, firm, holds, individual, put, structure};

#[tokio::test]
async fn the_structure_is_stored_with_all_its_fields() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (customer, path) = company(&api, &acme).await;
    api.get(&acme, &path).await.refused(404, "ORGANIZATION_NOT_FOUND");

    let body = json!({
        "parties": [
            {
                "party_id": "p:1", "kind": "individual", "name": " Zoë Ångström ", "country": "se",
                "date_of_birth": "1970-12-31", "tax_id": "701231-1234", "source": "registry",
                "roles": ["director", "signatory"], "customer_id": customer["customer_id"],
            },
            { "party_id": "c/1", "kind": "company", "name": "Holding", "incorporated_on": "2001-01-01" },
        ],
        "relationships": [
            { "owner": "p:1", "owned": "c/1", "percentage": 33.3333, "since": "2015-06-01" },
            { "owner": "c/1", "owned": "self", "percentage": 100, "voting_percentage": 0.0001 },
            { "owner": "self", "owned": "c/1", "control": true },
        ],
    });

    let answer = put(&api, &acme, &path, &body).await;
    assert_eq!((answer.header("etag"), answer.header("location")), (Some("\"1\""), Some(&*path)));
    let created = answer.expect(201);

    let expected = json!({
        "parties": [
            {
                "party_id": "p:1", "kind": "individual", "name": "Zoë Ångström", "country": "SE",
                "date_of_birth": "1970-12-31", "incorporated_on": null, "tax_id": "701231-1234",
                "roles": ["director", "signatory"], "customer_id": customer["customer_id"],
                "source": "registry",
            },
            {
                "party_id": "c/1", "kind": "company", "name": "Holding", "country": null,
                "date_of_birth": null, "incorporated_on": "2001-01-01", "tax_id": null, "roles": [],
                "customer_id": null, "source": null,
            },
        ],
        "relationships": [
            {
                "owner": "p:1", "owned": "c/1", "percentage": 33.3333, "voting_percentage": null,
                "control": false, "since": "2015-06-01",
            },
            {
                "owner": "c/1", "owned": "self", "percentage": 100.0, "voting_percentage": 0.0001,
                "control": false, "since": null,
            },
            {
                "owner": "self", "owned": "c/1", "percentage": null, "voting_percentage": null,
                "control": true, "since": null,
            },
        ],
    });
    assert_eq!(created["structure"], expected);
    assert_eq!((&created["version"], &created["threshold"]), (&json!(1), &json!(25.0)));

    let read = api.get(&acme, &path).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    assert_eq!(read.expect(200), created);
}

#[tokio::test]
async fn every_fault_is_reported_at_once() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    let body = json!({
        "parties": [
            { "party_id": "p1", "kind": "individual", "name": "A", "incorporated_on": "2001-01-01" },
            { "party_id": "p1", "kind": "company", "name": "B", "date_of_birth": "1970-01-01" },
            { "party_id": "self", "kind": "company", "name": "C" },
            { "party_id": "c 1", "kind": "trust", "name": "", "country": "XX", "roles": ["boss"], "x": 1 },
            { "party_id": "c1", "kind": "company", "name": "\u{0}", "roles": ["director", "director"] },
            { "party_id": "p2", "kind": "individual", "name": "D", "date_of_birth": "2999-01-01" },
            7,
        ],
        "relationships": [
            { "owner": "p1", "owned": "unknown", "percentage": 10 },
            { "owner": "p1", "owned": "p2", "percentage": 10 },
            { "owner": "p1", "owned": "self", "percentage": 60 },
            { "owner": "c1", "owned": "self", "percentage": 50, "voting_percentage": 41 },
            { "owner": "p1", "owned": "self", "control": true },
            { "owner": "p2", "owned": "c1" },
            { "owner": "p2", "owned": "c1", "percentage": 100.0001, "control": "yes", "since": "2999-01-01" },
            { "owned": "c1", "percentage": 33.33333, "votes": 1 },
        ],
        "people": [],
    });

    let mut faults = put(&api, &acme, &path, &body).await.faults();
    faults.sort();
    let mut expected = [
        "/parties/0/incorporated_on",
        "/parties/1/party_id",
        "/parties/1/date_of_birth",
        "/parties/2/party_id",
        "/parties/3/party_id",
        "/parties/3/kind",
        "/parties/3/name",
        "/parties/3/country",
        "/parties/3/roles/0",
        "/parties/3/x",
        "/parties/4/name",
        "/parties/4/roles",
        "/parties/5/date_of_birth",
        "/parties/6",
        "/relationships/0/owned",
        "/relationships/1/owned",
        "/relationships/3/percentage",
        "/relationships/3/voting_percentage",
        "/relationships/4/owner",
        "/relationships/5/percentage",
        "/relationships/6/owner",
        "/relationships/6/percentage",
        "/relationships/6/control",
        "/relationships/6/since",
        "/relationships/7/owner",
        "/relationships/7/percentage",
        "/relationships/7/votes",
        "/people",
    ];
    expected.sort_unstable();
    assert_eq!(faults, expected);

    assert_eq!(put(&api, &acme, &path, &json!({})).await.faults(), ["/parties", "/relationships"]);
    api.get(&acme, &path).await.refused(404, "ORGANIZATION_NOT_FOUND");
}

#[tokio::test]
async fn shares_slightly_above_100_percent_are_scaled_and_larger_ones_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    let thirds = |last: f64| {
        let holdings = [("p1", "self", 33.3334), ("p2", "self", 33.3333), ("p3", "self", last)];
        structure(&["p1", "p2", "p3"], &holdings)
    };

    let created = put(&api, &acme, &path, &thirds(33.3433)).await.expect(201);
    assert_eq!(created["warnings"][0]["code"], "over_100_percent");
    assert_eq!(created["undisclosed_percentage"], 0.0);
    let shares = created["ubos"].as_array().unwrap().iter();
    let sum: f64 = shares.map(|ubo| ubo["effective_percentage"].as_f64().unwrap()).sum();
    assert!((sum - 100.0).abs() < 1e-9, "{sum}");

    let over = put(&api, &acme, &path, &thirds(33.3434)).await;
    assert_eq!(
        over.faults(),
        ["/relationships/2/percentage", "/relationships/2/voting_percentage"]
    );

    let exact = put(&api, &acme, &path, &thirds(33.3333)).await.expect(200);
    assert_eq!(exact["warnings"], json!([]));
}

#[tokio::test]
async fn an_individual_cannot_be_owned() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let person = api.create(&acme, &json!({ "name": "Ann", "entity_type": "individual" })).await;
    let path = format!("{}/organization", path_of(&person));

    let owned = structure(&["c1"], &[("c1", "self", 10.0), ("self", "c1", 10.0)]);
    assert_eq!(put(&api, &acme, &path, &owned).await.faults(), ["/relationships/0/owned"]);

    let mut helper = individual("p1");
    helper["roles"] = json!(["representative"]);
    let body =
        json!({ "parties": [helper, firm("c1")], "relationships": [holds("self", "c1", 100.0)] });

    let created = put(&api, &acme, &path, &body).await.expect(201);

    assert_eq!((&created["ubos"], &created["undisclosed_percentage"]), (&json!([]), &json!(0.0)));
    assert_eq!(
        (&created["representatives"][0]["party_id"], &created["warnings"]),
        (&json!("p1"), &json!([]))
    );
}

/// Uses a structure that is at every limit of the contract at the same time, with names that
/// compress badly.
#[tokio::test]
async fn the_largest_permitted_structure_can_be_stored() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    let mut dice = api_tests::Dice::new(7);
    let mut name = |characters: usize| -> String {
        (0..characters)
            .map(|_| char::from_u32(0x1f300 + dice.roll(0x2ff) as u32).unwrap())
            .collect()
    };
    let parties: Vec<Value> = (0..500)
        .map(|i| json!({ "party_id": format!("c{i}"), "kind": "company", "name": name(197) }))
        .collect();
    let relationships: Vec<Value> = (0..2_000)
        .map(|i| {
            let (owner, owned) = (i % 500, (i * 7 + i / 500) % 500);
            json!({ "owner": format!("c{owner}"), "owned": format!("c{owned}"), "percentage": 12.5 })
        })
        .collect();

    let body = json!({ "parties": parties, "relationships": relationships });
    let size = body.to_string().len();
    assert!((480 * 1024..512 * 1024).contains(&size), "{size}");

    let created = put(&api, &acme, &path, &body).await.expect(201);
    assert_eq!(created["structure"]["parties"].as_array().unwrap().len(), 500);
    assert_eq!(api.get(&acme, &path).await.expect(200), created);

    let mut too_many = body.clone();
    too_many["parties"].as_array_mut().unwrap().push(firm("d"));
    too_many["relationships"].as_array_mut().unwrap().push(holds("d", "c0", 1.0));
    too_many["parties"][0]["name"] = json!("shorter");
    for i in 1..20 {
        too_many["parties"][i]["name"] = json!("shorter");
    }

    let faults = put(&api, &acme, &path, &too_many).await.faults();
    assert_eq!(faults[..2], ["/parties", "/relationships"]);

    let padded = format!("{body}{}", " ".repeat(512 * 1024 + 1 - size));
    let call = api.call(&acme, "PUT", &path).header("content-type", "application/json");
    call.text(padded).send().await.refused(413, "BODY_TOO_LARGE");
}

#[tokio::test]
async fn a_put_with_an_old_etag_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = company(&api, &acme).await;
    let body = |percentage: f64| structure(&["p1"], &[("p1", "self", percentage)]);
    let put_if = |tag: &str, percentage: f64| {
        let call = api.call(&acme, "PUT", &path).header("if-match", tag);
        call.json(&body(percentage)).send()
    };

    for tag in ["*", "\"1\""] {
        put_if(tag, 10.0).await.refused(412, "VERSION_MISMATCH");
    }

    put(&api, &acme, &path, &body(10.0)).await.expect(201);
    assert_eq!(put_if("\"1\"", 20.0).await.expect(200)["version"], 2);
    let error = put_if("\"1\"", 30.0).await.refused(412, "VERSION_MISMATCH");
    assert_eq!(error["details"][0]["version"], 2);
    assert_eq!(put_if("*", 30.0).await.expect(200)["version"], 3);

    // Storing the same structure again does not change the version.
    assert_eq!(put(&api, &acme, &path, &body(30.0)).await.expect(200)["version"], 3);
}

#[tokio::test]
async fn a_change_updates_the_customer_and_keeps_old_versions() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (customer, path) = company(&api, &acme).await;
    let body = |percentage: f64| structure(&["p1"], &[("p1", "self", percentage)]);

    for (i, percentage) in [10.0, 20.0, 30.0].into_iter().enumerate() {
        put(&api, &acme, &path, &body(percentage)).await.expect(if i == 0 { 201 } else { 200 });
    }
    put(&api, &acme, &path, &body(30.0)).await.expect(200);

    let after = api.get(&acme, &path_of(&customer)).await.expect(200);
    let events = crate::audit::events(&api, &customer).await;
    let replacements = &events[1..];
    assert_eq!(replacements.len(), 3);
    assert_eq!((&after["version"], &after["updated_at"]), (&json!(4), &replacements[2]["at"]));

    for (i, event) in replacements.iter().enumerate() {
        assert_eq!(event["kind"], "organization.replaced");
        let from = if i == 0 { Value::Null } else { json!(i) };
        let change = &event["changes"]["organization"];
        assert_eq!(change["version"], json!({ "from": from, "to": i + 1 }));
    }

    let items = crate::audit::items(&api, &customer, "ORGANIZATION").await;
    let versions: Vec<&Value> = items.iter().map(|item| &item["version"]).collect();
    assert_eq!(versions, [3, 1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_changes_get_consecutive_versions() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (customer, path) = company(&api, &acme).await;
    let changes = (1..=8).map(async |i| {
        let body = structure(&["p1"], &[("p1", "self", f64::from(i))]);
        let answer = put(&api, &acme, &path, &body).await;
        assert!(answer.status == 200 || answer.status == 201, "{}", answer.text);
        answer.body["data"]["version"].as_u64().unwrap()
    });

    let mut versions = join_all(changes).await;
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    assert_eq!(api.get(&acme, &path_of(&customer)).await.expect(200)["version"], 9);
}
