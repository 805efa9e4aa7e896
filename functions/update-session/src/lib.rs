//! PATCH /kyc/sessions/{session_id}
//!
//! Records the progress and the outcome of a session. An outcome changes the session counters and
//! the risk profile of the customer in the same transaction.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{MERGE_PATCH, Request, Response};
use shared::model::fields::Fields;
use shared::model::session::{READ_ONLY, SessionPatch};
use shared::{App, Error, Permission, sessions};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] =
    &[Permission::Create, Permission::Update, Permission::Review];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let patch = request.input().read(|input| {
        let mut fields = Fields::new(input.object(MERGE_PATCH)?, input.faults_mut());
        let patch = SessionPatch::read(&mut fields, now);
        fields.done(READ_ONLY);
        Some(patch)
    })?;
    let id = request.session_id()?;
    let session = sessions::update(&app.tenant(&caller), &caller, &id, &patch, now).await?;
    Response::ok(&session)
}
