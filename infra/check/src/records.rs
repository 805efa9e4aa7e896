//! Deserializes all records of one customer from the items of its partition.

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::de::DeserializeOwned;
use shared::model::alert::StoredAlert;
use shared::model::customer::StoredCustomer;
use shared::model::monitor::Monitor;
use shared::model::organization::Structure;
use shared::model::risk::RiskProfile;
use shared::model::screened::Screened;
use shared::model::session::Session;
use shared::model::time::Timestamp;

use crate::item::Item;
use crate::key::{ItemKey, Part};
use crate::report::{Rule, Violations};

/// Maximum size of a decompressed field, in bytes, so that a damaged field cannot exhaust the memory.
/// The structure of an organization and the subjects of a monitor are far smaller.
const MAX_DECOMPRESSED_BYTES: usize = 8 * 1024 * 1024;

pub(crate) struct Records<'i> {
    pub(crate) now: Timestamp,
    /// The item of the customer.
    pub(crate) item: &'i Item,
    pub(crate) customer: StoredCustomer,
    pub(crate) sessions: Vec<(Session, &'i Item)>,
    /// Version and item of the current organization.
    pub(crate) organization: Option<(u64, &'i Item)>,
    pub(crate) previous_organizations: Vec<(u64, &'i Item)>,
    /// Risk profiles, oldest first.
    pub(crate) profiles: Vec<(RiskProfile, &'i Item)>,
    pub(crate) monitor: Option<(Monitor, Screened, &'i Item)>,
    pub(crate) alerts: Vec<(StoredAlert, &'i Item)>,
    /// Events, oldest first.
    pub(crate) events: Vec<&'i Item>,
}

impl<'i> Records<'i> {
    /// Deserializes the items. Returns `None` and adds a violation if an item does not deserialize.
    ///
    /// `items` must be in the order of their keys, and `item` must be the item of the customer.
    pub(crate) fn read(
        items: &'i [Item],
        item: &'i Item,
        now: Timestamp,
        violations: &mut Violations,
    ) -> Option<Records<'i>> {
        let customer: StoredCustomer = deserialize(item, violations)?;
        let mut records = Records {
            now,
            item,
            customer,
            sessions: Vec::new(),
            organization: None,
            previous_organizations: Vec::new(),
            profiles: Vec::new(),
            monitor: None,
            alerts: Vec::new(),
            events: Vec::new(),
        };
        for item in items {
            let Some(ItemKey::OfCustomer(_, part)) = item.key() else { continue };
            match part {
                Part::Customer => {}
                Part::Session(_) => records.sessions.push((deserialize(item, violations)?, item)),
                Part::Organization => {
                    let Some(version) = item.get("version").as_u64() else {
                        violations.add(Rule::Model, item, "version is not a whole number");
                        return None;
                    };
                    decompress::<Structure>(item, "structure", violations)?;
                    records.organization = Some((version, item));
                }
                Part::PreviousOrganization(version) => {
                    decompress::<Structure>(item, "structure", violations)?;
                    records.previous_organizations.push((version, item));
                }
                Part::RiskProfile(_) => {
                    records.profiles.push((deserialize(item, violations)?, item));
                }
                Part::Monitor => {
                    let watched = decompress(item, "watched", violations)?;
                    records.monitor = Some((deserialize(item, violations)?, watched, item));
                }
                Part::Alert(_) => records.alerts.push((deserialize(item, violations)?, item)),
                Part::Event(_) => records.events.push(item),
            }
        }
        Some(records)
    }

    pub(crate) fn is_erased(&self) -> bool {
        self.customer.erased_at.is_some()
    }
}

fn deserialize<T: DeserializeOwned>(item: &Item, violations: &mut Violations) -> Option<T> {
    let model = item.deserialize();
    violations.require(model.is_some(), Rule::Model, item, || "does not deserialize".to_owned());
    model
}

fn decompress<T: DeserializeOwned>(
    item: &Item,
    field: &str,
    violations: &mut Violations,
) -> Option<T> {
    let compressed = item.blobs.get(field);
    let json = compressed
        .and_then(|bytes| decompress_to_vec_with_limit(bytes, MAX_DECOMPRESSED_BYTES).ok());
    let model = json.and_then(|json| serde_json::from_slice(&json).ok());
    violations
        .require(model.is_some(), Rule::Model, item, || format!("{field} does not deserialize"));
    model
}
