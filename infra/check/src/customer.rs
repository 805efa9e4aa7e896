//! Everything of one customer, read once, and the rules that it is held against.

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::de::DeserializeOwned;
use shared::model::alert::Alert;
use shared::model::customer::{Customer, MonitoringStatus};
use shared::model::erased;
use shared::model::fold::fold_key;
use shared::model::monitor::Monitor;
use shared::model::organization::Structure;
use shared::model::profile::Profile;
use shared::model::risk::RiskProfile;
use shared::model::session::Session;
use shared::model::time::Timestamp;
use shared::monitoring::check::Watched;
use shared::store::KEPT_ANSWER;

use crate::Found;
use crate::item::{Item, Part, Place, Whose};
use crate::{events, monitoring, organization, risk, sessions};

/// Far more than a structure or the subjects of a monitor have.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What makes an item appear in an index.
const INDEXED: [&str; 5] = ["tenant_pk", "risk_pk", "name_sk", "monitored_pk", "monitored_sk"];

pub(super) struct Whole<'i> {
    pub(super) now: Timestamp,
    pub(super) item: &'i Item,
    pub(super) customer: Customer,
    pub(super) sessions: Vec<(Session, &'i Item)>,
    pub(super) organization: Option<(u64, Structure, &'i Item)>,
    /// Those that were replaced.
    pub(super) organizations: Vec<(u64, &'i Item)>,
    /// The oldest first.
    pub(super) profiles: Vec<(RiskProfile, &'i Item)>,
    pub(super) monitor: Option<(Monitor, Watched, &'i Item)>,
    pub(super) alerts: Vec<(Alert, &'i Item)>,
    /// The oldest first.
    pub(super) events: Vec<&'i Item>,
}

const RULES: [fn(&Whole<'_>, &mut Found); 6] =
    [sessions::check, organization::check, risk::check, monitoring::check, events::check, erasure];

/// Holds the items of one partition of a customer, in the order of their keys, against every rule.
pub(super) fn check(items: &[Item], now: Timestamp, found: &mut Found) {
    let Some((whose, customer)) = items.iter().find_map(customer_of) else {
        for item in items {
            found.add("orphan", item, "belongs to a customer that is not there");
        }
        return;
    };
    for item in items {
        names_its_customer(item, whose, found);
        is_indexed_as_it_should(item, found);
    }
    if let Some(whole) = Whole::read(items, customer, now, found) {
        for rule in RULES {
            rule(&whole, found);
        }
    }
}

/// Who began to erase a customer has to bring it to its end, and then nothing tells who it was.
fn erasure(whole: &Whole<'_>, found: &mut Found) {
    let is_complete = whole.is_erased() == whole.customer.is_scrubbed;
    found.check(is_complete, "erasure", whole.item, || "was not brought to its end".to_owned());
    if !whole.is_erased() || !is_complete {
        return;
    }
    let organizations = whole.organization.is_some() || !whole.organizations.is_empty();
    found.check(!organizations && whole.monitor.is_none(), "erasure", whole.item, || {
        "has an organization or a monitor still".to_owned()
    });
    let mut holds = |is_left: bool, item: &Item| {
        found.check(!is_left, "erasure", item, || "holds what was to go".to_owned());
    };
    let profile = &whole.customer.profile;
    let bare = Profile::erased(profile.entity_type);
    holds(bare.is_ok_and(|bare| bare != *profile), whole.item);
    for (session, item) in &whole.sessions {
        holds(erased::session(session.clone()) != *session, item);
    }
    for (profile, item) in &whole.profiles {
        holds(erased::risk_profile(profile.clone()) != *profile, item);
    }
    for (alert, item) in &whole.alerts {
        holds(erased::alert(alert.clone()) != *alert, item);
    }
    for item in &whole.events {
        let changes = item.get("changes").as_object().cloned().unwrap_or_default();
        let mut left = changes.clone();
        erased::changes(&mut left);
        holds(left != changes || item.fields.contains_key(KEPT_ANSWER), item);
    }
}

fn customer_of(item: &Item) -> Option<(Whose<'_>, &Item)> {
    match item.place() {
        Some(Place::Of(whose, Part::Customer)) => Some((whose, item)),
        _ => None,
    }
}

impl<'i> Whole<'i> {
    pub(super) fn is_erased(&self) -> bool {
        self.customer.erased_at.is_some()
    }

    fn read(
        items: &'i [Item],
        item: &'i Item,
        now: Timestamp,
        found: &mut Found,
    ) -> Option<Whole<'i>> {
        let customer: Customer = read(item, found)?;
        let mut whole = Whole {
            now,
            item,
            customer,
            sessions: Vec::new(),
            organization: None,
            organizations: Vec::new(),
            profiles: Vec::new(),
            monitor: None,
            alerts: Vec::new(),
            events: Vec::new(),
        };
        for item in items {
            let Some(Place::Of(_, part)) = item.place() else { continue };
            match part {
                Part::Customer => {}
                Part::Session(_) => whole.sessions.push((read(item, found)?, item)),
                Part::Organization => {
                    let version = item.get("version").as_u64().unwrap_or(0);
                    let structure = inflated(item, "structure", found)?;
                    whole.organization = Some((version, structure, item));
                }
                Part::OrganizationBefore(version) => {
                    inflated::<Structure>(item, "structure", found)?;
                    whole.organizations.push((version, item));
                }
                Part::Profile(_) => whole.profiles.push((read(item, found)?, item)),
                Part::Monitor => {
                    let watched = inflated(item, "watched", found)?;
                    whole.monitor = Some((read(item, found)?, watched, item));
                }
                Part::Alert(_) => whole.alerts.push((read(item, found)?, item)),
                Part::Event(_) => whole.events.push(item),
            }
        }
        Some(whole)
    }
}

fn read<T: DeserializeOwned>(item: &Item, found: &mut Found) -> Option<T> {
    let model = item.model();
    found.check(model.is_some(), "model", item, || "does not read as what it is".to_owned());
    model
}

fn inflated<T: DeserializeOwned>(item: &Item, field: &str, found: &mut Found) -> Option<T> {
    let json = item.blobs.get(field);
    let json = json.and_then(|bytes| decompress_to_vec_with_limit(bytes, MAX_BYTES).ok());
    let model = json.and_then(|json| serde_json::from_slice(&json).ok());
    found.check(model.is_some(), "model", item, || format!("its {field} does not read"));
    model
}

fn names_its_customer(item: &Item, whose: Whose<'_>, found: &mut Found) {
    for (field, expected) in [("customer_id", whose.customer_id), ("tenant_id", whose.tenant)] {
        let named = item.text(field);
        let is_right = named.is_none_or(|named| named == expected);
        found.check(is_right, "customer", item, || format!("its {field} is another's"));
    }
}

fn is_indexed_as_it_should(item: &Item, found: &mut Found) {
    let expected = match item.place() {
        Some(Place::Of(whose, Part::Customer)) => item.model().map(|c| of_customer(whose, &c)),
        Some(Place::Of(whose, Part::Monitor)) => item.model().map(|m| of_monitor(whose, &m)),
        _ => Some(Vec::new()),
    };
    // One that does not read is told of elsewhere.
    let Some(expected) = expected else { return };
    for attribute in INDEXED {
        let value = expected.iter().find(|(name, _)| *name == attribute).map(|(_, v)| v.as_str());
        found.check(item.text(attribute) == value, "index", item, || match value {
            Some(_) => format!("its {attribute} is not what the item says"),
            None => format!("has a {attribute}, and belongs into no such index"),
        });
    }
}

fn of_customer(whose: Whose<'_>, customer: &Customer) -> Vec<(&'static str, String)> {
    let all = format!("T#{}", whose.tenant);
    let folded = fold_key(customer.profile.name.as_str());
    vec![
        ("risk_pk", format!("{all}#RISK#{}", customer.risk.level.into_str())),
        ("name_sk", format!("{folded}\u{1f}{}", whose.customer_id)),
        ("tenant_pk", all),
    ]
}

fn of_monitor(whose: Whose<'_>, monitor: &Monitor) -> Vec<(&'static str, String)> {
    if monitor.status != MonitoringStatus::Active {
        return Vec::new();
    }
    let (frequency, shard) = (monitor.settings.check_frequency.into_str(), monitor.shard);
    vec![
        ("monitored_pk", format!("MONITORED#{frequency}#{shard}")),
        ("monitored_sk", format!("{}#{}", whose.tenant, whose.customer_id)),
    ]
}
