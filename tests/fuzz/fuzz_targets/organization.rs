//! Any body as an organization: what passes is computed, drawn and read again, in little time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::drawing;
use shared::error::Faults;
use shared::model::customer::Customer;
use shared::model::fields::Fields;
use shared::model::id::CustomerId;
use shared::model::organization::{Organization, Structure};
use shared::model::profile::Profile;
use shared::ownership::{DEFAULT_THRESHOLD, Statement, picture};

/// Drawn with more parties than that, a structure takes seconds.
const DRAWN: usize = 20;

fuzz_target!(|data: &[u8]| {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    let Some(structure) = read(body) else { return };
    let mut fields = Map::new();
    fields.insert("name".to_owned(), "Acme".into());
    let profile = Profile::read(&mut Fields::new(fields, &mut Faults::default()), None);
    let id = CustomerId::parse("01920000-0000-7000-8000-000000000000").expect("an id");
    let tenant = "acme".parse().expect("a tenant");
    let customer = Customer::new(id, tenant, profile.expect("a profile"));
    let mut faults = Faults::default();
    structure.check(&customer, &mut faults);
    if !faults.is_empty() {
        return;
    }
    let organization = Organization { version: 1, updated_at: customer.updated_at, structure };
    let statement = Statement::of(&customer, &organization, DEFAULT_THRESHOLD);
    let written = serde_json::to_value(&statement).expect("a statement");
    for owner in written["ubos"].as_array().expect("owners") {
        let share = owner["effective_percentage"].as_f64().unwrap_or_default();
        assert!((0.0..=100.000_1).contains(&share), "{share} percent");
    }
    let picture = picture(&customer, &organization, DEFAULT_THRESHOLD);
    let _ = drawing::mermaid(&picture);
    if organization.structure.parties.len() <= DRAWN {
        let _ = drawing::svg(&picture);
    }
    // What is answered can be sent again.
    let Value::Object(body) = written["structure"].clone() else { panic!("a structure") };
    assert!(read(body).as_ref() == Some(&organization.structure));
});

fn read(body: Map<String, Value>) -> Option<Structure> {
    let mut faults = Faults::default();
    let mut fields = Fields::new(body, &mut faults);
    let structure = Structure::read(&mut fields, None);
    fields.done(&[]);
    faults.is_empty().then_some(structure)
}
