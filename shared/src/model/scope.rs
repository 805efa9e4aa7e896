//! The scope of an operation: a tenant's rows.

use super::event::Origin;
use super::value::TenantId;

/// A tenant, and the actor on whose behalf its rows are read and written.
///
/// The store hands out a tenant's rows only for a scope. Outside this crate a scope comes from a
/// verified [`Caller`](crate::auth::Caller) and from nowhere else.
#[derive(Clone, Debug)]
pub struct TenantScope {
    tenant: TenantId,
    origin: Origin,
}

impl TenantScope {
    pub(crate) fn new(tenant: TenantId, origin: Origin) -> TenantScope {
        TenantScope { tenant, origin }
    }

    /// The tenant that owns the rows.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The actor and the request, which every change records.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
