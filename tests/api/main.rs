//! The API from outside. The modules mirror the routes; `matrix` and `coverage` fail by themselves
//! when a route is added without them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod artifacts;
mod audit;
mod chaos;
mod coverage;
mod crash;
mod customers;
mod deployed;
mod histories;
mod hostile;
mod idempotency;
mod invariants;
mod isolation;
mod limits;
mod matrix;
mod monitoring;
mod organization;
mod overload;
mod policies;
mod redaction;
mod risk;
mod round_trips;
mod sessions;
mod table;
mod tokens;
