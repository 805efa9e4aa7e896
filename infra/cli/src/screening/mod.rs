//! Commands for watchlists: building, inspecting and evaluating them.

pub(crate) mod evaluate;
mod indexes;
pub(crate) mod name;
mod output;
mod progress;
pub(crate) mod watchlists;
