//! What the product is about: typed, parsed once, and free of I/O, clock and environment.

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
