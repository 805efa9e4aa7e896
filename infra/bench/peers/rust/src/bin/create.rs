//! POST /customers: validates the body and writes the customer and an event in one transaction. If
//! the body has a client id, the transaction also writes the item that claims the client id.

use std::time::SystemTime;

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use lambda_http::{Body, Error, Request, Response, run, service_fn};
use rust_peer::store::Store;
use rust_peer::{get_store, response, setup_tracing, tenant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Deserialize, Serialize)]
struct Profile {
    name: String,
    #[serde(default)]
    entity_type: EntityType,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    industry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incorporated_on: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum EntityType {
    #[default]
    Company,
    Individual,
}

impl Profile {
    fn parse(body: &[u8]) -> Result<Profile, String> {
        let mut profile: Profile =
            serde_json::from_slice(body).map_err(|error| error.to_string())?;
        profile.name = profile.name.trim().to_owned();
        if !(1..=200).contains(&profile.name.chars().count()) {
            return Err("name must have 1 to 200 characters".to_owned());
        }
        if let Some(country) = &mut profile.country {
            if country.len() != 2 || !country.chars().all(|c| c.is_ascii_alphabetic()) {
                return Err("country must have two letters".to_owned());
            }
            country.make_ascii_uppercase();
        }
        Ok(profile)
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    setup_tracing();
    let store = get_store().await?;
    run(service_fn(|event: Request| create(&store, event))).await
}

#[tracing::instrument(skip_all)]
async fn create(store: &Store, event: Request) -> Result<Response<Body>, Error> {
    let Some(tenant) = tenant(&event) else {
        return response(401, &json!({ "message": "the token has no tenant" }));
    };
    let profile = match Profile::parse(event.body()) {
        Ok(profile) => profile,
        Err(error) => {
            tracing::warn!("Failed to parse customer from request body: {error}");
            return response(400, &json!({ "message": error }));
        }
    };
    let id = Uuid::new_v4();
    let now = DateTime::from(SystemTime::now()).fmt(DateTimeFormat::DateTime)?;
    let pk = format!("T#{tenant}#C#{id}");
    let Value::Object(fields) = serde_json::to_value(&profile)? else {
        return Err("a profile must serialize as an object".into());
    };
    let mut customer = fields.clone();
    extend(
        &mut customer,
        json!({
            "customer_id": id,
            "tenant_id": tenant,
            "status": "active",
            "risk": { "level": "not_set" },
            "monitoring": { "status": "off", "lists": [], "open_alerts": 0 },
            "sessions":
                { "total": 0, "approved": 0, "rejected": 0, "manual_review": 0, "active": 0 },
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }),
    );
    let mut item = customer.clone();
    extend(
        &mut item,
        json!({
            "pk": pk,
            "sk": "CUSTOMER",
            "type": "customer",
            "tenant_pk": format!("T#{tenant}"),
            "risk_pk": format!("T#{tenant}#RISK#not_set"),
            "name_sk": format!("{}\u{1f}{id}", profile.name.to_lowercase()),
        }),
    );
    let changes: Map<String, Value> =
        fields.into_iter().map(|(name, to)| (name, json!({ "to": to }))).collect();
    let event_id = Uuid::new_v4();
    let event_item = json!({
        "pk": pk,
        "sk": format!("EVENT#{event_id}"),
        "type": "event",
        "event_id": event_id,
        "kind": "customer.created",
        "customer_id": id,
        "at": now,
        "changes": changes,
    });
    let mut items = vec![Value::Object(item), event_item];
    if let Some(client_id) = &profile.client_id {
        items.push(json!({
            "pk": format!("T#{tenant}#CLIENT#{client_id}"),
            "sk": "CLIENT",
            "type": "client",
            "customer_id": id,
        }));
    }
    if store.create(items).await? {
        response(201, &json!({ "data": customer }))
    } else {
        response(409, &json!({ "message": "client_id is already in use" }))
    }
}

fn extend(object: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        object.extend(more);
    }
}
