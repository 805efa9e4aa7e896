//! Lists the items that an item refers to and that must exist.

use serde_json::Value;
use shared::model::id::{CustomerId, SessionId};

use crate::item::Item;
use crate::key::{ItemKey, Part};
use crate::report::Rule;

/// A reference to another item, which must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The rule that is broken if the item does not exist.
    pub(crate) rule: Rule,
    pub(crate) pk: String,
    pub(crate) sk: String,
    /// Whether the other item must refer back.
    pub(crate) is_mutual: bool,
    /// Whether the other item must be a customer that is not the tombstone of a complete erasure.
    pub(crate) is_unerased: bool,
}

impl Reference {
    fn one_way(rule: Rule, pk: String, sk: impl Into<String>) -> Reference {
        Reference { rule, pk, sk: sk.into(), is_mutual: false, is_unerased: false }
    }

    fn mutual(rule: Rule, pk: String, sk: impl Into<String>) -> Reference {
        Reference { is_mutual: true, ..Reference::one_way(rule, pk, sk) }
    }
}

/// Returns an id that the two items of a mutual reference have in common and no other item has.
/// Returns `None` for an item without mutual references.
pub(crate) fn pair_id(item: &Item) -> Option<String> {
    // A claim or pointer that names no customer gets an id that no other item has, and is reported.
    let customer_id = item.text("customer_id").unwrap_or_default();
    match item.key()? {
        ItemKey::OfCustomer(key, Part::Customer) => {
            let client_id = item.text("client_id")?;
            Some(format!("claim\n{}\n{client_id}\n{}", key.tenant, key.customer_id))
        }
        ItemKey::ClientClaim { tenant, client_id } => {
            Some(format!("claim\n{tenant}\n{client_id}\n{customer_id}"))
        }
        ItemKey::OfCustomer(key, Part::Session(session_id)) => {
            Some(format!("session\n{}\n{session_id}\n{}", key.tenant, key.customer_id))
        }
        ItemKey::SessionPointer { tenant, session_id } => {
            Some(format!("session\n{tenant}\n{session_id}\n{customer_id}"))
        }
        _ => None,
    }
}

/// Returns the references of an item to items that must exist.
pub(crate) fn references(item: &Item) -> Vec<Reference> {
    // A claim or pointer that names no customer refers to a key that does not exist, and is
    // reported.
    let customer_id = item.text("customer_id").unwrap_or_default();
    match item.key() {
        Some(ItemKey::OfCustomer(key, Part::Customer)) => {
            let claim = |client_id| {
                let pk = format!("T#{}#CLIENT#{client_id}", key.tenant);
                Reference::mutual(Rule::Claim, pk, "CLIENT")
            };
            // The pass `resume` finds an unfinished erasure only through its entry.
            let is_unfinished = item.get("is_scrubbed").as_bool() != Some(true);
            let unfinished = |erased_at| {
                let sk = format!("{erased_at}#{}#{}", key.tenant, key.customer_id);
                Reference::one_way(Rule::Erasure, "ERASURES".to_owned(), sk)
            };
            let erased_at = item.text("erased_at").filter(|_| is_unfinished);
            let claim = item.text("client_id").map(claim);
            claim.into_iter().chain(erased_at.map(unfinished)).collect()
        }
        Some(ItemKey::ClientClaim { tenant, .. }) => {
            let pk = format!("T#{tenant}#C#{customer_id}");
            vec![Reference::mutual(Rule::Claim, pk, "CUSTOMER")]
        }
        Some(ItemKey::OfCustomer(key, Part::Session(session_id))) => {
            let pk = format!("T#{}#S#{session_id}", key.tenant);
            vec![Reference::mutual(Rule::SessionPointer, pk, "SESSION")]
        }
        Some(ItemKey::SessionPointer { tenant, session_id }) => {
            let pk = format!("T#{tenant}#C#{customer_id}");
            vec![Reference::mutual(Rule::SessionPointer, pk, format!("SESSION#{session_id}"))]
        }
        Some(ItemKey::OfCustomer(key, Part::Monitor)) => {
            // A recheck completes a check that did not fit into one transaction, so the request
            // for the recheck must exist.
            let is_incomplete = item.text("status") == Some("active")
                && item.get("list_revision").as_u64() == Some(0);
            let shard = item.get("shard").as_u64().filter(|_| is_incomplete);
            let recheck = |shard| {
                let sk = format!("{}#{}", key.tenant, key.customer_id);
                Reference::one_way(Rule::Again, format!("AGAIN#{shard}"), sk)
            };
            shard.map(recheck).into_iter().collect()
        }
        Some(ItemKey::Recheck { customer }) => {
            // The customer exists even after an erasure. Its monitor may no longer exist.
            let (tenant, id) = customer.rsplit_once('#').unwrap_or_default();
            vec![Reference::one_way(Rule::Again, format!("T#{tenant}#C#{id}"), "CUSTOMER")]
        }
        Some(ItemKey::UnfinishedErasure { customer }) => {
            let (tenant, id) = customer.rsplit_once('#').unwrap_or_default();
            let customer =
                Reference::one_way(Rule::Erasure, format!("T#{tenant}#C#{id}"), "CUSTOMER");
            vec![Reference { is_unerased: true, ..customer }]
        }
        Some(ItemKey::PassProgress) => {
            let pass_id = item.get("finished").get("pass_id").and_then(Value::as_str);
            let pass = |pass_id| Reference::one_way(Rule::Pass, item.pk.clone(), pass_id);
            pass_id.map(pass).into_iter().collect()
        }
        Some(ItemKey::Idempotency { tenant, operation }) => {
            idempotency_references(item, tenant, operation)
        }
        _ => Vec::new(),
    }
}

fn idempotency_references(record: &Item, tenant: &str, operation: &str) -> Vec<Reference> {
    let Some((customer_id, sk)) = answered_item(record, operation) else { return Vec::new() };
    let pk = format!("T#{tenant}#C#{customer_id}");
    let mut references = vec![Reference::one_way(Rule::Answer, pk.clone(), sk)];
    // The answer to an erasure contains no personal data and may stay.
    if operation != "erase-customer" {
        let customer = Reference::one_way(Rule::Erasure, pk, "CUSTOMER");
        references.push(Reference { is_unerased: true, ..customer });
    }
    references
}

/// Returns the customer that a recorded answer names, and the sort key of the item that must exist
/// in its partition: the created session or the customer itself. Returns `None` if there is no
/// answer, or if the answer does not have a 2xx status or a valid id.
fn answered_item(record: &Item, operation: &str) -> Option<(CustomerId, String)> {
    let answer: Value = serde_json::from_str(record.text("answer")?).ok()?;
    let status = answer.get("status")?.as_u64()?;
    if !(200..300).contains(&status) {
        return None;
    }
    let content = answer.get("content")?;
    let named = || content.get("customer_id").and_then(Value::as_str);
    let customer_id = CustomerId::parse(record.text("customer_id").or_else(named)?)?;
    let sk = match operation {
        "create-session" => {
            let session_id = SessionId::parse(content.get("session_id")?.as_str()?)?;
            format!("SESSION#{session_id}")
        }
        _ => "CUSTOMER".to_owned(),
    };
    Some((customer_id, sk))
}
