//! Cursors to any place of any list. The tag of a cursor is no signature, so anybody can make one:
//! the table is asked for rows of the caller's tenant alone, and what leads nowhere is a 400.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Parts, Place, function, request};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const ID: &str = "01920000-0000-7000-8000-000000000000";
/// Functions with a cursor, and what else they are asked.
const LISTS: [(&str, &str); 7] = [
    ("list-customers", ""),
    ("list-customers", "search=ab&order=asc&"),
    ("list-customers", "risk_level=high&"),
    ("list-customers", "created_after=2026-01-01T00:00:00Z&status=active&"),
    ("list-customer-sessions", ""),
    ("list-alerts", "status=open&"),
    ("export-customer", ""),
];
/// How many rows are read before a page ends where it is.
const MANY: usize = 1_000_000;

/// As it lies in the table.
fn customer() -> Value {
    let time = json!({ "S": "2026-01-01T00:00:00.000Z" });
    json!({
        "pk": { "S": format!("T#acme#C#{ID}") }, "sk": { "S": "CUSTOMER" },
        "type": { "S": "customer" }, "customer_id": { "S": ID }, "tenant_id": { "S": "acme" },
        "name": { "S": "A" }, "entity_type": { "S": "company" }, "status": { "S": "active" },
        "version": { "N": "1" }, "created_at": time, "updated_at": time,
    })
}

static PLACE: LazyLock<Place> = LazyLock::new(Place::open);

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    let (name, query) = LISTS[usize::from(*choice) % LISTS.len()];
    let place = String::from_utf8_lossy(rest);
    // Nothing of a customer is not even itself.
    let items = if name == "export-customer" { vec![customer()] } else { vec![] };
    // A list that ends nowhere, at a place of the fuzzer's: so its cursor has the right tag.
    PLACE.table.answer(json!({
        "Items": items, "Count": items.len(), "ScannedCount": MANY, "Item": customer(),
        "LastEvaluatedKey": {
            "pk": { "S": "T#acme" }, "sk": { "S": place }, "customer_id": { "S": place },
            "name_sk": { "S": place },
        },
    }));
    let function = function(name);
    let (status, body) =
        PLACE.answer(function, &request(function, &Parts { query, id: ID, ..Parts::default() }));
    assert_eq!(status, 200, "{body}");
    let cursor = body["data"]["cursor"].as_str().expect("a cursor");
    let nothing = json!({ "Items": [], "Count": 0, "ScannedCount": 0, "Item": customer() });
    PLACE.table.answer(nothing);
    PLACE.table.asked();
    let query = format!("{query}cursor={cursor}");
    let (status, _) = PLACE
        .answer(function, &request(function, &Parts { query: &query, id: ID, ..Parts::default() }));
    assert!(status == 200 || status == 400, "{status} of {name}");
    let asked = PLACE.table.asked();
    assert_eq!(status == 200, asked.is_object());
    for (attribute, value) in asked["ExclusiveStartKey"].as_object().into_iter().flatten() {
        // What the table calls a fault of its caller would be a 500.
        let length = value["S"].as_str().map_or(0, str::len);
        assert!((1..=1_024).contains(&length), "{name} asks for a key of {length} bytes");
        let own = |key: &str| key == "T#acme" || key.starts_with("T#acme#");
        let is_own = !attribute.ends_with("pk") || value["S"].as_str().is_some_and(own);
        assert!(is_own, "{name} reads on from {}", Value::from(asked["ExclusiveStartKey"].clone()));
    }
});
