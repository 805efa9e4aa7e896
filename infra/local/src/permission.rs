//! Compares the permissions that policies grant with the accesses of calls.

use std::fmt;

/// An action on a resource that a policy allows, and the partition keys it is limited to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub action: String,
    /// ARN of the resource. A `*` matches any text.
    pub resource: String,
    /// Pattern for partition keys, from the condition `dynamodb:LeadingKeys`. A `*` matches any
    /// text. `None` allows any key.
    pub leading_keys: Option<String>,
    /// Number of the statement in the function's policies, starting at 1.
    pub statement: usize,
}

/// An access that a call makes and that needs a permission.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Partition key. `None` satisfies any condition on partition keys.
    pub(crate) partition: Option<String>,
}

impl Permission {
    pub(crate) fn covers(&self, access: &Access) -> bool {
        let covers_partition = match (&self.leading_keys, &access.partition) {
            (Some(pattern), Some(partition)) => matches(pattern, partition),
            _ => true,
        };
        self.action == access.action
            && matches(&self.resource, &access.resource)
            && covers_partition
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Permission { action, resource, leading_keys, .. } = self;
        write!(f, "{action} on {resource}")?;
        leading_keys.iter().try_for_each(|keys| write!(f, " where the partition is {keys}"))
    }
}

/// Returns whether a text matches a pattern, in which each `*` matches any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(start) else { return false };
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.filter_map(|at| text.get(at..)).any(|end| matches(rest, end))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn an_asterisk_matches_any_text() {
        for (pattern, text, expected) in [
            ("T#*", "T#acme#C#1", true),
            ("T#*", "LISTS", false),
            ("LISTS", "LISTS", true),
            ("T#*#LIMIT#*", "T#acme#LIMIT#read", true),
            ("T#*#LIMIT#*", "T#acme#C#1", false),
            ("T#*#LIMIT#*", "T#LIMIT#", false),
            ("*end", "the end", true),
            ("*end", "the end.", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
