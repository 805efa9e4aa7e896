//! Answers every HTTP event with a constant. This function is the baseline for HTTP functions.

use lambda_http::{Body, Error, Request, Response, service_fn};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = async |_: Request| {
        let body = Body::from(json!({ "message": "hello" }).to_string());
        let response = Response::builder().header("content-type", "application/json").body(body)?;
        Ok::<Response<Body>, Error>(response)
    };
    // The functions of the API do not use `lambda_http::run` either. It would add a tracing span
    // per request.
    lambda_http::runtime(service_fn(hello)).run().await
}
