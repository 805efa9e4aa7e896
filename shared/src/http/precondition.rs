//! `If-Match` (RFC 9110, 13.1.1) over entity tags that are a version in quotes.

use crate::error::Error;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`, or no header at all: whatever the version is, the last writer wins.
    Any,
    /// Tags that are not a version of ours never match.
    Versions(Vec<u64>),
}

impl IfMatch {
    pub const HEADER: &'static str = "If-Match";
    /// What the header may look like, for the OpenAPI document.
    pub const PATTERN: &'static str = r#"^(\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*)$"#;

    pub(super) fn parse(header: &str) -> Result<IfMatch, String> {
        if header.trim() == "*" {
            return Ok(IfMatch::Any);
        }
        let mut versions = Vec::new();
        for tag in header.split(',').map(str::trim) {
            let (weak, opaque) = match tag.strip_prefix("W/") {
                Some(rest) => (true, rest),
                None => (false, tag),
            };
            let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let inner = inner.filter(|inner| opaque.len() > 1 && !inner.contains('"'));
            let inner = inner
                .ok_or_else(|| "must be an entity tag in quotes, like \"3\", or *".to_owned())?;
            // If-Match compares strongly: a weak tag is well-formed and matches nothing.
            if let (false, Ok(version)) = (weak, inner.parse::<u64>()) {
                versions.push(version);
            }
        }
        Ok(IfMatch::Versions(versions))
    }

    pub fn check(&self, current: u64) -> Result<(), Error> {
        match self {
            IfMatch::Any => Ok(()),
            IfMatch::Versions(versions) if versions.contains(&current) => Ok(()),
            IfMatch::Versions(_) => Err(Error::version_mismatch(current)),
        }
    }
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
        ] {
            assert_eq!(IfMatch::parse(header).unwrap().check(3).is_ok(), matches, "{header}");
        }
        for bad in ["", "3", "\"", "\"3", "\"3\",", "\"3\"\"4\""] {
            assert!(IfMatch::parse(bad).is_err(), "{bad}");
        }
    }
}
