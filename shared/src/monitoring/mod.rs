//! Monitoring: who of a customer is screened against which lists, what is news about it, how lists
//! get in place, and the passes over everybody who is monitored.

pub mod bucket;
pub mod check;
pub mod lists;
pub mod pass;
pub mod refresh;
pub mod source;
pub mod subject;

#[cfg(test)]
mod properties;
