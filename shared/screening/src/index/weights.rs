//! Sums the token weights of each name. Retrieval uses the sums to skip names without comparing
//! them.

use crate::normalise::Class;
use crate::score::Part;

/// Total weights of a name, and counts of its tokens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weights {
    /// Sum of the weights of the tokens by which the name can be retrieved.
    pub searchable: f32,
    /// Sum of the weights of all other tokens.
    pub minor: f32,
    /// Number of significant tokens, see [`Class::is_significant`].
    pub significant: u8,
    /// Number of initials.
    pub initials: u8,
}

impl Weights {
    pub(super) fn of(parts: &[Part<'_>]) -> Weights {
        let mut weights = Weights::default();
        for part in parts {
            if is_searchable(part.class) {
                weights.searchable += part.weight();
            } else {
                weights.minor += part.weight();
            }
            weights.significant += u8::from(part.class.is_significant());
            weights.initials += u8::from(part.class == Class::Initial);
        }
        weights
    }
}

/// Returns whether a name can be retrieved by a token of this class.
pub(super) fn is_searchable(class: Class) -> bool {
    class.is_significant() || class == Class::Generic
}
