//! Monitoring: screens the subjects of a customer, keeps its alerts, and rescreens all monitored
//! customers when lists change.
//!
//! A function that writes a monitor reads the current revision of the lists before and after. If the
//! revision changed in between, it checks the customer again. If it dies before that, the pass over
//! the newer revision sees the monitor, because a pass starts only after every function that could
//! still write with the older revision has ended.

mod alerts;
pub mod check;
mod effect;
mod recheck;
pub mod refresh;
pub mod rescreen;
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

pub use alerts::{decide, list_alerts, plan_decision};
pub use effect::{Affected, Effect, FollowUp, needs_check, plan_effect};
pub use recheck::{Rechecked, plan_recheck};
pub use start::{StartPlan, StartState, plan_start, start};
pub use state::state;
pub use stop::{plan_stop, stop};

/// The context of monitoring, in addition to a tenant's rows.
#[derive(Clone)]
pub struct Monitoring {
    /// The table, for the current lists and the progress of passes.
    pub table: Table,
    /// The lists, and those that are loaded.
    pub watchlists: Watchlists,
    /// Number of shards that monitored customers are divided into.
    pub shards: u32,
    /// Age from which a list counts as stale: the time since its source was last read.
    pub max_list_age: Duration,
    /// The clock.
    pub clock: Clock,
    /// The source of ids.
    pub ids: Ids,
}

impl Monitoring {
    /// The current lists, opened. Lists that have not changed since the last call are not read again.
    ///
    /// # Errors
    /// `StoreUnavailable` when no list is loaded or one cannot be read.
    pub async fn current_lists(&self) -> Result<Arc<Loaded>, Error> {
        self.watchlists.load(self.table.revision().await?).await
    }

    /// Follows up on a committed change. `lists` are those that the monitor was checked against.
    ///
    /// # Errors
    /// Those of [`Monitoring::recheck`].
    pub async fn follow_up(
        &self,
        table: &TenantTable<'_>,
        id: &CustomerId,
        follow_up: FollowUp,
        lists: Option<&Loaded>,
    ) -> Result<(), Error> {
        if follow_up == FollowUp::None {
            return Ok(());
        }
        let current = self.table.revision().await?.revision;
        let is_current = lists.is_some_and(|lists| lists.revision.revision == current);
        if follow_up == FollowUp::Recheck || !is_current {
            self.recheck(table, id).await?;
        }
        Ok(())
    }
}
