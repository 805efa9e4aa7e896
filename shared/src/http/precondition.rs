//! Parses and checks `If-Match` and `If-None-Match` (RFC 9110, 13.1).
//!
//! An entity tag is the version of a resource in quotes, like `"3"`. If an answer also contains
//! values that change without a new version, a digest of the answer follows: `"3-5d41402a"`.
//! `If-Match` compares only the version, because it protects against overwriting a concurrent
//! change. `If-None-Match` compares the whole tag, because the caller needs a new answer whenever
//! any value in it differs.

use serde::Serialize;

use crate::error::Error;

/// Precondition of a change: the version that the resource must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum IfMatch {
    /// There is no header, so the last write wins.
    Absent,
    /// The header is `*`: the resource must exist and can have any version.
    Any,
    /// The entity tags in the header. A strong one must have the current version.
    Tags(Vec<Tag>),
}

/// Precondition of a read: the answers that the caller already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfNoneMatch {
    /// There is no header, so the answer is always sent.
    Absent,
    /// The header is `*`: the answer is not sent if the resource exists.
    Any,
    /// The entity tags in the header.
    Tags(Vec<Tag>),
}

/// An entity tag of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Whether the tag starts with `W/`. The service sends only strong tags, but a proxy that
    /// compresses answers makes weak tags of them.
    is_weak: bool,
    /// The text between the quotes.
    text: String,
}

impl Tag {
    fn has_version(&self, version: u64) -> bool {
        let (text, _digest) = self.text.split_once('-').unwrap_or((&self.text, ""));
        text == version.to_string()
    }
}

impl IfMatch {
    /// Name of the header.
    pub const HEADER: &'static str = "If-Match";
    /// Pattern of the header, for the OpenAPI document.
    pub const PATTERN: &'static str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

    pub(super) fn parse(header: &str) -> Result<IfMatch, String> {
        Ok(tags(header)?.map_or(IfMatch::Any, IfMatch::Tags))
    }

    /// Checks the precondition against the current version. `current` is `None` if the resource
    /// does not exist. The comparison is strong: a weak tag never matches.
    ///
    /// # Errors
    /// `VersionMismatch` if the precondition is not met.
    pub fn check(&self, current: Option<u64>) -> Result<(), Error> {
        let (tags, current) = match (self, current) {
            (IfMatch::Absent, _) | (IfMatch::Any, Some(_)) => return Ok(()),
            (IfMatch::Any | IfMatch::Tags(_), None) => return Err(Error::version_mismatch(None)),
            (IfMatch::Tags(tags), Some(current)) => (tags, current),
        };
        let mut matches = tags.iter().filter(|tag| tag.has_version(current));
        match matches.clone().any(|tag| !tag.is_weak) {
            true => Ok(()),
            false if matches.next().is_some() => Err(Error::weak_entity_tag(current)),
            false => Err(Error::version_mismatch(Some(current))),
        }
    }
}

impl IfNoneMatch {
    /// Name of the header.
    pub const HEADER: &'static str = "If-None-Match";

    pub(super) fn parse(header: &str) -> Result<IfNoneMatch, String> {
        Ok(tags(header)?.map_or(IfNoneMatch::Any, IfNoneMatch::Tags))
    }

    /// Returns whether the caller already has the answer with this entity tag, in quotes. The
    /// comparison is weak, so a tag that a proxy has weakened matches.
    pub(super) fn matches(&self, etag: &str) -> bool {
        match self {
            IfNoneMatch::Absent => false,
            IfNoneMatch::Any => true,
            IfNoneMatch::Tags(tags) => tags.iter().any(|tag| etag.trim_matches('"') == tag.text),
        }
    }
}

/// Parses the list of entity tags in a header. Returns `None` for `*`.
fn tags(header: &str) -> Result<Option<Vec<Tag>>, String> {
    if header.trim() == "*" {
        return Ok(None);
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
        let (text, after) = tag.filter(|(text, _)| is_opaque(text)).ok_or_else(issue)?;
        tags.push(Tag { is_weak, text: text.to_owned() });
        rest = match after.trim_start().strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.trim().is_empty() => return Ok(Some(tags)),
            None => return Err(issue()),
        };
    }
}

/// Returns whether a text contains only characters that this service accepts between the quotes of
/// an entity tag: printable ASCII without space.
fn is_opaque(tag: &str) -> bool {
    tag.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_strong_tag_of_the_current_version_matches() {
        for (header, matches) in [
            ("\"3\"", true),
            ("\"2\", \"3\"", true),
            ("\"3-5d41402a\"", true),
            ("W/\"3\", \"3\"", true),
            ("*", true),
            ("W/\"3\"", false),
            ("W/\"3-5d41402a\"", false),
            ("\"4\"", false),
            ("\"4-3\"", false),
            ("\"x\"", false),
            ("\"03\"", false),
            ("\"+3\"", false),
            ("\"-3\"", false),
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
            assert!(IfNoneMatch::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_error_says_that_a_proxy_has_weakened_the_tag() {
        let message = |header| IfMatch::parse(header).unwrap().check(Some(3)).unwrap_err().message;
        assert!(message("W/\"3\"").contains("weak"), "{}", message("W/\"3\""));
        assert!(!message("W/\"2\"").contains("weak"), "{}", message("W/\"2\""));
    }

    #[test]
    fn a_read_compares_the_whole_tag_and_ignores_weakness() {
        for (header, etag, matches) in [
            ("\"3\"", "\"3\"", true),
            ("W/\"3\"", "\"3\"", true),
            ("\"1\", W/\"3-ab\"", "\"3-ab\"", true),
            ("*", "\"3\"", true),
            ("\"3\"", "\"3-ab\"", false),
            ("\"3-ab\"", "\"3\"", false),
            ("\"30\"", "\"3\"", false),
        ] {
            assert_eq!(IfNoneMatch::parse(header).unwrap().matches(etag), matches, "{header}");
        }
        assert!(!IfNoneMatch::Absent.matches("\"3\""));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in any::<String>(), version in any::<u64>()) {
            if let Ok(if_match) = IfMatch::parse(&header) {
                let _ = if_match.check(Some(version));
            }
        }

        #[test]
        fn a_tag_matches_its_own_version_only(version in any::<u64>(), other in any::<u64>()) {
            let if_match = IfMatch::parse(&format!("\"{version}\"")).unwrap();
            prop_assert_eq!(if_match.check(Some(other)).is_ok(), version == other);
        }
    }
}
