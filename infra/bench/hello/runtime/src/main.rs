//! Answers every event with a constant. What a function costs above this is its own.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let hello = async |_: LambdaEvent<Value>| Ok::<Value, Error>(json!({ "message": "hello" }));
    // As the functions do: `lambda_runtime::run` would add a span per request.
    Runtime::new(service_fn(hello)).run().await
}
