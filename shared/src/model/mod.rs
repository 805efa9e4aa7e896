//! The domain types: every type that is stored or returned.
//!
//! A value is parsed once, at the edge, and is valid from then on. The module performs no I/O and
//! reads neither the clock nor the environment.

pub mod alert;
pub mod customer;
pub mod erased;
pub mod event;
pub mod fields;
pub mod fold;
pub mod id;
pub mod monitor;
pub mod organization;
pub mod patch;
pub mod percentage;
pub mod profile;
pub mod risk;
pub mod session;
pub mod time;
pub mod value;
