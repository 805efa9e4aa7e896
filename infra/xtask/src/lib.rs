//! Checks and generators for contributors. `cargo xtask` runs them; the tests of this crate assert them.

pub mod imports;
pub mod prose;
pub mod repository;
