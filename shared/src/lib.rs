//! What every function of kyc-customers is made of: the models, the verified caller,
//! the HTTP layer and the one door to DynamoDB.

pub mod app;
pub mod auth;
pub mod aws;
mod deadline;
pub mod error;
pub mod events;
pub mod http;
pub mod job;
pub mod lambda;
pub mod model;
pub mod monitoring;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod ownership;
pub mod risk;
pub mod store;
pub mod telemetry;

pub use drawing;
pub use screening;

pub use app::App;
pub use auth::{Caller, Permission};
pub use error::{Code, Error};
pub use http::{Request, Response};
