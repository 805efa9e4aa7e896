//! Ids: UUIDv7 strings, so they sort by creation; but for those of alerts, which say what they are of.

use std::fmt;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{ContextV7, NoContext, Uuid};

use super::time::{Timestamp, parse_nanos};
use super::value::Issue;

/// An id of its own type: a UUID, written hyphenated and in lower case.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
        pub struct $name(Uuid);

        impl $name {
            pub const MIN: $name = $name(Uuid::nil());
            pub const MAX: $name = $name(Uuid::max());

            pub fn new(id: Uuid) -> $name {
                $name(id)
            }

            /// Only the form we give out. Anything else is an id of nobody.
            pub fn parse(text: &str) -> Option<$name> {
                let id = Uuid::try_parse(text).ok()?;
                (id.to_string() == text).then_some($name(id))
            }

            pub fn created_at(&self) -> Timestamp {
                Timestamp::from_millis((self.0.as_u128() >> 80) as i64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A customer's id. Its first 48 bits are the millisecond the customer was created in.
    CustomerId
}

id! {
    /// A KYC session's id. Its first 48 bits are the millisecond the session was created in.
    SessionId
}

id! {
    /// An alert's id: a UUIDv8, made of the customer, the subject, the list and the entry.
    AlertId
}

impl AlertId {
    /// `subject` is `self` or the id of a party; none of the parts can hold a line feed.
    pub fn of(customer: &CustomerId, subject: &str, list: &str, entity: &str) -> AlertId {
        let parts = format!("{customer}\n{subject}\n{list}\n{entity}");
        let digest = Sha256::digest(parts.as_bytes());
        AlertId(Uuid::new_v8(digest.first_chunk().copied().unwrap_or_default()))
    }
}

impl CustomerId {
    /// For `created_after`: the smallest id of what is created strictly later.
    pub fn first_after(text: &str) -> Result<CustomerId, Issue> {
        instant(text).map(|nanos| CustomerId::first_at(nanos.div_euclid(NANOS_PER_MILLI) + 1))
    }

    /// For `created_before`: the largest id of what is created strictly earlier.
    pub fn last_before(text: &str) -> Result<CustomerId, Issue> {
        instant(text).map(|nanos| CustomerId::last_at((nanos - 1).div_euclid(NANOS_PER_MILLI)))
    }

    fn first_at(millis: i128) -> CustomerId {
        CustomerId(Uuid::from_u128(in_48_bits(millis) << 80))
    }

    fn last_at(millis: i128) -> CustomerId {
        CustomerId(Uuid::from_u128((in_48_bits(millis) << 80) | (u128::MAX >> 48)))
    }
}

const NANOS_PER_MILLI: i128 = 1_000_000;

/// An id tells times from 1970 to the year 10889. Outside of it nothing was or will be created.
fn in_48_bits(millis: i128) -> u128 {
    millis.clamp(0, (1 << 48) - 1).unsigned_abs()
}

fn instant(text: &str) -> Result<i128, Issue> {
    let issue = "must be an RFC 3339 time like 2026-11-22T10:30:00Z (a + in it is written %2B)";
    parse_nanos(text).ok_or_else(|| issue.to_owned())
}

/// Makes UUIDv7 ids. Ids of one maker sort in the order they were made, also within a millisecond.
#[derive(Clone)]
pub struct Ids(Arc<Mutex<ContextV7>>);

impl Default for Ids {
    fn default() -> Ids {
        Ids(Arc::new(Mutex::new(ContextV7::new())))
    }
}

impl Ids {
    pub fn next(&self, now: Timestamp) -> Uuid {
        let (seconds, nanos) = unix(now);
        // A poisoned lock only means that another thread panicked between two ids.
        let context = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanos))
    }

    /// An id of just this millisecond, whatever was made before.
    pub fn at(&self, time: Timestamp) -> Uuid {
        let (seconds, nanos) = unix(time);
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
    }
}

fn unix(time: Timestamp) -> (u64, u32) {
    let millis = time.millis().max(0).unsigned_abs();
    (millis / 1_000, (millis % 1_000) as u32 * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_they_were_made_and_carry_their_millisecond() {
        let (ids, now) = (Ids::default(), Timestamp::from_millis(1_795_000_000_123));
        let made: Vec<CustomerId> = (0..2_000).map(|_| CustomerId::new(ids.next(now))).collect();
        assert!(made.is_sorted());
        assert_eq!(made[0].created_at(), now);
        let at = i128::from(now.millis());
        assert!(CustomerId::first_at(at) <= made[0] && made[1_999] <= CustomerId::last_at(at));
        let text = now.to_string();
        assert!(CustomerId::last_before(&text).unwrap() < made[0]);
        assert!(CustomerId::first_after(&text).unwrap() > made[1_999]);
    }

    #[test]
    fn only_the_form_we_give_out_is_an_id() {
        let id = "0193b3a0-0000-7000-8000-00000000abcd";
        assert_eq!(CustomerId::parse(id).unwrap().to_string(), id);
        for other in ["0193B3A0-0000-7000-8000-00000000ABCD", "0193b3a000007000800000000000abcd"] {
            assert_eq!(CustomerId::parse(other), None);
        }
    }
}
