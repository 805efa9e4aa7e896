//! Compares the permissions that policies grant with the accesses of calls.

use std::fmt;

/// An action on a resource that a policy allows, and the partition keys it is limited to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub action: String,
    /// ARN of the resource. A `*` at the end matches any text.
    pub resource: String,
    /// Pattern for partition keys, from the condition `dynamodb:LeadingKeys`. A `*` at the end
    /// matches any text. `None` allows any key.
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

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == pattern,
    }
}
