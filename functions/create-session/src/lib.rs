//! POST /kyc/sessions
//!
//! Creates a session for the customer that `customer_id` or `client_id` identifies. If no customer
//! has the `client_id`, the customer is created in the same transaction. If two requests with the
//! same new `client_id` arrive at the same time, both sessions belong to the same customer.

#[cfg(feature = "openapi")]
mod openapi;

use serde::Serialize;
use shared::http::{JSON, Request, Response};
use shared::model::fields::Fields;
use shared::model::id::{CustomerId, SessionId};
use shared::model::session::{NewSession, READ_ONLY, Session};
use shared::runtime::idempotency::once;
use shared::{App, Error, Permission, sessions};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Create];

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct CreatedSession<'a> {
    #[serde(flatten)]
    session: &'a Session,
    /// Whether the request also created the customer.
    customer_created: bool,
}

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (key, new) = request.input().read(|input| {
        let key = input.idempotency_key();
        let mut fields = Fields::new(input.object(JSON)?, input.faults_mut());
        let new = NewSession::read(&mut fields);
        fields.done(READ_ONLY);
        Some((key, new?))
    })?;

    let now = app.clock.now();
    let table = app.tenant(&caller);
    let create = async |replay| {
        let session_id = SessionId::new(app.ids.next(now));
        let new_customer = CustomerId::new(app.ids.next(now));
        let answer = |session: &Session, customer_created| {
            let location = format!("/kyc/sessions/{session_id}");
            let created = CreatedSession { session, customer_created };
            Ok(Response::created(&created, location)?.etag(session.version).into_answer())
        };
        let answer = sessions::create(&table, &new, session_id, new_customer, replay, answer);
        answer.await.map(Response::from)
    };
    once(&table, FUNCTION.name, key, &new, now, create).await
}
