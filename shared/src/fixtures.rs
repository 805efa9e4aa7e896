//! Values for the unit tests of the `plan_*` functions. These tests need no table.

use std::sync::Arc;

use screening::entity::{Entity, EntityKind, ListedName, NameKind};
use screening::index::{Index, Source, build};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::model::alert::{AlertStatus, StoredAlert};
use crate::model::customer::{MonitoringStatus, StoredCustomer};
use crate::model::id::{CustomerId, SessionId};
use crate::model::monitor::{Monitor, Settings};
use crate::model::organization::{Organization, Structure};
use crate::model::profile::EntityType;
use crate::model::screened::Screened;
use crate::model::session::{NewSession, Session, SessionStatus};
use crate::model::time::{Clock, Timestamp};
use crate::model::value::ClientId;
use crate::model::watchlist::{ListVersion, Revision};
use crate::monitoring::Screenings;
use crate::monitoring::check::screen_all;
use crate::monitoring::subject::subjects;
use crate::monitoring::watchlists::Loaded;
use crate::risk_profiles::Sources;

/// Name of the only list in these values.
pub(crate) const LIST: &str = "sanctions";
/// A name on that list.
pub(crate) const LISTED: &str = "Mirka Dovello";

/// Returns the time `number` hours after 2026-01-01T00:00:00Z.
pub(crate) fn hour(number: i64) -> Timestamp {
    let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    Timestamp::from_millis(start.millis() + number * 3_600_000)
}

fn id_at(time: Timestamp) -> Uuid {
    Uuid::from_u128((u128::from(time.millis().unsigned_abs()) << 80) | (7 << 76) | (8 << 60))
}

/// Creates an active individual with this name at hour 0.
pub(crate) fn customer(name: &str) -> StoredCustomer {
    let profile = json!({
        "name": name, "client_id": "crm-1", "entity_type": "individual", "country": "DE",
        "date_of_birth": "1980-05-17",
    });
    let id = CustomerId::new(id_at(hour(0)));
    StoredCustomer::new(id, "acme".parse().unwrap(), serde_json::from_value(profile).unwrap())
}

/// Returns the customer at its next version, with one field of the profile changed.
pub(crate) fn edited(customer: &StoredCustomer, field: &str, value: Value) -> StoredCustomer {
    let mut profile = serde_json::to_value(&customer.profile).unwrap();
    profile[field] = value;
    let profile = serde_json::from_value(profile).unwrap();
    customer.changed(profile, customer.status, hour(2)).unwrap()
}

/// Returns a request for a session of client `crm-1`.
pub(crate) fn session_request() -> NewSession {
    NewSession {
        customer_id: None,
        client_id: Some(client_id("crm-1")),
        workflow_id: None,
        ttl_days: 7,
        metadata: Default::default(),
        name: None,
        entity_type: EntityType::Individual,
    }
}

/// Parses a client id, which must be valid.
pub(crate) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

/// Returns the id of a session that is created at this time.
pub(crate) fn session_id(time: Timestamp) -> SessionId {
    SessionId::new(id_at(time))
}

/// Creates a session of the customer at hour 1, with this status.
pub(crate) fn session(customer: &StoredCustomer, status: SessionStatus) -> Session {
    let created = crate::sessions::plan_creation(
        customer.clone(),
        false,
        &session_request(),
        session_id(hour(1)),
    );
    Session { status, ..created.unwrap().session }
}

/// Builds a revision with one list. Each of `entries` is a pair of an id and a name.
pub(crate) fn lists(revision: u64, entries: &[(&str, &str)]) -> Arc<Loaded> {
    let entities = entries.iter().map(|(id, name)| Entity {
        names: vec![ListedName::whole((*name).to_owned(), NameKind::Primary)],
        ..Entity::new((*id).to_owned(), EntityKind::Person)
    });
    let version = format!("v{revision}");
    let source = Source { list: LIST, version: &version, date: None };
    let index = Index::open(build(source, entities).unwrap()).unwrap();
    let list = ListVersion {
        version: version.clone(),
        object: version,
        entities: entries.len() as u64,
        parts: Default::default(),
        memory: None,
        date: None,
        built_at: hour(0),
        checked_at: hour(0),
        source: "hash".to_owned(),
    };
    let revision = Revision {
        revision,
        since: hour(0),
        lists: [(LIST.to_owned(), list)].into(),
        ..Revision::none()
    };
    Arc::new(Loaded { revision, indexes: vec![Arc::new(index)] })
}

/// Returns the default settings of a monitor.
pub(crate) fn settings() -> Settings {
    let defaults = json!({
        "lists": null, "check_frequency": "on_update", "include_related": true,
        "min_score": 0.78, "expires_at": null,
    });
    serde_json::from_value(defaults).unwrap()
}

/// Returns screenings whose time limit is never reached.
pub(crate) fn screenings() -> Screenings {
    Screenings::of_request(&Clock::new(|| hour(0)))
}

/// A customer that has been monitored since hour 1, when it was last checked.
pub(crate) struct MonitoredCustomer {
    pub(crate) customer: StoredCustomer,
    pub(crate) monitor: Monitor,
    pub(crate) screened: Screened,
    pub(crate) sources: Sources,
}

/// Creates a monitored customer with this name, and gives each of its alerts this status.
pub(crate) fn monitored(name: &str, lists: &Loaded, status: AlertStatus) -> MonitoredCustomer {
    let mut customer = customer(name);
    customer.monitoring.status = MonitoringStatus::Active;
    let settings = settings();
    let subjects = subjects(&customer, None, true);
    let screening = screen_all(
        &customer.customer_id,
        subjects,
        &settings,
        &[],
        lists,
        hour(1),
        &mut screenings(),
    )
    .unwrap();
    let alerts: Vec<StoredAlert> = screening
        .changed
        .into_iter()
        .map(|mut alert| {
            alert.status = status;
            alert
        })
        .collect();
    let monitor = Monitor {
        customer_id: customer.customer_id,
        status: MonitoringStatus::Active,
        version: 1,
        settings,
        subjects: 1,
        started_at: hour(1),
        last_checked_at: hour(1),
        list_revision: lists.revision.revision,
        list_versions: lists.revision.versions(),
        shard: 0,
    };
    customer.monitoring.lists = vec![LIST.to_owned()];
    customer.monitoring.open_alerts =
        alerts.iter().filter(|alert| alert.status == AlertStatus::Open).count() as u32;
    let sources = Sources { alerts, ..Sources::default() };
    MonitoredCustomer { customer, monitor, screened: screening.screened, sources }
}

/// Builds a structure in which individuals with these names are the directors of the customer and
/// own it in equal parts.
pub(crate) fn structure(names: &[&str]) -> Structure {
    let share = 100.0 / names.len() as f64;
    let party = |(number, name): (usize, &&str)| {
        json!({
            "party_id": format!("p{number}"), "kind": "individual", "name": name,
            "country": null, "date_of_birth": null, "incorporated_on": null, "tax_id": null,
            "roles": ["director"], "customer_id": null, "source": null,
        })
    };
    let holding = |number: usize| json!({ "owner": format!("p{number}"), "owned": "self", "percentage": share });
    let parties: Vec<Value> = names.iter().enumerate().map(party).collect();
    let holdings: Vec<Value> = (0..names.len()).map(holding).collect();
    serde_json::from_value(json!({ "parties": parties, "relationships": holdings })).unwrap()
}

/// Returns version 1 of an organization with the structure of [`structure`].
pub(crate) fn organization(names: &[&str]) -> Organization {
    Organization { version: 1, updated_at: hour(1), structure: structure(names) }
}
