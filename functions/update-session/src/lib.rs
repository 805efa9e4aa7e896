//! PATCH /kyc/sessions/{session_id}
//!
//! Records the progress and the outcome of a session. An outcome changes the session counters and
//! the risk profile of the customer in the same transaction.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{MERGE_PATCH, Request, Response};
use shared::model::fields::Fields;
use shared::model::session::{Session, SessionPatch};
use shared::runtime::idempotency::once_or_again;
use shared::{App, Error, Permission, sessions};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] =
    &[Permission::Create, Permission::Update, Permission::Review];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let (key, if_match, body, patch) = request.input().read(|input| {
        let (key, if_match) = (input.idempotency_key(), input.if_match());
        let body = input.object(MERGE_PATCH)?;
        let fields = Fields::new(body.clone(), input.faults_mut());
        let patch = SessionPatch::read(fields, caller.may_read(), now);
        Some((key, if_match, body, patch))
    })?;
    sessions::check_fields(&caller, &patch)?;
    let id = request.session_id()?;
    let change = |current: &Session| {
        if_match.check(Some(current.version))?;
        sessions::patched(&caller, current, &patch, now)
    };
    let table = app.tenant(&caller);
    let respond =
        |session: &Session| Response::ok(session).map(|response| response.etag(session.version));
    let update = async |replay| {
        let answer = |session: &Session| Ok(respond(session)?.into_answer());
        let updated = sessions::update(&table, &id, change, now, replay, answer);
        updated.await.map(Response::from)
    };
    let again = async |_| respond(&sessions::get(&table, &id).await?);
    // A repeated request is recognised by the body as it was sent. The parsed patch would differ,
    // because a validation without `at` gets the current time.
    once_or_again(&table, FUNCTION.name, key, &(id, &body, &if_match), now, update, again).await
}
