//! Computes who owns and controls a customer from its declared ownership structure.
//!
//! Everything here is pure: the same structure always gives the same result. Parties are referred
//! to by their place: the customer has place 0, and the party at index `i` of the structure has
//! place `i + 1`.

mod analysis;
mod chains;
mod control;
mod effective;
mod group;
mod owners;
mod picture;
mod statement;
#[cfg(test)]
mod tests;
mod view;
mod warnings;

pub use effective::{Effective, Holding, effective};
pub use owners::{Basis, BeneficialOwner, Chain, Officer, Shareholder};
pub use picture::picture;
pub use statement::{DEFAULT_THRESHOLD, Statement, parse_threshold, view};
pub use view::View;
pub use warnings::{Warning, WarningCode};
