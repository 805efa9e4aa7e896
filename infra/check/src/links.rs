//! Items of different partitions that need each other.

use serde_json::Value;
use shared::model::id::{CustomerId, SessionId};

use crate::item::{Item, Part, Place};

/// Another item that must be there because this one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) rule: &'static str,
    pub(super) pk: String,
    pub(super) sk: String,
    /// The other one needs this one, too.
    pub(super) is_mutual: bool,
    /// The other one is a customer that was not erased.
    pub(super) is_unerased: bool,
}

/// The same text for two items that are only there together, and point at one another.
pub(super) fn half(item: &Item) -> Option<String> {
    let customer = item.text("customer_id").unwrap_or_default();
    match item.place()? {
        Place::Of(whose, Part::Customer) => {
            let client_id = item.text("client_id")?;
            Some(format!("claim\n{}\n{client_id}\n{}", whose.tenant, whose.customer_id))
        }
        Place::Claim { tenant, client_id } => {
            Some(format!("claim\n{tenant}\n{client_id}\n{customer}"))
        }
        Place::Of(whose, Part::Session(id)) => {
            Some(format!("session\n{}\n{id}\n{}", whose.tenant, whose.customer_id))
        }
        Place::Pointer { tenant, session_id } => {
            Some(format!("session\n{tenant}\n{session_id}\n{customer}"))
        }
        _ => None,
    }
}

pub(super) fn needs(item: &Item) -> Vec<Need> {
    let Some(place) = item.place() else { return Vec::new() };
    let mutual = |rule, pk: String, sk: &str| {
        let sk = sk.to_owned();
        vec![Need { rule, pk, sk, is_mutual: true, is_unerased: false }]
    };
    let one_sided = |rule, pk: String, sk: String| {
        vec![Need { rule, pk, sk, is_mutual: false, is_unerased: false }]
    };
    let customer = item.text("customer_id").unwrap_or_default();
    match place {
        Place::Of(whose, Part::Customer) => match item.text("client_id") {
            Some(id) => mutual("claim", format!("T#{}#CLIENT#{id}", whose.tenant), "CLIENT"),
            None => Vec::new(),
        },
        Place::Claim { tenant, .. } => {
            mutual("claim", format!("T#{tenant}#C#{customer}"), "CUSTOMER")
        }
        Place::Of(whose, Part::Session(id)) => {
            mutual("session pointer", format!("T#{}#S#{id}", whose.tenant), "SESSION")
        }
        Place::Pointer { tenant, session_id } => {
            let sk = format!("SESSION#{session_id}");
            mutual("session pointer", format!("T#{tenant}#C#{customer}"), &sk)
        }
        // What found no place in one transaction is done by whoever finds this.
        Place::Of(whose, Part::Monitor) => {
            let is_incomplete = item.text("status") == Some("active")
                && item.get("list_revision").as_u64() == Some(0);
            match item.get("shard").as_u64().filter(|_| is_incomplete) {
                Some(shard) => {
                    let sk = format!("{}#{}", whose.tenant, whose.customer_id);
                    one_sided("again", format!("AGAIN#{shard}"), sk)
                }
                None => Vec::new(),
            }
        }
        Place::Again { customer } => {
            let (tenant, id) = customer.rsplit_once('#').unwrap_or_default();
            // Its monitor may have been erased since.
            one_sided("again", format!("T#{tenant}#C#{id}"), "CUSTOMER".to_owned())
        }
        Place::Progress => match item.get("finished").get("pass_id").and_then(Value::as_str) {
            Some(pass_id) => one_sided("pass", item.pk.clone(), pass_id.to_owned()),
            None => Vec::new(),
        },
        Place::Idempotency { tenant, operation } => match promised(item, operation) {
            Some((customer, sk)) => {
                let pk = format!("T#{tenant}#C#{customer}");
                let mut needs = one_sided("answer", pk.clone(), sk);
                // What an erasure itself is answered with tells of nobody.
                if operation != "erase-customer" {
                    let unerased = one_sided("erasure", pk, "CUSTOMER".to_owned());
                    needs.extend(
                        unerased.into_iter().map(|need| Need { is_unerased: true, ..need }),
                    );
                }
                needs
            }
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a kept answer says was made.
fn promised(record: &Item, operation: &str) -> Option<(CustomerId, String)> {
    let answer: Value = serde_json::from_str(record.text("answer")?).ok()?;
    let status = answer.get("status")?.as_u64()?;
    if !(200..300).contains(&status) {
        return None;
    }
    let text = |field: &str| answer.get("content")?.get(field)?.as_str();
    let customer = CustomerId::parse(text("customer_id")?)?;
    let sk = match operation {
        "create-session" => format!("SESSION#{}", SessionId::parse(text("session_id")?)?),
        _ => "CUSTOMER".to_owned(),
    };
    Some((customer, sk))
}
