//! Versions of resources.

/// Returns the version of an item that was written before its kind had versions.
pub(super) fn first() -> u64 {
    1
}
