//! Parses the query string strictly: text that is not percent-encoded UTF-8 is a fault.

use crate::error::Faults;

/// Reads the parameters in order. A malformed or repeated parameter is recorded as a fault and left
/// out.
pub(super) fn parse(raw: &str, faults: &mut Faults) -> Vec<(String, String)> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let decoded = form_urlencoded::parse(pair.as_bytes()).next();
        let (name, value) = decoded.unwrap_or_default();
        let field = format!("?{}", name.chars().take(100).collect::<String>());
        if !is_percent_encoded_utf8(pair) {
            faults.add(field, "must be percent-encoded UTF-8");
        } else if parameters.iter().any(|(earlier, _)| *earlier == name) {
            faults.add(field, "must not be given more than once");
        } else {
            parameters.push((name.into_owned(), value.into_owned()));
        }
    }
    parameters
}

fn is_percent_encoded_utf8(text: &str) -> bool {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => hex(rest.next()).zip(hex(rest.next())).map(|(high, low)| high << 4 | low),
            other => Some(other),
        };
        match decoded {
            Some(byte) => bytes.push(byte),
            None => return false,
        }
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_decoded_is_a_fault() {
        for bad in ["a=%zz", "a=%", "a=%4", "%ff=1", "a=%c3", "a=1&a=2"] {
            let mut faults = Faults::default();
            parse(bad, &mut faults);
            assert!(!faults.is_empty(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(name in "[a-z]{1,8}", value in any::<String>()) {
            let mut raw = form_urlencoded::Serializer::new(String::new());
            raw.append_pair(&name, &value);
            let mut faults = Faults::default();
            prop_assert_eq!(parse(&raw.finish(), &mut faults), vec![(name, value)]);
            prop_assert!(faults.is_empty());
        }
    }
}
