//! As much of S3 as indexes of watchlists need: whole objects, written and read by path-style
//! addresses. They are those of the local server.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use shared::monitoring::watchlists::Lists;

/// The largest index that is taken.
const MAX_BYTES: usize = 64 << 20;

pub(crate) fn router(lists: Lists) -> Router {
    Router::new().fallback(serve).with_state(lists)
}

/// `/{bucket}/{object}`.
async fn serve(State(lists): State<Lists>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let object = path.trim_start_matches('/').split_once('/').map_or("", |(_, object)| object);
    let (status, body) = if request.method() == Method::PUT {
        let kept = match axum::body::to_bytes(request.into_body(), MAX_BYTES).await {
            Ok(bytes) => lists.keep(object, bytes.to_vec()).await.is_ok(),
            Err(_) => false,
        };
        (if kept { StatusCode::OK } else { StatusCode::BAD_REQUEST }, Bytes::new())
    } else {
        match lists.bytes(object).await {
            Ok(bytes) => (StatusCode::OK, Bytes::from(bytes)),
            Err(_) => (StatusCode::NOT_FOUND, Bytes::from("<Error><Code>NoSuchKey</Code></Error>")),
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}
