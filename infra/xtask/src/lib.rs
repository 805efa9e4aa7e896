//! Provides checks and generators for contributors. `cargo xtask` runs the checks, and the tests of
//! this crate assert their results.

pub mod commands;
pub mod imports;
pub mod new_route;
pub mod prose;
pub mod repository;
