//! Answers every event with a constant. This function is the baseline for functions without HTTP.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = async |_: LambdaEvent<Value>| Ok::<Value, Error>(json!({ "message": "hello" }));
    // The functions of the API do not use `lambda_runtime::run` either. It would add a tracing span
    // per request.
    Runtime::new(service_fn(hello)).run().await
}
