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
use shared::model::id::SessionId;
use shared::model::session::{NewSession, READ_ONLY, Session};
use shared::{App, Caller, Error, Permission};

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
    let caller = Caller::of(request)?.may(PERMISSION)?;
    let (key, new) = request.input().read(|input| {
        let key = input.idempotency_key();
        let mut fields = Fields::new(input.object(JSON)?, input.faults_mut());
        let new = NewSession::read(&mut fields);
        fields.done(READ_ONLY);
        Some((key, new?))
    })?;

    let now = app.clock.now();
    let table = app.table.tenant(&caller);
    let create = async |replay| {
        let session_id = SessionId::new(app.ids.next(now));
        let answer = |session: &Session, customer_created| {
            let location = format!("/kyc/sessions/{session_id}");
            Response::created(&CreatedSession { session, customer_created }, location)
        };
        table.create_session(&new, session_id, replay, answer).await
    };
    table.once(FUNCTION.name, key, &new, now, create).await
}
