//! Rate limits for each tenant: one token bucket for each class of routes.
//!
//! A bucket is stored as one number, the time at which it is full again. A request takes a token by
//! moving this time, or the current time if the bucket is full, forward by the refill time of one
//! token. The request is refused if the bucket would then need longer to fill than an empty bucket
//! does. This is the generic cell rate algorithm (ITU-T I.371).
//!
//! The stored time depends on the limit that applied when it was written. After a change of the
//! limit it can be later than any time that the new limit allows. The bucket then counts as one with
//! a single token.

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
/// Time by which the clocks of two functions may differ, in microseconds. A stored time that is
/// later than an empty bucket allows by more than this comes from another limit.
const CLOCK_TOLERANCE: i64 = SECOND;

/// A class of routes. The routes of a class share one bucket per tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::AsRefStr, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum RouteClass {
    /// Routes that read.
    Read,
    /// Routes that change something.
    Write,
    /// Expensive routes: those that return or replace an organization, or start monitoring.
    Heavy,
}

impl RouteClass {
    /// Returns the class of a route, which is written as in the template: `GET /customers/{id}`.
    pub fn of(route: &str) -> RouteClass {
        match route {
            "GET /customers/{id}/organization"
            | "HEAD /customers/{id}/organization"
            | "PUT /customers/{id}/organization"
            | "POST /customers/{id}/monitor" => RouteClass::Heavy,
            _ if route.starts_with("GET ") || route.starts_with("HEAD ") => RouteClass::Read,
            _ => RouteClass::Write,
        }
    }
}

/// Refill rate and size of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Number of tokens per second, from 1 to 1,000.
    pub rate: u32,
    /// Number of tokens in a full bucket, at least 1.
    pub burst: u32,
}

/// The limits of each class. `None` means that the class has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Limit of [`RouteClass::Read`].
    pub read: Option<RateLimit>,
    /// Limit of [`RouteClass::Write`].
    pub write: Option<RateLimit>,
    /// Limit of [`RouteClass::Heavy`].
    pub heavy: Option<RateLimit>,
}

impl RateLimits {
    /// Returns the limit of a class.
    pub fn of(&self, class: RouteClass) -> Option<RateLimit> {
        match class {
            RouteClass::Read => self.read,
            RouteClass::Write => self.write,
            RouteClass::Heavy => self.heavy,
        }
    }
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It has all of its tokens.
    Full,
    /// It has at least one token.
    Filling,
    /// It has no token.
    Empty,
    /// Its time was stored under another limit and is too late for this one.
    Outdated,
}

/// The state of a bucket after a request, for the headers of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Number of tokens in a full bucket.
    pub limit: u32,
    /// Time in which an empty bucket fills, in seconds, rounded up.
    pub window: u32,
    /// Number of tokens that are left.
    pub remaining: u32,
    /// Time until the bucket is full, in seconds, rounded up.
    pub reset: u32,
    /// Time until a token is available, in seconds, rounded up. `None` if the request got a token.
    pub retry_after: Option<u32>,
}

impl RateLimit {
    /// Returns the time that one token takes to refill, in microseconds.
    pub fn interval(self) -> i64 {
        SECOND / i64::from(self.rate.max(1))
    }

    /// Returns the latest time at which a bucket may be full again if it still has a token at
    /// `now`. Times are in microseconds.
    pub fn max_full_at(self, now: i64) -> i64 {
        now + i64::from(self.burst.saturating_sub(1)) * self.interval()
    }

    /// Returns the time at which a bucket is full again that gives its last token at `now`. Times are
    /// in microseconds.
    pub fn empty_full_at(self, now: i64) -> i64 {
        self.max_full_at(now) + self.interval()
    }

    /// Returns the latest time at which a bucket with this limit can be full again, in microseconds.
    pub fn outdated_after(self, now: i64) -> i64 {
        self.empty_full_at(now) + CLOCK_TOLERANCE
    }

    /// Returns how full a bucket is that is full again at `full_at`. Times are in microseconds.
    pub fn level(self, full_at: i64, now: i64) -> Level {
        if full_at <= now {
            Level::Full
        } else if full_at <= self.max_full_at(now) {
            Level::Filling
        } else if full_at <= self.outdated_after(now) {
            Level::Empty
        } else {
            Level::Outdated
        }
    }

    /// Returns the state of a bucket that is full again at `full_at`. `full_at` and `now` are in
    /// microseconds. `is_refused` is `true` if the request did not get a token.
    pub fn quota(self, full_at: i64, now: i64, is_refused: bool) -> Quota {
        let missing = (full_at - now).max(0);
        let taken = u32::try_from(div_ceil(missing, self.interval())).unwrap_or(u32::MAX);
        let wait = full_at - self.max_full_at(now);
        Quota {
            limit: self.burst,
            window: seconds(i64::from(self.burst) * self.interval()),
            remaining: self.burst.saturating_sub(taken),
            reset: seconds(missing),
            retry_after: is_refused.then(|| seconds(wait).max(1)),
        }
    }
}

/// Converts microseconds to seconds, rounded up.
fn seconds(micros: i64) -> u32 {
    u32::try_from(div_ceil(micros, SECOND)).unwrap_or(u32::MAX)
}

fn div_ceil(dividend: i64, divisor: i64) -> i64 {
    (dividend.max(0) + divisor - 1) / divisor.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes a token as the store does. Returns whether the bucket had one.
    fn take(limit: RateLimit, full_at: &mut i64, now: i64) -> bool {
        *full_at = match limit.level(*full_at, now) {
            Level::Full => now + limit.interval(),
            Level::Filling => *full_at + limit.interval(),
            Level::Outdated => limit.empty_full_at(now),
            Level::Empty => return false,
        };
        true
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let limit = RateLimit { rate: 2, burst: 3 };
        let (mut full_at, now) = (0, 100 * SECOND);
        for remaining in [2, 1, 0] {
            assert!(take(limit, &mut full_at, now));
            assert_eq!(limit.quota(full_at, now, false).remaining, remaining);
        }
        assert!(!take(limit, &mut full_at, now));
        let refused = limit.quota(full_at, now, true);
        let expected = Quota { limit: 3, window: 2, remaining: 0, reset: 2, retry_after: Some(1) };
        assert_eq!(refused, expected);
        assert!(take(limit, &mut full_at, now + SECOND / 2));
        assert!(!take(limit, &mut full_at, now + SECOND / 2));
    }

    #[test]
    fn a_drained_bucket_refills_at_once_at_a_new_limit() {
        let now = 100 * SECOND;
        let old = RateLimit { rate: 1, burst: 10_000 };
        for new in [RateLimit { rate: 100, burst: 10_000 }, RateLimit { rate: 1, burst: 5 }] {
            let mut full_at = old.empty_full_at(now);
            assert!(take(new, &mut full_at, now));
            assert!(!take(new, &mut full_at, now));
            assert!(take(new, &mut full_at, now + new.interval()));
        }
    }

    proptest! {
        #[test]
        fn no_period_has_more_requests_than_the_bucket_allows(
            rate in 1_u32..=1_000, burst in 1_u32..50,
            pauses in prop::collection::vec(0_i64..200_000, 1..200),
        ) {
            let limit = RateLimit { rate, burst };
            let (mut full_at, mut now) = (0, SECOND);
            let mut taken = Vec::new();
            for pause in pauses {
                now += pause;
                if take(limit, &mut full_at, now) {
                    taken.push(now);
                }
                let quota = limit.quota(full_at, now, false);
                prop_assert!(quota.remaining <= burst && quota.reset <= quota.window);
                // `remaining` is above 0 exactly if the next request gets a token.
                prop_assert_eq!(quota.remaining > 0, full_at <= limit.max_full_at(now));
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let refilled = (to - from) / limit.interval();
                    prop_assert!((last - first) as i64 <= i64::from(burst) + refilled);
                }
            }
        }
    }
}
