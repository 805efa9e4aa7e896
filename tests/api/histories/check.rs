//! Whether one story explains everything that clients saw. Pure.

use std::collections::BTreeMap;

use api_tests::Value;

/// A request and its answer, as a client saw them.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// When it was asked and when answered, by one count for all.
    pub(super) span: (u64, u64),
    pub(super) asked: Asked,
    /// `Ok` with the data of a success; else the status. After a 503 nobody knows what was done.
    pub(super) answer: Result<Value, u16>,
    pub(super) key: Option<String>,
    pub(super) is_replay: bool,
}

impl Seen {
    fn is_unknown(&self) -> bool {
        self.answer == Err(503)
    }

    /// What it writes, and where.
    fn write(&self) -> Option<(&'static str, Value)> {
        match &self.asked {
            Asked::Patch { field, value, .. } => Some((field, value.clone())),
            Asked::Deactivate => Some(("status", "inactive".into())),
            Asked::Reactivate => Some(("status", "active".into())),
            Asked::Create(_) | Asked::Session | Asked::Decide(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// A creation with this client id.
    Create(String),
    /// Of one field, with a value that nobody else writes.
    Patch {
        field: &'static str,
        value: Value,
        if_match: Option<u64>,
    },
    Deactivate,
    Reactivate,
    /// A session for the customer.
    Session,
    Decide(&'static str),
}

/// What is wrong with a history that ended with this customer.
pub(super) fn faults(history: &[Seen], last: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    keys(history, &mut faults);
    creations(history, &mut faults);
    writes(history, last, &mut faults);
    counters(history, last, &mut faults);
    faults
}

/// A key has one effect, and every answer to it is the same.
fn keys(history: &[Seen], faults: &mut Vec<String>) {
    let mut answers: BTreeMap<&String, Vec<&Seen>> = BTreeMap::new();
    for seen in history.iter().filter(|seen| seen.answer.is_ok()) {
        if let Some(key) = &seen.key {
            answers.entry(key).or_default().push(seen);
        }
    }
    for (key, answers) in answers {
        let first = answers.iter().filter(|seen| !seen.is_replay).count();
        let unknown = history.iter().filter(|seen| seen.is_unknown());
        let is_unknown = unknown.filter_map(|seen| seen.key.as_ref()).any(|other| other == key);
        if first != 1 && !(first == 0 && is_unknown) {
            faults.push(format!("{key} took effect {first} times"));
        }
        if answers.iter().any(|seen| seen.answer != answers[0].answer) {
            faults.push(format!("{key} has several answers"));
        }
    }
}

/// A client id has one winner.
fn creations(history: &[Seen], faults: &mut Vec<String>) {
    let mut owners: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
    for seen in history {
        if let (Asked::Create(client_id), Ok(customer)) = (&seen.asked, &seen.answer) {
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

/// Every acknowledged write has a version of its own, in an order that agrees with the clock, with
/// `If-Match` and with what each answer showed; and none is lost.
fn writes(history: &[Seen], last: &Value, faults: &mut Vec<String>) {
    let mut writes: Vec<(u64, &Seen, &Value)> = Vec::new();
    for seen in history {
        if let (Some(_), Ok(customer)) = (seen.write(), &seen.answer) {
            writes.push((customer["version"].as_u64().unwrap_or(0), seen, customer));
        }
    }
    writes.sort_by_key(|(version, seen, _)| (*version, seen.span));
    let may_be_written = |field: &'static str, value: &Value, before: u64| {
        let shown = Some((field, value.clone()));
        let mut unknown = history.iter().filter(|seen| seen.is_unknown() && seen.span.0 < before);
        unknown.any(|seen| seen.write() == shown)
    };
    let mut state: BTreeMap<&'static str, Value> = BTreeMap::new();
    let mut before: Option<(u64, &Seen)> = None;
    for (version, seen, customer) in &writes {
        if let Some((last_version, last)) = before {
            // Who finds the customer as it is to be writes nothing.
            let wrote = matches!(seen.asked, Asked::Patch { .. });
            let last_wrote = matches!(last.asked, Asked::Patch { .. });
            if last_version == *version && wrote && last_wrote {
                faults.push(format!("version {version} was written twice"));
            }
            if last_version < *version && seen.span.1 < last.span.0 {
                faults.push(format!("version {version} came before {last_version}"));
            }
        }
        if let Asked::Patch { if_match: Some(matched), .. } = seen.asked
            && matched + 1 != *version
        {
            faults.push(format!("version {version} does not follow the one it named"));
        }
        state.extend(seen.write());
        for (field, value) in &mut state {
            // What may have been written, and now is seen, was.
            if may_be_written(field, &customer[*field], seen.span.1) {
                *value = customer[*field].clone();
            }
            if customer[*field] != *value {
                faults.push(format!("version {version} has lost a write of {field}"));
            }
        }
        before = Some((*version, seen));
    }
    for (field, value) in &state {
        if last[*field] != *value && !may_be_written(field, &last[*field], u64::MAX) {
            faults.push(format!("in the end a write of {field} is lost"));
        }
    }
    if before.is_some_and(|(version, _)| last["version"].as_u64() < Some(version)) {
        faults.push("the customer went back to an older version".to_owned());
    }
}

/// The counters are those of the sessions that were acknowledged, each once.
fn counters(history: &[Seen], last: &Value, faults: &mut Vec<String>) {
    let done = |is: fn(&Asked) -> bool| {
        let of_kind = history.iter().filter(move |seen| is(&seen.asked));
        let least = of_kind.clone().filter(|seen| seen.answer.is_ok() && !seen.is_replay).count();
        least as u64..=(least + of_kind.filter(|seen| seen.is_unknown()).count()) as u64
    };
    for (field, done) in [
        ("total", done(|asked| matches!(asked, Asked::Session))),
        ("approved", done(|asked| matches!(asked, Asked::Decide("approved")))),
        ("rejected", done(|asked| matches!(asked, Asked::Decide("rejected")))),
    ] {
        let counted = &last["sessions"][field];
        if !counted.as_u64().is_some_and(|counted| done.contains(&counted)) {
            faults.push(format!("{field} is {counted}, and {} were made", done.start()));
        }
    }
}

mod tests {
    use api_tests::json;

    use super::*;

    fn seen(span: (u64, u64), asked: Asked, answer: Value) -> Seen {
        Seen { span, asked, answer: Ok(answer), key: None, is_replay: false }
    }

    fn patch(span: (u64, u64), field: &'static str, value: &str, answer: Value) -> Seen {
        seen(span, Asked::Patch { field, value: json!(value), if_match: None }, answer)
    }

    fn customer(version: u64, name: &str, industry: &str) -> Value {
        let sessions = json!({ "total": 1, "approved": 1, "rejected": 0 });
        json!({
            "customer_id": "1", "version": version, "name": name, "industry": industry,
            "status": "active", "sessions": sessions,
        })
    }

    /// One that nothing is wrong with.
    fn good() -> (Vec<Seen>, Value) {
        let made = seen((0, 1), Asked::Create("a".to_owned()), json!({ "customer_id": "1" }));
        let keyed = Seen { key: Some("k".to_owned()), ..made };
        let replay = Seen { span: (2, 3), is_replay: true, ..keyed.clone() };
        let matching = Asked::Patch { field: "name", value: json!("C"), if_match: Some(3) };
        let history = vec![
            keyed,
            replay,
            patch((2, 5), "name", "B", customer(2, "B", "")),
            patch((3, 6), "industry", "X", customer(3, "B", "X")),
            seen((7, 8), matching, customer(4, "C", "X")),
            seen((7, 9), Asked::Session, json!({})),
            seen((10, 11), Asked::Decide("approved"), json!({})),
        ];
        (history, customer(6, "C", "X"))
    }

    #[test]
    fn a_good_history_has_no_fault_and_every_bad_one_has() {
        let (history, last) = good();
        assert_eq!(faults(&history, &last), Vec::<String>::new());
        let bad = |what: &str, spoil: &dyn Fn(&mut Vec<Seen>, &mut Value)| {
            let (mut history, mut last) = good();
            spoil(&mut history, &mut last);
            let found = faults(&history, &last);
            assert!(found.iter().any(|fault| fault.contains(what)), "{what}: {found:?}");
        };
        let fine = |spoil: &dyn Fn(&mut Vec<Seen>, &mut Value)| {
            let (mut history, mut last) = good();
            spoil(&mut history, &mut last);
            assert_eq!(faults(&history, &last), Vec::<String>::new());
        };
        let unknown = |seen: Seen| Seen { answer: Err(503), ..seen };
        fine(&|history, _| history[0].answer = Err(503));
        fine(&|history, last| {
            history.push(unknown(patch((7, 20), "industry", "Y", json!({}))));
            last["industry"] = json!("Y");
        });
        fine(&|history, last| {
            history.push(unknown(patch((6, 20), "industry", "Y", json!({}))));
            history[4].answer = Ok(customer(4, "C", "Y"));
            last["industry"] = json!("Y");
        });
        bad("has lost a write of industry", &|history, _| {
            history.push(unknown(patch((9, 20), "industry", "Y", json!({}))));
            history[4].answer = Ok(customer(4, "C", "Y"));
        });
        fine(&|history, _| history[6].answer = Err(503));
        bad("approved is 1, and 0 were made", &|history, _| drop(history.pop()));
        bad("took effect 2 times", &|history, _| history[1].is_replay = false);
        bad("several answers", &|history, _| {
            history[1].answer = Ok(json!({ "customer_id": "1", "name": "other" }));
        });
        bad("belongs to 2 customers", &|history, _| {
            history.push(seen(
                (4, 5),
                Asked::Create("a".to_owned()),
                json!({ "customer_id": "2" }),
            ));
        });
        bad("was written twice", &|history, _| {
            history[3].answer = Ok(customer(2, "B", "X"));
        });
        bad("came before", &|history, _| {
            history[2].span = (20, 21);
        });
        bad("does not follow", &|history, _| {
            history[4].answer = Ok(customer(5, "C", "X"));
        });
        bad("has lost a write of name", &|history, _| {
            history[3].answer = Ok(customer(3, "A", "X"));
        });
        bad("in the end a write of industry", &|_, last| last["industry"] = json!(""));
        bad("older version", &|_, last| last["version"] = json!(3));
        bad("total is 2", &|_, last| last["sessions"]["total"] = json!(2));
        bad("approved is 0", &|_, last| last["sessions"]["approved"] = json!(0));
    }
}
