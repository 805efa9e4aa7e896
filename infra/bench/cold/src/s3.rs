//! Serves the part of S3 that the indexes of watchlists need: clients write and read whole objects
//! at path-style addresses. The local server uses the same objects.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use shared::monitoring::watchlists::Watchlists;

/// Maximum size of an object in bytes. A larger object is refused with a 400.
const MAX_BYTES: usize = 64 << 20;

pub(crate) fn router(watchlists: Watchlists) -> Router {
    Router::new().fallback(serve).with_state(watchlists)
}

/// Answers a request to `/{bucket}/{object}`: stores the object if the method is PUT, and otherwise
/// returns the object or a 404.
async fn serve(State(watchlists): State<Watchlists>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let object = path.trim_start_matches('/').split_once('/').map_or("", |(_, object)| object);
    let (status, body) = if request.method() == Method::PUT {
        let is_stored = match axum::body::to_bytes(request.into_body(), MAX_BYTES).await {
            Ok(bytes) => watchlists.put(object, bytes.to_vec()).await.is_ok(),
            Err(_) => false,
        };
        (if is_stored { StatusCode::OK } else { StatusCode::BAD_REQUEST }, Bytes::new())
    } else {
        match watchlists.bytes(object).await {
            Ok(bytes) => (StatusCode::OK, Bytes::from(bytes)),
            Err(_) => (StatusCode::NOT_FOUND, Bytes::from("<Error><Code>NoSuchKey</Code></Error>")),
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}
