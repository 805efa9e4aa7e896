//! Screening of names against watchlists. Pure: no AWS, no clock, no environment.

pub mod entity;
