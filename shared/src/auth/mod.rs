//! Verified callers and their permissions. A [`Caller`] is made from claims that API Gateway has
//! verified. Code outside this crate can read or write the rows of a tenant only with the scope of
//! a caller.

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
    /// Granted only by `kyc:erase` and `kyc:*`. `kyc:create` is not enough, because an erasure
    /// cannot be undone.
    Erase,
}

impl Permission {
    /// Returns the permissions of a token that allow this operation. Any one of them is enough, and
    /// `kyc:*` is always enough.
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

/// A verified caller: its identity, its tenant and its permissions.
#[derive(Clone, Debug)]
pub struct Caller {
    scope: TenantScope,
    permissions: Vec<String>,
}

impl Caller {
    /// Makes the caller that verified claims identify.
    ///
    /// # Errors
    /// `Unauthenticated` if there are no claims. `NoTenant` if the claims contain no valid tenant.
    pub fn of(claims: Option<&Claims>, request_id: &str) -> Result<Caller, Error> {
        let claims = claims.ok_or_else(Error::unauthenticated)?;
        let tenant = claims.tenant.clone().ok_or_else(|| Error::no_tenant(&claims.tenant_claim))?;
        let origin = Origin { actor: claims.actor.clone(), request_id: request_id.to_owned() };
        let scope = TenantScope::new(tenant, origin);
        Ok(Caller { scope, permissions: claims.permissions.clone() })
    }

    /// Checks that the caller has a permission, and returns the caller.
    ///
    /// # Errors
    /// `InsufficientPermissions`, which lists the permissions that would be enough.
    pub fn may(self, permission: Permission) -> Result<Caller, Error> {
        let any_of = permission.any_of();
        let grants = |held: &String| held == "kyc:*" || any_of.contains(&held.as_str());
        if self.permissions.iter().any(grants) {
            Ok(self)
        } else {
            Err(Error::insufficient_permissions(any_of))
        }
    }

    /// Returns the tenant of the caller.
    pub fn tenant(&self) -> &TenantId {
        self.scope.tenant()
    }

    /// Returns the scope that gives access to the rows of the caller's tenant.
    pub fn scope(&self) -> &TenantScope {
        &self.scope
    }
}
