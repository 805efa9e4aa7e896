//! GET /customers/{id}: returns a customer.

use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use rust_peer::store::Store;
use rust_peer::{get_store, response, setup_tracing, tenant};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    setup_tracing();
    let store = get_store().await?;
    run(service_fn(|event: Request| get(&store, event))).await
}

#[tracing::instrument(skip_all)]
async fn get(store: &Store, event: Request) -> Result<Response<Body>, Error> {
    let Some(tenant) = tenant(&event) else {
        return response(401, &json!({ "message": "the token has no tenant" }));
    };
    let parameters = event.path_parameters();
    let Some(id) = parameters.first("id") else {
        tracing::warn!("Missing 'id' parameter in path");
        return response(400, &json!({ "message": "Missing 'id' parameter in path" }));
    };
    match store.get(&tenant, id).await? {
        Some(customer) => response(200, &json!({ "data": customer })),
        None => response(404, &json!({ "message": "the customer does not exist" })),
    }
}
