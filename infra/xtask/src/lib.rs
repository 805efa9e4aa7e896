//! Checks and generators for contributors. `cargo xtask` runs them; the tests of this crate assert them.

pub mod commands;
pub mod imports;
pub mod new_route;
pub mod prose;
pub mod repository;
