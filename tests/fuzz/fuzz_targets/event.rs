//! Sends arbitrary requests and events to all functions of the API, on an empty table. A function
//! must not panic or answer with a 5xx status other than 503, and every answer must have the
//! envelope of the API.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Api, Parts, request};
use libfuzzer_sys::fuzz_target;
use local::FUNCTIONS;

static API: LazyLock<Api> = LazyLock::new(Api::start);

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    let function = &FUNCTIONS[usize::from(*choice) % FUNCTIONS.len()];
    // Most inputs become the parts of a well-formed event. The others are parsed as the JSON of an
    // event.
    let event = if *choice < 224 {
        let text = String::from_utf8_lossy(rest);
        // Record separators delimit the parts. Missing parts are empty.
        let mut parts = text.split('\u{1e}');
        let mut part = || parts.next().unwrap_or_default();
        let (query, body, id) = (part(), part(), part());
        let (key, if_match, claims) = (part(), part(), part());
        request(function, &Parts { query, body, id, key, if_match, claims })
    } else {
        let Ok(event) = serde_json::from_slice(rest) else { return };
        event
    };
    let (status, _) = API.answer(function, &event);
    let name = function.name;
    assert!((200..500).contains(&status) || status == 503, "{name} answered with status {status}");
});
