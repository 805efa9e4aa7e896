//! The runtime around a handler: everything a function's `main` does.

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
pub use lambda_runtime::Error;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

use crate::app::App;
use crate::http::edge::{Function, answer};
use crate::telemetry;

/// Starts the function and answers events until the sandbox is taken down.
pub async fn run(function: Function) -> Result<(), Error> {
    telemetry::init();
    let app = App::from_env().await?;
    // INIT has two full processors whatever the memory setting is; the first request has not.
    app.table.warm().await;
    let app = &app;
    let function = &function;
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let answered = answer(app, function, &event.payload, &event.context.request_id).await;
        Ok::<ApiGatewayV2httpResponse, Diagnostic>(answered)
    });
    // Not `lambda_runtime::run`: it adds a span per request, and the one log line is ours.
    Runtime::new(service).run().await
}
