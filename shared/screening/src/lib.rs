//! Screening of names against watchlists. Pure: no AWS, no clock, no environment.

pub mod delta;
pub mod entity;
pub mod eval;
mod import;
pub mod index;
pub mod lists;
pub mod normalise;
pub mod score;
mod screen;
#[cfg(test)]
mod tests;

pub use import::{Failed, Imported, import};
pub use screen::{Match, Query, Screener};
