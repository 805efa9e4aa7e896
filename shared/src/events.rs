//! Converts the audit events in the records of the table's stream to plain JSON for the event bus.
//! `docs/events.md` describes the schema.

use serde::Deserialize;
use serde_dynamo::Item;
use serde_json::{Map, Value, json};

use crate::store::{ANSWER_RECORD, ItemKind};

/// Returns the audit event whose insertion a stream record reports. Returns `None` for any other
/// row, for the change or removal of a row, and for a malformed record.
pub fn of_record(record: &Value) -> Option<Value> {
    let is_new = record.get("eventName").and_then(Value::as_str) == Some("INSERT");
    let image = record.get("dynamodb")?.get("NewImage").filter(|_| is_new)?;
    let image = Item::deserialize(image).ok()?;
    let mut event: Map<String, Value> = serde_dynamo::from_item(image).ok()?;
    if event.remove("type")?.as_str() != Some(ItemKind::Event.as_ref()) {
        return None;
    }
    let tenant = event.remove("pk")?.as_str().and_then(tenant_of)?.to_owned();
    event.remove("sk");
    event.remove(ANSWER_RECORD);
    event.insert("tenant_id".to_owned(), tenant.into());
    Some(Value::Object(event))
}

/// Returns the event of a record in the form that the pipe needs, or `None` if [`of_record`]
/// returns `None`. The event's kind is also at `dynamodb.NewImage.kind.S`, as in a record, so the
/// pipe can read the kind with the same path from a record and from this value.
pub fn enrichment_of(record: &Value) -> Option<Value> {
    let event = of_record(record)?;
    let kind = event.get("kind")?;
    Some(json!({ "dynamodb": { "NewImage": { "kind": { "S": kind } } }, "event": event }))
}

fn tenant_of(partition: &str) -> Option<&str> {
    let (tenant, _) = partition.strip_prefix("T#")?.split_once('#')?;
    Some(tenant)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(name: &str, kind: &str) -> Value {
        json!({
            "eventName": name,
            "dynamodb": { "NewImage": {
                "pk": { "S": "T#acme:eu#C#1" }, "sk": { "S": "EVENT#2" }, "type": { "S": kind },
                "kind": { "S": "customer.updated" },
                "kept_answer": { "S": "create-customer#1" },
                "changes": { "M": { "tags": { "M": {
                    "from": { "NULL": true }, "to": { "L": [{ "S": "vip" }, { "N": "1.5" }] },
                } } } },
            } },
        })
    }

    #[test]
    fn an_event_becomes_plain_json_with_its_tenant() {
        let event = of_record(&record("INSERT", "event")).unwrap();
        assert_eq!(
            event,
            json!({
                "tenant_id": "acme:eu", "kind": "customer.updated",
                "changes": { "tags": { "from": null, "to": ["vip", 1.5] } },
            })
        );
    }

    #[test]
    fn the_kind_is_at_the_same_place_in_the_record_and_in_the_enrichment() {
        let record = record("INSERT", "event");
        let enrichment = enrichment_of(&record).unwrap();
        let kind = "/dynamodb/NewImage/kind/S";
        assert_eq!(enrichment.pointer(kind), record.pointer(kind));
        assert_eq!(enrichment["event"], of_record(&record).unwrap());
    }

    #[test]
    fn other_rows_and_other_changes_are_ignored() {
        for other in [record("MODIFY", "event"), record("INSERT", "customer"), json!({}), json!(1)]
        {
            assert_eq!(of_record(&other), None);
            assert_eq!(enrichment_of(&other), None);
        }
    }
}
