//! Types for ids. The ids of customers and sessions are UUIDv7 (RFC 9562), so they sort by time of
//! creation. The id of an alert is a UUIDv8 that is derived from the match.

use std::fmt;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{ContextV7, NoContext, Uuid};

use super::time::{Timestamp, parse_nanos};
use super::value::Issue;

/// Defines an id type: a UUID, written with hyphens and in lower case.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
        pub struct $name(Uuid);

        impl $name {
            /// The smallest id in sort order.
            pub const MIN: $name = $name(Uuid::nil());
            /// The largest id in sort order.
            pub const MAX: $name = $name(Uuid::max());

            /// Makes an id from a UUID.
            pub fn new(id: Uuid) -> $name {
                $name(id)
            }

            /// Parses an id in the form in which the API returns it: hyphenated, in lower case.
            /// Returns `None` for any other text; callers report a malformed id as not found.
            pub fn parse(text: &str) -> Option<$name> {
                let id = Uuid::try_parse(text).ok()?;
                (id.to_string() == text).then_some($name(id))
            }

            /// Returns the time in the first 48 bits, which are milliseconds since 1970. Only a
            /// UUIDv7 contains a time there.
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
    /// Id of a customer: a UUIDv7. The first 48 bits are the time of creation, in milliseconds
    /// since 1970.
    CustomerId
}

id! {
    /// Id of a KYC session: a UUIDv7. The first 48 bits are the time of creation, in milliseconds
    /// since 1970.
    SessionId
}

id! {
    /// Id of an alert: a UUIDv8, derived from the customer, the subject, the list and the list
    /// entry.
    AlertId
}

impl AlertId {
    /// Derives the id of the alert about a match. `subject` is `self` or the id of a party. The
    /// parts are separated by line feeds, which no part contains.
    #[expect(clippy::expect_used, reason = "the length of a digest is fixed")]
    pub fn of(customer: &CustomerId, subject: &str, list: &str, entity: &str) -> AlertId {
        let parts = format!("{customer}\n{subject}\n{list}\n{entity}");
        let digest = Sha256::digest(parts.as_bytes());
        let first = digest.first_chunk().expect("SHA-256 has 16 bytes because it has 32");
        AlertId(Uuid::new_v8(*first))
    }
}

impl CustomerId {
    /// Returns the smallest id that a customer created after this time can have. The filter
    /// `created_after` starts at this id.
    ///
    /// # Errors
    /// Returns the expected form if the text is not an RFC 3339 time.
    pub fn first_after(text: &str) -> Result<CustomerId, Issue> {
        instant(text).map(|nanos| CustomerId::first_at(nanos.div_euclid(NANOS_PER_MILLI) + 1))
    }

    /// Returns the largest id that a customer created before this time can have. The filter
    /// `created_before` ends at this id.
    ///
    /// # Errors
    /// Returns the expected form if the text is not an RFC 3339 time.
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

/// Limits milliseconds since 1970 to the 48 bits of an id, which end in the year 10889. Every
/// customer is created within this range, so the limit does not change the result of a filter.
fn in_48_bits(millis: i128) -> u128 {
    millis.clamp(0, (1 << 48) - 1).unsigned_abs()
}

fn instant(text: &str) -> Result<i128, Issue> {
    let issue = "must be an RFC 3339 time like 2026-11-22T10:30:00Z, with + encoded as %2B";
    parse_nanos(text).ok_or_else(|| issue.to_owned())
}

/// Generates UUIDv7 ids. The ids of one generator sort in the order in which they were generated,
/// even within a millisecond.
#[derive(Clone)]
pub struct Ids(Arc<Mutex<ContextV7>>);

impl Default for Ids {
    fn default() -> Ids {
        Ids(Arc::new(Mutex::new(ContextV7::new())))
    }
}

impl Ids {
    /// Generates an id whose time is `now`, or the time of the previous id if that is later.
    pub fn next(&self, now: Timestamp) -> Uuid {
        let (seconds, nanos) = unix(now);
        // A poisoned lock means that another thread panicked. The context is still usable.
        let context = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanos))
    }

    /// Generates an id with exactly this time, regardless of the ids generated before.
    pub fn at(&self, time: Timestamp) -> Uuid {
        let (seconds, nanos) = unix(time);
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
    }
}

/// Splits a time into seconds since 1970 and nanoseconds. A time before 1970 becomes 0.
fn unix(time: Timestamp) -> (u64, u32) {
    let millis = time.millis().max(0).unsigned_abs();
    (millis / 1_000, (millis % 1_000) as u32 * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_order_of_generation_and_contain_their_time() {
        let (ids, now) = (Ids::default(), Timestamp::from_millis(1_795_000_000_123));
        let generated: Vec<CustomerId> =
            (0..2_000).map(|_| CustomerId::new(ids.next(now))).collect();
        assert!(generated.is_sorted());
        assert_eq!(generated[0].created_at(), now);
        let at = i128::from(now.millis());
        assert!(
            CustomerId::first_at(at) <= generated[0] && generated[1_999] <= CustomerId::last_at(at)
        );
        let text = now.to_string();
        assert!(CustomerId::last_before(&text).unwrap() < generated[0]);
        assert!(CustomerId::first_after(&text).unwrap() > generated[1_999]);
    }

    #[test]
    fn parse_accepts_only_the_canonical_form() {
        let id = "0193b3a0-0000-7000-8000-00000000abcd";
        assert_eq!(CustomerId::parse(id).unwrap().to_string(), id);
        for other in ["0193B3A0-0000-7000-8000-00000000ABCD", "0193b3a000007000800000000000abcd"] {
            assert_eq!(CustomerId::parse(other), None);
        }
    }
}
