//! Sends cursors that have a valid tag and an arbitrary position, to every list.
//!
//! The tag of a cursor is not a signature, so anyone can forge a cursor. The API must query only
//! rows of the caller's tenant, and it must answer an invalid position with a 400.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Api, Parts, function, request};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use shared::model::time::Clock;

const ID: &str = "01920000-0000-7000-8000-000000000000";
/// Functions that take a cursor, each with further query parameters.
const LISTS: [(&str, &str); 7] = [
    ("list-customers", ""),
    ("list-customers", "search=ab&order=asc&"),
    ("list-customers", "risk_level=high&"),
    ("list-customers", "created_after=2026-01-01T00:00:00Z&status=active&"),
    ("list-customer-sessions", ""),
    ("list-alerts", "status=open&"),
    ("export-customer", ""),
];
/// Number of scanned rows that the table reports. It is so large that the API ends the page early.
const MANY: usize = 1_000_000;

/// Returns a customer as an item of the table.
fn customer() -> Value {
    let time = json!({ "S": "2026-01-01T00:00:00.000Z" });
    json!({
        "pk": { "S": format!("T#acme#C#{ID}") }, "sk": { "S": "CUSTOMER" },
        "type": { "S": "customer" }, "customer_id": { "S": ID }, "tenant_id": { "S": "acme" },
        "name": { "S": "A" }, "entity_type": { "S": "company" }, "status": { "S": "active" },
        "version": { "N": "1" }, "created_at": time, "updated_at": time,
    })
}

/// Returns the event of an export that began now, as an item of the table.
fn export_event() -> Value {
    let at = Clock::system().now().to_string();
    json!({
        "kind": { "S": "customer.exported" }, "actor": { "S": "fuzz" }, "at": { "S": at },
    })
}

static API: LazyLock<Api> = LazyLock::new(Api::start);

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    let (name, query) = LISTS[usize::from(*choice) % LISTS.len()];
    let position = String::from_utf8_lossy(rest);
    // Without a customer, an export would be answered with a 404.
    let items = if name == "export-customer" { vec![customer()] } else { vec![] };
    // The page ends at a position that the fuzzer chose, so the API itself creates the cursor for
    // this position.
    API.table.set_answer(&json!({
        "Items": items, "Count": items.len(), "ScannedCount": MANY, "Item": customer(),
        "LastEvaluatedKey": {
            "pk": { "S": "T#acme" }, "sk": { "S": position }, "customer_id": { "S": position },
            "name_sk": { "S": position },
        },
    }));
    let function = function(name);
    let (status, body) =
        API.answer(function, &request(function, &Parts { query, id: ID, ..Parts::default() }));
    assert_eq!(status, 200, "{body}");
    let cursor = body["data"]["cursor"].as_str().expect("the page has a cursor");
    // The second page of an export reads the event of the export.
    let item = if name == "export-customer" { export_event() } else { customer() };
    let empty = json!({ "Items": [], "Count": 0, "ScannedCount": 0, "Item": item });
    API.table.set_answer(&empty);
    API.table.take_last_query();
    let query = format!("{query}cursor={cursor}");
    let (status, _) = API
        .answer(function, &request(function, &Parts { query: &query, id: ID, ..Parts::default() }));
    assert!(status == 200 || status == 400, "{name} answered with status {status}");
    let last_query = API.table.take_last_query();
    assert_eq!(status == 200, last_query.is_object());
    let start = &last_query["ExclusiveStartKey"];
    for (attribute, value) in start.as_object().into_iter().flatten() {
        // DynamoDB refuses keys of other lengths, and then the API would answer with a 500.
        let length = value["S"].as_str().map_or(0, str::len);
        assert!((1..=1_024).contains(&length), "{name} queries a key of {length} bytes");
        let own = |key: &str| key == "T#acme" || key.starts_with("T#acme#");
        let is_own = !attribute.ends_with("pk") || value["S"].as_str().is_some_and(own);
        assert!(is_own, "{name} continues at {start}");
    }
});
