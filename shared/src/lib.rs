//! The code that the functions of kyc-customers share. `ARCHITECTURE.md` shows the modules that
//! each module may import.

pub mod app;
pub mod auth;
pub mod aws;
pub mod customers;
pub mod error;
pub mod events;
#[cfg(test)]
mod fixtures;
pub mod http;
pub mod model;
pub mod monitoring;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod organizations;
pub mod ownership;
pub mod risk;
pub mod risk_profiles;
pub mod runtime;
pub mod sessions;
pub mod store;
pub mod telemetry;

pub use drawing;
pub use screening;

pub use app::App;
pub use auth::{Caller, Permission};
pub use error::{Code, Error};
pub use http::{Request, Response};
