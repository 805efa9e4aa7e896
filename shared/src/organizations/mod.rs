//! Reads and replaces organizations: the owners and officers of a customer.

#[cfg(test)]
mod tests;

use futures_util::future::try_join;

use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::customer::{Customer, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::organization::{Organization, Structure};
use crate::model::risk::Trigger;
use crate::model::time::Timestamp;
use crate::monitoring::{Affected, FollowUp, Monitoring, Screenings, plan_effect};
use crate::risk_profiles::{Sources, plan_profile};
use crate::store::{Attempts, Change, OrganizationChange, Replay, StoredAnswer, TenantTable};

/// A planned replacement of an organization.
pub struct Replacement {
    /// The change to commit.
    pub change: Change,
    /// The organization after the change.
    pub organization: Organization,
    /// The follow-up after the commit.
    pub follow_up: FollowUp,
}

/// Reads a customer and its organization, if it has one.
///
/// # Errors
/// `CustomerNotFound`, `StoreUnavailable`.
pub async fn get(
    table: &TenantTable<'_>,
    id: &CustomerId,
) -> Result<(Customer, Option<Organization>), Error> {
    let (customer, organization) = try_join(table.customer(id), table.organization(id)).await?;
    Ok((customer.ok_or_else(Error::customer_not_found)?.customer, organization))
}

/// Reads the version of the organization that an earlier request stored or returned, for a
/// repetition of that request.
///
/// # Errors
/// `CustomerErased`, `StoreUnavailable`.
pub async fn again(
    table: &TenantTable<'_>,
    id: &CustomerId,
    version: Option<u64>,
) -> Result<(Customer, Organization), Error> {
    let version = version.ok_or_else(|| Error::internal("a stored answer has no version"))?;
    let (customer, current) = get(table, id).await?;
    if customer.erased_at.is_some() {
        return Err(Error::customer_erased());
    }
    let organization = match current.filter(|current| current.version == version) {
        Some(current) => Some(current),
        None => table.organization_before(id, version).await?,
    };
    // An erasure that began after the customer was read has deleted the organization.
    Ok((customer, organization.ok_or_else(Error::customer_erased)?))
}

/// Replaces the organization with the structure that `change` returns. If the structure has not
/// changed, the organization is not written. If a concurrent change is committed first, `change` is
/// called again with the new state. `answer` builds the answer to the request from the customer,
/// the organization and a flag that is `true` when it is the customer's first.
///
/// An answer can be larger than an item of the table. Therefore it is stored without its content,
/// which [`again`] reads from the stored version of the organization.
///
/// # Errors
/// `CustomerNotFound`, `CustomerErased`, the error of `change`, `ValidationError` (too many
/// matches), `ScreeningTimeout`, `ListsUnavailable`, `RequestInProgress`, `StoreUnavailable`.
pub async fn replace(
    monitoring: &Monitoring,
    table: &TenantTable<'_>,
    id: &CustomerId,
    now: Timestamp,
    change: impl Fn(&Customer, Option<&Organization>) -> Result<Structure, Error>,
    replay: Option<Replay>,
    answer: impl Fn(&Customer, &Organization, bool) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut attempts = Attempts::new();
    let mut screenings = Screenings::of_request(&monitoring.clock);
    loop {
        let before = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let sources = Sources::load(table, id).await?;
        let structure = change(&before, sources.organization.as_ref())?;
        if let Some(same) = &sources.organization
            && same.structure == structure
        {
            return table.unchanged(replay.as_ref(), answer(&before, same, false)?).await;
        }
        let next = before.next_version(now);
        let affected = monitoring.load_affected(table, &before, &next, true).await?;
        let mut plan =
            plan_replacement(before, next, structure, sources, affected.as_ref(), &mut screenings)?;
        let is_first = plan.organization.version == 1;
        let answer = answer(&plan.change.after, &plan.organization, is_first)?;
        plan.change.answer = StoredAnswer::of(replay.as_ref(), &answer.without_content());
        if table.commit(&plan.change, &mut attempts).await? {
            let lists = affected.and_then(Affected::into_lists);
            monitoring.follow_up(table, id, plan.follow_up, lists, &mut screenings).await?;
            return Ok(answer);
        }
    }
}

/// Plans a new structure of a customer, its effect on the monitor and a new risk profile.
///
/// # Errors
/// `ValidationError` when the monitor would get too many matches, `ScreeningTimeout`.
pub fn plan_replacement(
    before: StoredCustomer,
    mut after: StoredCustomer,
    structure: Structure,
    sources: Sources,
    affected: Option<&Affected>,
    screenings: &mut Screenings,
) -> Result<Replacement, Error> {
    let replaced = sources.organization.clone();
    let version = replaced.as_ref().map_or(1, |replaced| replaced.version + 1);
    let organization = Organization { version, updated_at: after.updated_at, structure };
    let sources = sources.with_organization(&organization);
    let effect = plan_effect(affected, &before, &mut after, Some(sources.clone()), screenings)?;
    let sources = effect.sources.unwrap_or(sources);
    let profile = plan_profile(&mut after, &sources, Trigger::Organization);
    let change = Change {
        organization: Some(OrganizationChange { before: replaced, after: organization.clone() }),
        monitor: effect.monitor,
        alerts: effect.alerts,
        profile: Some(profile),
        ..Change::new(EventKind::OrganizationReplaced, before, after)
    };
    Ok(Replacement { change, organization, follow_up: effect.follow_up })
}
