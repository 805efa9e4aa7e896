//! Screens names against watchlists.
//!
//! The crate reads the files of a list ([`lists`]), folds names from any script into comparable
//! tokens ([`normalise`]), builds and opens index files ([`index`]), scores pairs of names
//! ([`score`]) and returns explained matches ([`Screener`]). It also finds the differences between
//! two versions of a list ([`delta`]) and measures the quality of the matching ([`eval`]).
//!
//! The crate does not use AWS, the clock, the network or the environment. The only function that
//! opens a file is [`index::Index::read`].
#![warn(missing_docs)]

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

pub use import::{ImportError, Imported, import, import_within};
pub use screen::{Match, Query, Screener};
