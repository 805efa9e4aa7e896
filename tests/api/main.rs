//! Tests the API as a black box over HTTP. The folders follow the routes. If a route is added
//! without a row in `matrix`, `coverage` fails.
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
mod conventions;
mod coverage;
mod crash;
mod customers;
mod deployed;
mod erasure_check;
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
mod permissions;
mod policies;
mod redaction;
mod risk;
mod round_trips;
mod sessions;
mod table;
mod tenant_limits;
mod tokens;
