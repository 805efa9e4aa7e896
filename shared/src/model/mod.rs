//! The domain types: every type that is stored or returned.
//!
//! A value is parsed once, when a request is read or an item is loaded, and is valid from then on.
//! This module performs no I/O and does not read the environment. It reads the clock only in
//! [`time::Clock`].
#![warn(missing_docs)]

pub mod alert;
pub mod answer;
pub mod customer;
pub mod erased;
pub mod event;
pub mod export;
pub mod fields;
pub mod fold;
pub mod frequency;
pub mod id;
pub mod idempotency;
pub mod limit;
pub mod monitor;
pub mod organization;
pub mod page;
pub mod patch;
pub mod percentage;
pub mod profile;
pub mod rescreen;
pub mod retention;
pub mod risk;
#[cfg(feature = "openapi")]
pub mod schema;
pub mod scope;
pub mod screened;
pub mod session;
pub mod time;
pub mod value;
mod version;
pub mod watchlist;
