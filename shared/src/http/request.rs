//! A request as a handler sees it: verified claims, path parameters, raw query, headers, body.

use std::collections::HashMap;

use lambda_http::RequestExt;
use lambda_http::http::HeaderMap;
use lambda_http::request::RequestContext;

use super::input::Input;
use crate::auth::{Caller, Claims};
use crate::error::{Error, Faults};
use crate::model::id::{AlertId, CustomerId, SessionId};

/// A request of the API.
#[derive(Debug)]
pub struct Request {
    id: String,
    route: String,
    path: HashMap<String, String>,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    claims: Option<Claims>,
    /// Faults of the event itself, reported together with the others.
    faults: Faults,
}

impl Request {
    /// `faults` were found in the event that contains the request.
    pub(crate) fn new(
        request: lambda_http::Request,
        tenant_claim: Option<&str>,
        faults: Faults,
    ) -> Request {
        let path = request.path_parameters();
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let (id, route, claims) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                let jwt =
                    context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
                let claims = jwt.filter(|jwt| !jwt.claims.is_empty());
                (
                    context.request_id.clone().unwrap_or_default(),
                    context.route_key.clone().unwrap_or_default(),
                    claims.map(|jwt| Claims::read(&jwt.claims, tenant_claim)),
                )
            }
            _ => Default::default(),
        };
        let (parts, body) = request.into_parts();
        Request {
            id,
            route,
            path,
            query,
            headers: parts.headers,
            body: body.to_vec(),
            claims,
            faults,
        }
    }

    /// API Gateway's request id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The route as the template writes it, like `GET /customers/{id}`.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The verified caller.
    ///
    /// # Errors
    /// `Unauthenticated` without verified claims, `NoTenant` when they name no tenant.
    pub fn caller(&self) -> Result<Caller, Error> {
        Caller::of(self.claims(), &self.id)
    }

    /// The verified claims, if the event has any.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// The `id` of the path. A malformed id is treated as not found.
    ///
    /// # Errors
    /// `CustomerNotFound` for a malformed id.
    pub fn customer_id(&self) -> Result<CustomerId, Error> {
        self.path
            .get("id")
            .and_then(|id| CustomerId::parse(id))
            .ok_or_else(Error::customer_not_found)
    }

    /// The `session_id` of the path.
    ///
    /// # Errors
    /// `SessionNotFound` for a malformed id.
    pub fn session_id(&self) -> Result<SessionId, Error> {
        self.path
            .get("session_id")
            .and_then(|id| SessionId::parse(id))
            .ok_or_else(Error::session_not_found)
    }

    /// The `alert_id` of the path.
    ///
    /// # Errors
    /// `AlertNotFound` for a malformed id.
    pub fn alert_id(&self) -> Result<AlertId, Error> {
        self.path
            .get("alert_id")
            .and_then(|id| AlertId::parse(id))
            .ok_or_else(Error::alert_not_found)
    }

    /// Reads query, headers and body, and collects the faults of all of them.
    pub fn input(&self) -> Input<'_> {
        Input::new(&self.query, &self.headers, &self.body, self.faults.clone())
    }

    /// Checks the request of a route that takes no query parameters, preconditions or body.
    ///
    /// # Errors
    /// `ValidationError` that names everything that is given.
    pub fn no_input(&self) -> Result<(), Error> {
        self.input().read(|_| Some(()))
    }
}
