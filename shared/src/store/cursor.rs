//! Cursors of paged lists. A cursor is opaque, and valid only for the tenant, list, filters and
//! order that it was made for. It contains a position but no tenant, because the partition to read
//! always comes from the caller. Its tag is a checksum and not a signature: a forged cursor can
//! only reach another position in the same list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::model::value::TenantId;

const TAG_BYTES: usize = 12;

/// Hash of the tenant, list, filters and order that a cursor belongs to. A cursor of another scope
/// is refused.
pub(super) struct Scope(Sha256);

impl Scope {
    /// Hashes the tenant, the list and `filters`, which contains everything that selects and orders
    /// the rows.
    pub(super) fn new(
        tenant: &TenantId,
        list: &str,
        filters: &impl Serialize,
    ) -> Result<Scope, Error> {
        let filters = serde_json::to_string(filters)
            .map_err(|error| Error::internal(format!("scope: {error}")))?;
        // A newline can separate the parts, because neither a tenant nor the name of a list
        // contains one.
        Ok(Scope(Sha256::new_with_prefix(format!("1\n{}\n{list}\n{filters}\n", tenant))))
    }

    fn tag(&self, position: &str) -> [u8; TAG_BYTES] {
        let digest = self.0.clone().chain_update(position).finalize();
        let mut tag = [0; TAG_BYTES];
        for (byte, digest) in tag.iter_mut().zip(digest) {
            *byte = digest;
        }
        tag
    }

    pub(super) fn seal(&self, position: &str) -> String {
        let mut bytes = self.tag(position).to_vec();
        bytes.extend(position.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn open(&self, cursor: &str) -> Result<String, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::invalid_cursor())?;
        let (tag, position) =
            bytes.split_at_checked(TAG_BYTES).ok_or_else(Error::invalid_cursor)?;
        let position = std::str::from_utf8(position).map_err(|_| Error::invalid_cursor())?;
        if self.tag(position) == tag {
            Ok(position.to_owned())
        } else {
            Err(Error::invalid_cursor())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(filters: &str) -> Scope {
        Scope(Sha256::new_with_prefix(filters))
    }

    proptest! {
        #[test]
        fn a_cursor_opens_in_its_scope_only(position in any::<String>(), filters in ".*", other in ".*") {
            let cursor = scope(&filters).seal(&position);
            prop_assert_eq!(scope(&filters).open(&cursor).unwrap(), position);
            prop_assert_eq!(scope(&other).open(&cursor).is_ok(), filters == other);
        }

        #[test]
        fn an_altered_cursor_does_not_open(position in ".{0,40}", at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let cursor = scope("a").seal(&position);
            let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(scope("a").open(&URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn no_text_opens_or_panics(text in any::<String>()) {
            prop_assert!(scope("a").open(&text).is_err());
        }
    }
}
