//! The scope of an operation: the rows of one tenant.

use super::event::Origin;
use super::value::TenantId;

/// A tenant, and the origin of the operations on the rows of that tenant.
///
/// The store gives access to the rows of a tenant only for a scope. Outside this crate, the only
/// source of a scope is a verified [`Caller`](crate::auth::Caller).
#[derive(Clone, Debug)]
pub struct TenantScope {
    tenant: TenantId,
    origin: Origin,
}

impl TenantScope {
    pub(crate) fn new(tenant: TenantId, origin: Origin) -> TenantScope {
        TenantScope { tenant, origin }
    }

    /// Returns the tenant that owns the rows.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns the actor and the request, which every audit event records.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
