//! Who owns and controls a customer: what follows from a declared structure. Pure.
//!
//! Parties are named by their index; the customer itself is number 0 everywhere.

mod chains;
mod control;
mod effective;
mod group;
mod picture;
mod statement;
#[cfg(test)]
mod tests;
mod view;
mod warnings;

pub use effective::{Effective, Holding, effective};
pub use picture::picture;
pub use statement::{DEFAULT_THRESHOLD, Statement, parse_threshold, view};
pub use view::{Basis, BeneficialOwner, Chain, Officer, Shareholder, View};
pub use warnings::{Warning, WarningCode};
