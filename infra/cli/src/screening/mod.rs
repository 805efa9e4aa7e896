//! Implements the commands that build, inspect and evaluate watchlists, and that screen names
//! against them.

pub(crate) mod evaluate;
mod indexes;
pub(crate) mod name;
mod output;
mod progress;
pub(crate) mod watchlists;
