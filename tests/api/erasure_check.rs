//! Checks that the table checker reports data of an erased customer that the erasure missed.

use api_tests::json;
use api_tests::table::{Item, set, set_in, text, text_of};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::customers::populated_customer;
use crate::invariants::checked;
use crate::monitoring::path;

type Edit<'a> = &'a dyn Fn(&mut Item);

/// Adds a reason with personal data to the first factor of a risk profile.
fn add_reason(profile: &mut Item) {
    let Some(AttributeValue::L(factors)) = profile.get_mut("factors") else {
        panic!("the profile has no factors")
    };
    let AttributeValue::M(factor) = &mut factors[0] else { panic!("the factor is not a map") };
    factor.insert("reason".to_owned(), text("lives in Nowhere"));
}

#[tokio::test]
async fn data_that_an_erasure_missed_is_found() {
    let (w, customer) = populated_customer().await;
    let reason = json!({ "override_reason": "A test" });
    w.api.post(&w.acme, &path(&customer, "/erase"), &reason).await.expect(200);
    assert_eq!(checked(&w).await.violations, []);
    // The checker ignores recent changes of a customer, because they may still be in progress.
    w.advance_clock(30);
    let answer =
        format!(r#"{{"status":201,"content":{{"customer_id":{}}}}}"#, customer["customer_id"]);
    let add_answer = |item: &mut Item| set(item, "answer", text(&answer));
    let edits: [(&str, Edit<'_>); 9] = [
        ("customer", &|item| set(item, "tax_id", text("T"))),
        ("customer", &|item| drop(item.remove("is_scrubbed"))),
        ("session", &|item| set_in(item, "metadata", "k", text("v"))),
        ("risk profile", &add_reason),
        ("alert", &|item| set(item, "entity_name", text("Nora Quist"))),
        ("alert", &|item| set(item, "note", text("knows Nora"))),
        ("event", &|item| set_in(item, "changes", "email", text("a@b.example"))),
        ("event", &|item| set(item, "kept_answer", text("elsewhere"))),
        ("idempotency", &add_answer),
    ];
    let items = w.api.all_items().await;
    for (kind, edit) in edits {
        let item = items.iter().find(|item| text_of(item, "type") == kind).unwrap();
        let mut changed = item.clone();
        edit(&mut changed);
        w.api.put_item(&changed).await;
        let violations = checked(&w).await.violations;
        let is_found = violations.iter().any(|violation| violation.rule == "erasure");
        assert!(is_found, "{kind}: {violations:?}");
        w.api.put_item(item).await;
    }

    // The entry of an unfinished erasure must not stay after the end of the erasure.
    let tombstone = items.iter().find(|item| text_of(item, "type") == "customer").unwrap();
    let position = [text_of(tombstone, "erased_at"), "acme", text_of(tombstone, "customer_id")];
    let entry = [("pk", "ERASURES"), ("sk", &position.join("#")), ("type", "erasure")];
    let entry = entry.map(|(name, value)| (name.to_owned(), text(value)));
    w.api.put_item(&entry.into()).await;
    let violations = checked(&w).await.violations;
    assert!(violations.iter().any(|violation| violation.rule == "erasure"), "{violations:?}");
}
