//! Creates a customer with every kind of item and with personal data in every field.

use api_tests::{Answer, Value, json, path_of};

use crate::monitoring::Setup;
use crate::organization::structure;

/// Personal data that [`populated_customer`] stores: every value that it sends, each of which
/// occurs in only one field, and the folded form of the customer's name.
pub(super) const PERSONAL: [&str; 22] = [
    "Mirka Dovello",
    "crm-secret-1",
    "https://secret.example/",
    "TAX-SECRET-2",
    "secret3@example.com",
    "+4930555123",
    "Secret Industry",
    "1971-02-03",
    "secret-tag-5",
    "secret-value-6",
    "Nora Quist",
    "party-secret-7",
    "TAX-SECRET-8",
    "1972-03-04",
    "Secret note 9",
    "secret-value-10",
    "party-secret-11",
    "Second Secret 12",
    "Secret reason 13",
    "secret-key-14",
    "Renamed Secret 15",
    "mirka dovello",
];

/// Idempotency key of the requests. A key that a caller chooses may identify a person, so the table
/// must not contain it in plain text.
pub(super) const KEY: &str = "key-secret-16";

/// Creates a customer with every kind of item, and with personal data in every field that can
/// contain any.
pub(crate) async fn populated_customer() -> (Setup, Value) {
    let setup = Setup::start(&[("1", "Mirka Dovello"), ("2", "Nora Quist")]).await;
    let body = json!({
        "name": "Renamed Secret 15", "client_id": "crm-secret-1", "entity_type": "individual",
        "website": "https://secret.example/", "tax_id": "TAX-SECRET-2", "country": "DE",
        "email": "secret3@example.com", "phone": "+4930555123", "industry": "Secret Industry",
        "date_of_birth": "1971-02-03", "tags": ["secret-tag-5"],
        "metadata": { "secret-key-14": "secret-value-6" },
        "retain_until": "2020-01-01", "retain_reason": "Secret reason 13",
    });

    let customer = post_with_key(&setup, KEY, "/customers", &body).await.expect(201);
    let path = path_of(&customer);
    let patch = json!({ "name": "Mirka Dovello", "entity_type": "company", "date_of_birth": null });
    setup.api.patch(&setup.acme, &path, &patch).await.expect(200);

    let mut first = structure(&["party-secret-7"], &[("party-secret-7", "self", 60.0)]);
    first["parties"][0]["name"] = json!("Second Secret 12");
    let put = async |body: &Value, status| {
        let organization = format!("{path}/organization");
        setup.api.call(&setup.acme, "PUT", &organization).json(body).send().await.expect(status);
    };
    put(&first, 201).await;
    let mut second = structure(&["party-secret-11"], &[("party-secret-11", "self", 60.0)]);
    second["parties"][0]["name"] = json!("Nora Quist");
    second["parties"][0]["tax_id"] = json!("TAX-SECRET-8");
    second["parties"][0]["date_of_birth"] = json!("1972-03-04");
    put(&second, 200).await;

    let link =
        json!({ "customer_id": customer["customer_id"], "metadata": { "a": "secret-value-10" } });
    let session = post_with_key(&setup, KEY, "/kyc/sessions", &link).await.expect(201);
    setup.api.post(&setup.acme, "/kyc/sessions", &link).await.expect(201);
    for status in ["completed", "approved"] {
        let path = crate::sessions::path_of(&session);
        setup.api.patch(&setup.acme, &path, &json!({ "status": status })).await.expect(200);
    }

    post_with_key(&setup, KEY, &format!("{path}/monitor"), &json!({})).await.expect(201);
    let alerts = setup.api.get(&setup.acme, &format!("{path}/alerts")).await.expect(200);
    assert_eq!(alerts["count"], 2);
    let alert = alerts["items"][0]["alert_id"].as_str().unwrap();
    let decision = json!({ "status": "confirmed", "note": "Secret note 9" });
    setup.api.patch(&setup.acme, &format!("{path}/alerts/{alert}"), &decision).await.expect(200);

    (setup, customer)
}

pub(super) async fn post_with_key(setup: &Setup, key: &str, path: &str, body: &Value) -> Answer {
    setup.api.call(&setup.acme, "POST", path).header("idempotency-key", key).json(body).send().await
}
