//! The request of an API operation: verified claims, path parameters, raw query, headers and body.

use std::collections::HashMap;

use lambda_http::RequestExt;
use lambda_http::http::{HeaderMap, Method};
use lambda_http::request::RequestContext;

use super::input::Input;
use crate::auth::{Caller, ClaimNames, Claims};
use crate::error::{Error, Faults};
use crate::model::id::{AlertId, CustomerId, SessionId};

/// A request as a handler receives it.
#[derive(Debug)]
pub struct Request {
    id: String,
    route: String,
    is_write: bool,
    is_head: bool,
    /// Path of the API in front of the route: the stage and the base path of a custom domain.
    base_path: String,
    path: HashMap<String, String>,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    claims: Option<Claims>,
    /// Faults of the event that contains the request. They are reported together with the other
    /// faults.
    faults: Faults,
}

impl Request {
    /// Makes a request from an event of API Gateway. `names` selects the claims to read. `faults`
    /// contains the faults of the event.
    pub(crate) fn new(
        request: lambda_http::Request,
        names: &ClaimNames,
        faults: Faults,
    ) -> Request {
        let path = request.path_parameters();
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let is_write = !request.method().is_safe();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let is_head = request.method() == Method::HEAD;
        let raw_path = request.raw_http_path().to_owned();
        let (id, route, claims) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                let jwt =
                    context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
                let claims = jwt.filter(|jwt| !jwt.claims.is_empty());
                (
                    context.request_id.clone().unwrap_or_default(),
                    context.route_key.clone().unwrap_or_default(),
                    claims.map(|jwt| Claims::read(&jwt.claims, names)),
                )
            }
            _ => Default::default(),
        };
        let (parts, body) = request.into_parts();
        Request {
            id,
            base_path: base_path(&raw_path, &route).unwrap_or_default(),
            route,
            is_write,
            is_head,
            path,
            query,
            headers: parts.headers,
            body: body.to_vec(),
            claims,
            faults,
        }
    }

    /// Returns the id that API Gateway gave the request. It is empty if the event contains none.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the route as the template writes it, such as `GET /customers/{id}`. It is empty if
    /// the event contains none.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Returns whether the method of the request, such as POST, can change something.
    pub fn is_write(&self) -> bool {
        self.is_write
    }

    /// Returns whether the method is HEAD. A HEAD request is handled as the GET request to the same
    /// path.
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// Returns the path of the API in front of the route, such as `/v1`. It is empty if the API is
    /// at the root of its host.
    pub(super) fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Returns the verified caller.
    ///
    /// # Errors
    /// `Unauthenticated` if there are no verified claims of an access token. `NoTenant` if the
    /// claims contain no valid tenant.
    pub fn caller(&self) -> Result<Caller, Error> {
        Caller::of(self.claims(), &self.id)
    }

    /// Returns the verified claims, or `None` if the event contains none.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// Returns the customer id in the path.
    ///
    /// # Errors
    /// `CustomerNotFound` if the id is malformed.
    pub fn customer_id(&self) -> Result<CustomerId, Error> {
        self.path
            .get("id")
            .and_then(|id| CustomerId::parse(id))
            .ok_or_else(Error::customer_not_found)
    }

    /// Returns the session id in the path.
    ///
    /// # Errors
    /// `SessionNotFound` if the id is malformed.
    pub fn session_id(&self) -> Result<SessionId, Error> {
        self.path
            .get("session_id")
            .and_then(|id| SessionId::parse(id))
            .ok_or_else(Error::session_not_found)
    }

    /// Returns the alert id in the path.
    ///
    /// # Errors
    /// `AlertNotFound` if the id is malformed.
    pub fn alert_id(&self) -> Result<AlertId, Error> {
        self.path
            .get("alert_id")
            .and_then(|id| AlertId::parse(id))
            .ok_or_else(Error::alert_not_found)
    }

    /// Returns a reader of the query, the headers and the body, which collects the faults of all
    /// three.
    pub fn input(&self) -> Input<'_> {
        Input::new(&self.query, &self.headers, &self.body, self.faults.clone())
    }

    /// Checks that a request has no query parameters and no body, for a route that accepts neither.
    ///
    /// # Errors
    /// `ValidationError` with a fault for the body and for each query parameter.
    pub fn no_input(&self) -> Result<(), Error> {
        self.input().read(|_| Some(()))
    }
}

/// Returns the part of a raw path in front of the path of its route. The route has the form
/// `POST /customers/{id}/monitor`. Returns `None` if the route does not fit the path, or if the part
/// has characters that no stage and no base path can have.
fn base_path(raw_path: &str, route: &str) -> Option<String> {
    let (_, template) = route.split_once(' ')?;
    let segments: Vec<&str> = raw_path.split('/').collect();
    let base = segments.get(..segments.len().checked_sub(template.split('/').count() - 1)?)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.$+!*'()".contains(c);
    let fits = base.iter().all(|segment| segment.chars().all(is_plain));
    fits.then(|| base.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_base_path_is_in_front_of_the_route() {
        for (raw_path, route, base) in [
            ("/customers", "POST /customers", Some("")),
            ("/prod/customers", "POST /customers", Some("/prod")),
            ("/kyc/v1/customers", "POST /customers", Some("/kyc/v1")),
            ("/v1/customers/7/monitor", "POST /customers/{id}/monitor", Some("/v1")),
            ("/customers/customers/monitor", "POST /customers/{id}/monitor", Some("")),
            ("/a b/customers", "POST /customers", None),
            ("/customers", "POST /customers/{id}/monitor", None),
            ("", "POST /customers", Some("")),
            ("/customers", "$default", None),
        ] {
            assert_eq!(base_path(raw_path, route).as_deref(), base, "{raw_path} {route}");
        }
    }

    proptest! {
        #[test]
        fn any_path_and_route_have_a_base_path_or_none(path in ".*", route in ".*") {
            let _ = base_path(&path, &route);
        }
    }
}
