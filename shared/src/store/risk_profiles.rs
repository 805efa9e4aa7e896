//! Risk profiles. A profile is stored in the partition of its customer, under the time of its
//! calculation. Only an erasure changes a profile. The newest profile is the current one.

use super::TenantTable;
use super::item::{self, IS_NEW, ItemKind};
use super::transaction::{Rule, Write};
use crate::error::Error;
use crate::model::customer::Customer;
use crate::model::id::CustomerId;
use crate::model::risk::RiskProfile;

impl TenantTable<'_> {
    /// Reads at most `limit` risk profiles of a customer, newest first.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn risk_profiles(
        &self,
        id: &CustomerId,
        limit: usize,
    ) -> Result<Vec<RiskProfile>, Error> {
        let (partition, prefix) = self.keys.risk_profiles(id);
        let items = self.newest(partition, prefix, limit).await?;
        items.into_iter().map(item::model).collect()
    }

    pub(super) fn profile_write(
        &self,
        customer: &Customer,
        profile: &RiskProfile,
    ) -> Result<Write, Error> {
        // Every version of a customer has its own `updated_at`, so the key is unique.
        let key = self.keys.risk_profile(&customer.customer_id, customer.updated_at);
        self.put(Rule::Profile, key, item::typed(ItemKind::RiskProfile, profile)?, IS_NEW)
    }
}
