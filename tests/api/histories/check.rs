//! Checks whether a sequential history explains the answers that the clients received.

use std::collections::BTreeMap;

use api_tests::Value;

/// A request of a client and its answer.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// Start and end of the exchange, as times of the logical clock that all clients share.
    pub(super) span: (u64, u64),
    pub(super) request: Request,
    /// The data of a successful answer, otherwise the status. After a 503 it is unknown whether the
    /// request took effect.
    pub(super) answer: Result<Value, u16>,
    pub(super) key: Option<String>,
    pub(super) is_replay: bool,
}

impl Exchange {
    fn is_unknown(&self) -> bool {
        self.answer == Err(503)
    }

    /// Returns the customer field that the request writes and its new value. Returns `None` if the
    /// request does not write to an existing customer's fields.
    fn write(&self) -> Option<(&'static str, Value)> {
        match &self.request {
            Request::Patch { field, value, .. } => Some((field, value.clone())),
            Request::Deactivate => Some(("status", "inactive".into())),
            Request::Reactivate => Some(("status", "active".into())),
            Request::Create(_) | Request::Session | Request::Decide(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    /// Creates a customer with this client id.
    Create(String),
    /// Changes a field to a value that is unique in the history.
    Patch {
        field: &'static str,
        value: Value,
        if_match: Option<u64>,
    },
    Deactivate,
    Reactivate,
    /// Creates a session of the customer.
    Session,
    /// Sets the outcome of a session, such as `approved`.
    Decide(&'static str),
}

/// Returns the contradictions in a history, or an empty list if a sequential history explains it.
/// `last` is the final state of the customer.
pub(super) fn faults(history: &[Exchange], last: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check_keys(history, &mut faults);
    check_creations(history, &mut faults);
    check_writes(history, last, &mut faults);
    check_counters(history, last, &mut faults);
    faults
}

/// Checks that requests with the same idempotency key take effect exactly once and always get the
/// same answer.
fn check_keys(history: &[Exchange], faults: &mut Vec<String>) {
    let mut answers: BTreeMap<&String, Vec<&Exchange>> = BTreeMap::new();
    for exchange in history.iter().filter(|exchange| exchange.answer.is_ok()) {
        if let Some(key) = &exchange.key {
            answers.entry(key).or_default().push(exchange);
        }
    }
    for (key, answers) in answers {
        let effects = answers.iter().filter(|exchange| !exchange.is_replay).count();
        let unknown = history.iter().filter(|exchange| exchange.is_unknown());
        let is_unknown =
            unknown.filter_map(|exchange| exchange.key.as_ref()).any(|other| other == key);
        if effects != 1 && !(effects == 0 && is_unknown) {
            faults.push(format!("{key} took effect {effects} times"));
        }
        if answers.iter().any(|exchange| exchange.answer != answers[0].answer) {
            faults.push(format!("{key} has several answers"));
        }
    }
}

/// Checks that all successful creations with the same client id return the same customer.
fn check_creations(history: &[Exchange], faults: &mut Vec<String>) {
    let mut owners: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
    for exchange in history {
        if let (Request::Create(client_id), Ok(customer)) = (&exchange.request, &exchange.answer) {
            let owners = owners.entry(client_id).or_default();
            let id = &customer["customer_id"];
            if !owners.contains(&id) {
                owners.push(id);
            }
        }
    }
    for (client_id, owners) in owners.iter().filter(|(_, owners)| owners.len() > 1) {
        faults.push(format!("{client_id} belongs to {} customers", owners.len()));
    }
}

/// Checks that every acknowledged write has its own version, that the order of the versions agrees
/// with the clock, with `If-Match` and with the data of each answer, and that no write is lost.
fn check_writes(history: &[Exchange], last: &Value, faults: &mut Vec<String>) {
    let mut writes: Vec<(u64, &Exchange, &Value)> = Vec::new();
    for exchange in history {
        if let (Some(_), Ok(customer)) = (exchange.write(), &exchange.answer) {
            writes.push((customer["version"].as_u64().unwrap_or(0), exchange, customer));
        }
    }
    writes.sort_by_key(|(version, exchange, _)| (*version, exchange.span));
    let may_be_written = |field: &'static str, value: &Value, before: u64| {
        let write = Some((field, value.clone()));
        let mut unknown =
            history.iter().filter(|exchange| exchange.is_unknown() && exchange.span.0 < before);
        unknown.any(|exchange| exchange.write() == write)
    };
    let mut state: BTreeMap<&'static str, Value> = BTreeMap::new();
    let mut previous: Option<(u64, &Exchange)> = None;
    for (version, exchange, customer) in &writes {
        if let Some((previous_version, previous)) = previous {
            // Deactivating an inactive customer or reactivating an active one does not create a
            // version.
            let is_patch = matches!(exchange.request, Request::Patch { .. });
            let previous_is_patch = matches!(previous.request, Request::Patch { .. });
            if previous_version == *version && is_patch && previous_is_patch {
                faults.push(format!("version {version} was written twice"));
            }
            if previous_version < *version && exchange.span.1 < previous.span.0 {
                faults.push(format!("version {version} came before {previous_version}"));
            }
        }
        if let Request::Patch { if_match: Some(matched), .. } = exchange.request
            && matched + 1 != *version
        {
            faults.push(format!("version {version} does not follow the one in its If-Match"));
        }
        state.extend(exchange.write());
        for (field, value) in &mut state {
            // A write without an answer took effect if its value is visible now.
            if may_be_written(field, &customer[*field], exchange.span.1) {
                *value = customer[*field].clone();
            }
            if customer[*field] != *value {
                faults.push(format!("version {version} has lost a write of {field}"));
            }
        }
        previous = Some((*version, exchange));
    }
    for (field, value) in &state {
        if last[*field] != *value && !may_be_written(field, &last[*field], u64::MAX) {
            faults.push(format!("the final state lacks a write of {field}"));
        }
    }
    if previous.is_some_and(|(version, _)| last["version"].as_u64() < Some(version)) {
        faults.push("the customer went back to an older version".to_owned());
    }
}

/// Checks that the session counters of the customer count every acknowledged session and decision
/// once. A request without an answer may count or not.
fn check_counters(history: &[Exchange], last: &Value, faults: &mut Vec<String>) {
    let expected = |is_kind: fn(&Request) -> bool| {
        let of_kind = history.iter().filter(move |exchange| is_kind(&exchange.request));
        let min = of_kind
            .clone()
            .filter(|exchange| exchange.answer.is_ok() && !exchange.is_replay)
            .count();
        min as u64..=(min + of_kind.filter(|exchange| exchange.is_unknown()).count()) as u64
    };
    for (field, range) in [
        ("total", expected(|request| matches!(request, Request::Session))),
        ("approved", expected(|request| matches!(request, Request::Decide("approved")))),
        ("rejected", expected(|request| matches!(request, Request::Decide("rejected")))),
    ] {
        let counter = &last["sessions"][field];
        if !counter.as_u64().is_some_and(|count| range.contains(&count)) {
            faults.push(format!("{field} is {counter}, but {} were acknowledged", range.start()));
        }
    }
}

mod tests {
    use api_tests::json;

    use super::*;

    fn exchange(span: (u64, u64), request: Request, answer: Value) -> Exchange {
        Exchange { span, request, answer: Ok(answer), key: None, is_replay: false }
    }

    fn patch(span: (u64, u64), field: &'static str, value: &str, answer: Value) -> Exchange {
        exchange(span, Request::Patch { field, value: json!(value), if_match: None }, answer)
    }

    fn customer(version: u64, name: &str, industry: &str) -> Value {
        let sessions = json!({ "total": 1, "approved": 1, "rejected": 0 });
        json!({
            "customer_id": "1", "version": version, "name": name, "industry": industry,
            "status": "active", "sessions": sessions,
        })
    }

    /// Returns a history without contradictions, and the final state of the customer.
    fn valid() -> (Vec<Exchange>, Value) {
        let created =
            exchange((0, 1), Request::Create("a".to_owned()), json!({ "customer_id": "1" }));
        let keyed = Exchange { key: Some("k".to_owned()), ..created };
        let replay = Exchange { span: (2, 3), is_replay: true, ..keyed.clone() };
        let matching = Request::Patch { field: "name", value: json!("C"), if_match: Some(3) };
        let history = vec![
            keyed,
            replay,
            patch((2, 5), "name", "B", customer(2, "B", "")),
            patch((3, 6), "industry", "X", customer(3, "B", "X")),
            exchange((7, 8), matching, customer(4, "C", "X")),
            exchange((7, 9), Request::Session, json!({})),
            exchange((10, 11), Request::Decide("approved"), json!({})),
        ];
        (history, customer(6, "C", "X"))
    }

    #[test]
    fn faults_are_found_in_contradictory_histories_only() {
        let (history, last) = valid();
        assert_eq!(faults(&history, &last), Vec::<String>::new());

        let assert_fault = |expected: &str, change: &dyn Fn(&mut Vec<Exchange>, &mut Value)| {
            let (mut history, mut last) = valid();
            change(&mut history, &mut last);
            let faults = faults(&history, &last);
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:?}");
        };

        let assert_valid = |change: &dyn Fn(&mut Vec<Exchange>, &mut Value)| {
            let (mut history, mut last) = valid();
            change(&mut history, &mut last);
            assert_eq!(faults(&history, &last), Vec::<String>::new());
        };

        let unknown = |exchange: Exchange| Exchange { answer: Err(503), ..exchange };

        assert_valid(&|history, _| history[0].answer = Err(503));
        assert_valid(&|history, last| {
            history.push(unknown(patch((7, 20), "industry", "Y", json!({}))));
            last["industry"] = json!("Y");
        });
        assert_valid(&|history, last| {
            history.push(unknown(patch((6, 20), "industry", "Y", json!({}))));
            history[4].answer = Ok(customer(4, "C", "Y"));
            last["industry"] = json!("Y");
        });
        assert_fault("has lost a write of industry", &|history, _| {
            history.push(unknown(patch((9, 20), "industry", "Y", json!({}))));
            history[4].answer = Ok(customer(4, "C", "Y"));
        });
        assert_valid(&|history, _| history[6].answer = Err(503));
        assert_fault("approved is 1, but 0 were acknowledged", &|history, _| drop(history.pop()));
        assert_fault("took effect 2 times", &|history, _| history[1].is_replay = false);
        assert_fault("several answers", &|history, _| {
            history[1].answer = Ok(json!({ "customer_id": "1", "name": "other" }));
        });
        assert_fault("belongs to 2 customers", &|history, _| {
            history.push(exchange(
                (4, 5),
                Request::Create("a".to_owned()),
                json!({ "customer_id": "2" }),
            ));
        });
        assert_fault("was written twice", &|history, _| {
            history[3].answer = Ok(customer(2, "B", "X"));
        });
        assert_fault("came before", &|history, _| {
            history[2].span = (20, 21);
        });
        assert_fault("does not follow", &|history, _| {
            history[4].answer = Ok(customer(5, "C", "X"));
        });
        assert_fault("has lost a write of name", &|history, _| {
            history[3].answer = Ok(customer(3, "A", "X"));
        });
        assert_fault("the final state lacks a write of industry", &|_, last| {
            last["industry"] = json!("")
        });
        assert_fault("older version", &|_, last| last["version"] = json!(3));
        assert_fault("total is 2", &|_, last| last["sessions"]["total"] = json!(2));
        assert_fault("approved is 0", &|_, last| last["sessions"]["approved"] = json!(0));
    }
}
