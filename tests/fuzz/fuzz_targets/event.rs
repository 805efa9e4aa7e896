//! Any request, and any event, for any function of the API: an answer in the envelope, never a panic
//! and never a 500. The table answers every call alike: it holds nothing.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Parts, Place, request};
use libfuzzer_sys::fuzz_target;
use local::FUNCTIONS;

static PLACE: LazyLock<Place> = LazyLock::new(Place::open);

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    let function = &FUNCTIONS[usize::from(*choice) % FUNCTIONS.len()];
    let event = match *choice < 224 {
        true => {
            let text = String::from_utf8_lossy(rest);
            // With a record separator between two parts.
            let mut parts = text.split('\u{1e}');
            let mut part = || parts.next().unwrap_or_default();
            let (query, body, id) = (part(), part(), part());
            let (key, if_match, claims) = (part(), part(), part());
            request(function, &Parts { query, body, id, key, if_match, claims })
        }
        false => match serde_json::from_slice(rest) {
            Ok(event) => event,
            Err(_) => return,
        },
    };
    let (status, _) = PLACE.answer(function, &event);
    assert!((200..500).contains(&status) || status == 503, "{status} of {}", function.name);
});
