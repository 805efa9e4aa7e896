//! Runs handlers and jobs on Lambda: event in, request to a handler, response out.

pub mod deadline;
pub mod edge;
pub mod idempotency;
pub mod job;
pub mod lambda;
pub mod limits;
