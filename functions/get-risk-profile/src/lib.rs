//! GET /customers/{id}/risk-profile
//!
//! Returns the current risk profile of a customer and, with `?history=n`, the `n` newest profiles.
//! With `?recalculate=true`, a new profile is calculated and stored first, except for HEAD.

#[cfg(feature = "openapi")]
mod openapi;

use serde::Serialize;
use shared::auth::UPDATE;
use shared::http::{Request, Response};
use shared::model::risk::RiskProfile;
use shared::model::value::{flag, whole_number};
use shared::{App, Error, Permission, risk_profiles};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub const MAX_HISTORY: usize = 50;

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct CurrentRiskProfile {
    #[serde(flatten)]
    profile: RiskProfile,
    /// The newest risk profiles, starting with the current one. Empty unless `history` is given.
    history: Vec<RiskProfile>,
}

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (recalculate, history) = request.input().read(|input| {
        let history = input.query("history", |text| whole_number(text, 0..=MAX_HISTORY));
        Some((input.query("recalculate", flag), history.unwrap_or(0)))
    })?;
    if recalculate == Some(true) {
        caller.require(UPDATE)?;
    }
    let id = request.customer_id()?;
    let table = app.tenant(&caller);
    if recalculate == Some(true) && !request.is_head() {
        risk_profiles::recalculate(&table, &id, app.clock.now()).await?;
    }
    let mut profiles = risk_profiles::newest(&table, &id, history.max(1)).await?;
    let profile = profiles.first().cloned().unwrap_or_else(|| RiskProfile::not_set(id));
    profiles.truncate(history);
    Response::ok(&CurrentRiskProfile { profile, history: profiles })
}
