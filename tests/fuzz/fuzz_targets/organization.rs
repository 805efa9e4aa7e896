//! Reads arbitrary JSON objects as organizations. If the organization is valid, its owners must be
//! computed and its structure must be drawn without a panic, and the statement's structure must be
//! readable as a body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::drawing;
use shared::error::Faults;
use shared::model::customer::StoredCustomer;
use shared::model::fields::Fields;
use shared::model::id::CustomerId;
use shared::model::organization::{Organization, Structure};
use shared::model::profile::Profile;
use shared::ownership::{DEFAULT_THRESHOLD, Statement, picture};

/// Maximum number of parties of a structure that is drawn as SVG. Drawing a larger one takes
/// seconds.
const MAX_DRAWN: usize = 20;

fuzz_target!(|data: &[u8]| {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    let Some(structure) = read(body) else { return };
    let mut fields = Map::new();
    fields.insert("name".to_owned(), "Acme".into());
    let profile = Profile::read(&mut Fields::new(fields, &mut Faults::default()), None);
    let id = CustomerId::parse("01920000-0000-7000-8000-000000000000").expect("the id is valid");
    let tenant = "acme".parse().expect("the tenant is valid");
    let customer = StoredCustomer::new(id, tenant, profile.expect("the profile is valid"));
    let mut faults = Faults::default();
    structure.check(&customer, &mut faults);
    if !faults.is_empty() {
        return;
    }
    let organization = Organization { version: 1, updated_at: customer.updated_at, structure };
    let statement = Statement::of(&customer, &organization, DEFAULT_THRESHOLD);
    let encoded = serde_json::to_value(&statement).expect("the statement encodes");
    for owner in encoded["ubos"].as_array().expect("the statement has owners") {
        let share = owner["effective_percentage"].as_f64().expect("the percentage is a number");
        assert!((0.0..=100.000_1).contains(&share), "an owner has {share} percent");
    }
    let picture = picture(&customer, &organization, DEFAULT_THRESHOLD);
    let _ = drawing::mermaid(&picture);
    if organization.structure.parties.len() <= MAX_DRAWN {
        let _ = drawing::svg(&picture);
    }
    // A client can send the structure of an answer back unchanged.
    let Value::Object(body) = encoded["structure"].clone() else {
        panic!("the structure is not an object")
    };
    assert!(read(body).as_ref() == Some(&organization.structure));
});

fn read(body: Map<String, Value>) -> Option<Structure> {
    let mut faults = Faults::default();
    let mut fields = Fields::new(body, &mut faults);
    let structure = Structure::read(&mut fields, None);
    fields.done(&[]);
    faults.is_empty().then_some(structure)
}
