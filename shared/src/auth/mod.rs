//! Verified callers. A [`Caller`] is made from claims that API Gateway has verified. Its scope is the
//! only key to a tenant's rows.

mod claims;

pub use claims::Claims;

use crate::error::Error;
use crate::model::event::Origin;
use crate::model::scope::TenantScope;
use crate::model::value::TenantId;

/// A permission that an operation requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Create,
    Read,
    Update,
    Delete,
    Monitor,
    /// Granted by `kyc:erase` only, because an erasure cannot be undone.
    Erase,
}

impl Permission {
    /// The token permissions of which any one suffices. `kyc:*` always suffices.
    pub fn any_of(self) -> &'static [&'static str] {
        match self {
            Permission::Create => &["kyc:create"],
            Permission::Read => &["kyc:read"],
            Permission::Update => &["kyc:create", "kyc:update"],
            Permission::Delete => &["kyc:create", "kyc:delete"],
            Permission::Monitor => &["kyc:create", "kyc:monitor"],
            Permission::Erase => &["kyc:erase"],
        }
    }
}

/// A verified caller: its tenant, its permissions and who it is.
#[derive(Clone, Debug)]
pub struct Caller {
    scope: TenantScope,
    permissions: Vec<String>,
}

impl Caller {
    /// The caller that verified claims name.
    ///
    /// # Errors
    /// `Unauthenticated` without claims, `NoTenant` when they name no tenant.
    pub fn of(claims: Option<&Claims>, request_id: &str) -> Result<Caller, Error> {
        let claims = claims.ok_or_else(Error::unauthenticated)?;
        let tenant = claims.tenant.clone().ok_or_else(|| Error::no_tenant(&claims.tenant_claim))?;
        let origin = Origin { actor: claims.actor.clone(), request_id: request_id.to_owned() };
        let scope = TenantScope::new(tenant, origin);
        Ok(Caller { scope, permissions: claims.permissions.clone() })
    }

    /// The same caller, if it holds the permission.
    ///
    /// # Errors
    /// `InsufficientPermissions` with the permissions of which one is needed.
    pub fn may(self, permission: Permission) -> Result<Caller, Error> {
        let any_of = permission.any_of();
        let grants = |held: &String| held == "kyc:*" || any_of.contains(&held.as_str());
        if self.permissions.iter().any(grants) {
            Ok(self)
        } else {
            Err(Error::insufficient_permissions(any_of))
        }
    }

    /// The caller's tenant.
    pub fn tenant(&self) -> &TenantId {
        self.scope.tenant()
    }

    /// The rows that the caller may touch.
    pub fn scope(&self) -> &TenantScope {
        &self.scope
    }
}
