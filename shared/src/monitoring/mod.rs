//! Monitoring: screens the subjects of a customer, keeps its alerts, and rescreens all monitored
//! customers when lists change.
//!
//! A function that checks a monitor reads the current revision of the lists before the check and
//! after the commit. If the revision has changed in between, the function checks the customer
//! again. If the function dies before that, the pass over the newer revision sees the monitor: a
//! pass starts only when every function that could still write with the older revision has ended.

mod address;
mod alerts;
pub mod capacity;
pub mod check;
mod content;
mod effect;
mod recheck;
pub mod refresh;
pub mod rescreen;
mod screenings;
pub mod source;
mod start;
mod state;
mod stop;
pub mod subject;
pub mod watchlists;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::model::id::{CustomerId, Ids};
use crate::model::time::Clock;
use crate::store::{Table, TenantTable};
use watchlists::{Loaded, Watchlists};

pub use alerts::{decide, get_alert, list_alerts, plan_decision};
pub use effect::{Affected, Effect, FollowUp, needs_check, plan_effect};
pub use recheck::{Rechecked, plan_recheck};
pub use screenings::Screenings;
pub use start::{StartPlan, StartState, plan_start, start};
pub use state::state;
pub use stop::{plan_stop, stop};

/// Everything that monitoring needs in addition to a tenant's rows.
#[derive(Clone)]
pub struct Monitoring {
    /// The table, for the current lists and the progress of passes.
    pub table: Table,
    /// The storage of list indexes, and the lists that are loaded.
    pub watchlists: Watchlists,
    /// Number of shards that monitored customers are divided into.
    pub shards: u32,
    /// Age above which a list is stale. The age is the time since the list's source was last read.
    pub max_list_age: Duration,
    /// The clock that dates checks and passes.
    pub clock: Clock,
    /// Generates the ids of passes, workers and requested checks.
    pub ids: Ids,
}

impl Monitoring {
    /// Loads the current lists. A list that has not changed since the last call is not read again.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `ListsUnavailable` when there is no list or a list cannot be read.
    pub async fn current_lists(&self) -> Result<Arc<Loaded>, Error> {
        self.watchlists.load(self.table.revision().await?).await
    }

    /// Follows up on a committed change. Checks the customer again if `follow_up` requires it, or
    /// if `lists`, which the monitor was checked against, is `None` or no longer current.
    /// [`FollowUp::None`] requires no check.
    ///
    /// # Errors
    /// `StoreUnavailable`, or an error of [`Monitoring::recheck`].
    pub async fn follow_up(
        &self,
        table: &TenantTable<'_>,
        id: &CustomerId,
        follow_up: FollowUp,
        lists: Option<Arc<Loaded>>,
        screenings: &mut Screenings,
    ) -> Result<(), Error> {
        if follow_up == FollowUp::None {
            return Ok(());
        }
        let current = self.table.revision().await?.revision;
        // Drops the lists, because a check loads newer ones and the memory may not hold both.
        let is_current = lists.is_some_and(|lists| lists.revision.revision == current);
        if follow_up == FollowUp::Recheck || !is_current {
            self.recheck(table, id, screenings).await?;
        }
        Ok(())
    }
}
