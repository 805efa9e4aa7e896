//! GET /customers: returns one page of the tenant's customers, newest first.

use lambda_http::{Body, Error, Request, Response, run, service_fn};
use rust_peer::store::Store;
use rust_peer::{get_store, response, setup_tracing, tenant};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    setup_tracing();
    let store = get_store().await?;
    run(service_fn(|event: Request| list(&store, event))).await
}

#[tracing::instrument(skip_all)]
async fn list(store: &Store, event: Request) -> Result<Response<Body>, Error> {
    let Some(tenant) = tenant(&event) else {
        return response(401, &json!({ "message": "the token has no tenant" }));
    };
    let page = store.list(&tenant).await?;
    response(200, &json!({ "data": { "items": page.items, "next_cursor": page.next } }))
}
