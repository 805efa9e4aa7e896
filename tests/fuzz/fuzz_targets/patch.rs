//! Applies arbitrary merge patches to a customer, one after the other. After each accepted patch,
//! an empty patch must be accepted and must not change the customer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::error::Faults;
use shared::model::customer::StoredCustomer;
use shared::model::fields::Fields;
use shared::model::id::CustomerId;
use shared::model::patch::merge;
use shared::model::profile::Profile;

fuzz_target!(|data: &[u8]| {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), "Acme".into());
    let mut faults = Faults::default();
    let profile =
        Profile::read(&mut Fields::new(fields, &mut faults), None).expect("the profile is valid");
    let id = CustomerId::parse("01920000-0000-7000-8000-000000000000").expect("the id is valid");
    let mut customer =
        StoredCustomer::new(id, "acme".parse().expect("the tenant is valid"), profile);
    for patch in data.split(|byte| *byte == 0x1e) {
        let Ok(patch) = serde_json::from_slice::<Map<String, Value>>(patch) else { continue };
        let merged = merge(&customer, &patch, true, Faults::default(), None);
        let Ok((profile, status)) = merged else { continue };
        let Ok(changed) = customer.changed(profile, status, customer.updated_at) else { continue };
        customer = changed;
        let unchanged = merge(&customer, &Map::new(), true, Faults::default(), None);
        let (profile, status) = unchanged
            .unwrap_or_else(|error| panic!("an empty patch was refused with {}", error.code));
        assert!(profile == customer.profile && status == customer.status);
    }
});
