//! Selects the form of a resource that the caller prefers, from the header `Accept` (RFC 9110,
//! 12.5.1).

/// Returns the offered media type with the highest weight, or the first of those with an equal
/// weight. If the caller accepts none of them, returns the first one, as the RFC allows. Returns
/// `None` if `offered` is empty.
pub(super) fn preferred<'a>(header: &str, offered: &[&'a str]) -> Option<&'a str> {
    let ranges: Vec<(String, f32)> = header.split(',').map(range).collect();
    let weight_of = |name: &str| {
        let range = ranges.iter().find(|(range, _)| range.eq_ignore_ascii_case(name));
        range.map(|(_, weight)| *weight)
    };
    // The most specific range that matches determines the weight: `a/b`, then `a/*`, then `*/*`.
    let weight = |media_type: &str| {
        let kind = media_type.split('/').next().unwrap_or_default();
        let weight = weight_of(media_type).or_else(|| weight_of(&format!("{kind}/*")));
        weight.or_else(|| weight_of("*/*")).unwrap_or(0.0)
    };
    let mut best: Option<(&str, f32)> = None;
    for media_type in offered {
        let weight = weight(media_type);
        if best.is_none_or(|(_, least)| weight > least) {
            best = Some((media_type, weight));
        }
    }
    best.map(|(media_type, _)| media_type)
}

/// Reads a media range and its weight, 0 to 1. The weight is 1 if it is absent or malformed.
fn range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_owned();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().ok()).flatten()
    });
    (name, weight.unwrap_or(1.0_f32).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFERED: [&str; 3] = ["application/json", "image/svg+xml", "text/vnd.mermaid"];

    #[test]
    fn the_heaviest_is_preferred() {
        for (header, best) in [
            ("", "application/json"),
            ("*/*", "application/json"),
            ("text/html", "application/json"),
            ("image/svg+xml", "image/svg+xml"),
            ("IMAGE/SVG+XML; q=0.5", "image/svg+xml"),
            ("image/*, */*;q=0.8", "image/svg+xml"),
            ("image/svg+xml;q=0.1, application/json;q=0.2", "application/json"),
            ("*/*, application/json;q=0, image/*;q=0", "text/vnd.mermaid"),
            ("text/vnd.mermaid;version=11", "text/vnd.mermaid"),
        ] {
            assert_eq!(preferred(header, &OFFERED), Some(best), "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_prefers_something(header in ".*") {
            prop_assert!(preferred(&header, &OFFERED).is_some());
        }
    }
}
