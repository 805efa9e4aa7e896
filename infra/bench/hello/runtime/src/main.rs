//! Answers every event with a constant. This function is the baseline for functions without HTTP.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = async |_: LambdaEvent<Value>| Ok::<Value, Error>(json!({ "message": "hello" }));
    // As in the functions of the API: `lambda_runtime::run` would add a tracing span per request.
    Runtime::new(service_fn(hello)).run().await
}
