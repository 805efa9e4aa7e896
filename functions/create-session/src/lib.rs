//! POST /kyc/sessions
//!
//! Creates a session of the customer that `customer_id` or `client_id` names. A `client_id` that
//! nobody has creates the customer with the session; of two first calls at once, both sessions
//! belong to the one customer.

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

pub const PERMISSION: Permission = Permission::Create;

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct CreatedSession<'a> {
    #[serde(flatten)]
    session: &'a Session,
    /// Whether the customer was created with it.
    customer_created: bool,
}

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSION)?;
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
            Ok(Response::created(&created, location)?.into_answer())
        };
        let answer = sessions::create(&table, &new, session_id, new_customer, replay, answer);
        answer.await.map(Response::from)
    };
    once(&table, FUNCTION.name, key, &new, now, create).await
}
