//! Parses and checks `If-Match` (RFC 9110, 13.1.1). An entity tag is a version in quotes.

use serde::Serialize;

use crate::error::Error;

/// Precondition of a change: the version that the resource must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum IfMatch {
    /// There is no header, so the last write wins.
    Absent,
    /// The header is `*`: the resource must exist and can have any version.
    Any,
    /// The strong entity tags in the header, without quotes. One of them must be the current
    /// version. A tag that is not a version never matches.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Name of the header.
    pub const HEADER: &'static str = "If-Match";
    /// Pattern of the header, for the OpenAPI document.
    pub const PATTERN: &'static str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

    pub(super) fn parse(header: &str) -> Result<IfMatch, String> {
        if header.trim() == "*" {
            return Ok(IfMatch::Any);
        }
        let issue = || "must be * or an entity tag in quotes, like \"3\"".to_owned();
        let mut tags = Vec::new();
        let mut rest = header.trim();
        loop {
            let (is_weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let tag = quoted.strip_prefix('"').and_then(|rest| rest.split_once('"'));
            let (tag, after) = tag.filter(|(tag, _)| is_opaque(tag)).ok_or_else(issue)?;
            // `If-Match` uses strong comparison, so a weak tag is accepted but never matches.
            if !is_weak {
                tags.push(tag.to_owned());
            }
            rest = match after.trim_start().strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.trim().is_empty() => return Ok(IfMatch::Tags(tags)),
                None => return Err(issue()),
            };
        }
    }

    /// Checks the precondition against the current version. `current` is `None` if the resource
    /// does not exist.
    ///
    /// # Errors
    /// `VersionMismatch` if the precondition is not met.
    pub fn check(&self, current: Option<u64>) -> Result<(), Error> {
        let holds = match (self, current) {
            (IfMatch::Absent, _) | (IfMatch::Any, Some(_)) => true,
            (IfMatch::Tags(tags), Some(current)) => tags.contains(&current.to_string()),
            (IfMatch::Any | IfMatch::Tags(_), None) => false,
        };
        holds.then_some(()).ok_or_else(|| Error::version_mismatch(current))
    }
}

/// Returns whether a text contains only characters that this service accepts between the quotes of
/// an entity tag: printable ASCII without space.
fn is_opaque(tag: &str) -> bool {
    tag.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_tag_of_the_current_version_matches() {
        for (header, matches) in [
            ("\"3\"", true),
            ("\"2\", \"3\"", true),
            ("*", true),
            ("W/\"3\"", false),
            ("\"4\"", false),
            ("\"x\"", false),
            ("\"03\"", false),
            ("\"+3\"", false),
            ("\"a,b\",\"3\"", true),
            ("\"\"", false),
        ] {
            assert_eq!(IfMatch::parse(header).unwrap().check(Some(3)).is_ok(), matches, "{header}");
        }
        assert!(IfMatch::Absent.check(None).is_ok());
        for header in ["*", "\"3\""] {
            assert!(IfMatch::parse(header).unwrap().check(None).is_err(), "{header}");
        }
        for bad in ["", "3", "\"", "\"3", "\"3\",", "\"3\"\"4\"", "\"a b\"", "\"\u{e9}\""] {
            assert!(IfMatch::parse(bad).is_err(), "{bad}");
        }
    }
}
