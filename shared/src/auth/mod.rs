//! Verified callers and their permissions. A [`Caller`] is made from claims that API Gateway has
//! verified. A handler can read and write the rows of a tenant only with the scope of a caller.

mod claims;
mod permission;

pub use claims::{ClaimNames, Claims};
pub use permission::{Permission, REVIEW, UPDATE};

use crate::error::Error;
use crate::model::event::Origin;
use crate::model::scope::TenantScope;
use crate::model::value::TenantId;

/// A verified caller: its identity, its tenant and its permissions.
#[derive(Clone, Debug)]
pub struct Caller {
    scope: TenantScope,
    permissions: Vec<Permission>,
}

impl Caller {
    /// Makes the caller that verified claims identify.
    ///
    /// # Errors
    /// `Unauthenticated` if there are no claims, or if they are not those of an access token.
    /// `NoTenant` if the claims contain no valid tenant.
    pub fn of(claims: Option<&Claims>, request_id: &str) -> Result<Caller, Error> {
        let claims = claims.ok_or_else(Error::unauthenticated)?;
        if !claims.is_access_token {
            return Err(Error::not_an_access_token());
        }
        let tenant = claims.tenant.clone().ok_or_else(|| Error::no_tenant(&claims.tenant_claim))?;
        let origin = Origin { actor: claims.actor.clone(), request_id: request_id.to_owned() };
        let scope = TenantScope::new(tenant, origin);
        Ok(Caller { scope, permissions: claims.permissions.clone() })
    }

    /// Checks that the caller has one of the permissions in `any_of`, and returns the caller.
    ///
    /// # Errors
    /// `InsufficientPermissions`, which lists the permissions that would be enough.
    pub fn may(self, any_of: &[Permission]) -> Result<Caller, Error> {
        self.require(any_of)?;
        Ok(self)
    }

    /// Checks that the caller has one of the permissions in `any_of`. `kyc:*` is always enough.
    ///
    /// # Errors
    /// `InsufficientPermissions`, which lists the permissions that would be enough.
    pub fn require(&self, any_of: &[Permission]) -> Result<(), Error> {
        if grant(&self.permissions, any_of) {
            return Ok(());
        }
        let names: Vec<&str> = any_of.iter().map(AsRef::as_ref).collect();
        Err(Error::insufficient_permissions(&names))
    }

    /// Returns whether the caller may read. The answers to another caller must not depend on stored
    /// values other than ids, versions and statuses.
    pub fn may_read(&self) -> bool {
        grant(&self.permissions, &[Permission::Read])
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

/// Returns whether `held` contains one of the permissions in `any_of`, or `kyc:*`.
fn grant(held: &[Permission], any_of: &[Permission]) -> bool {
    held.iter().any(|held| *held == Permission::All || any_of.contains(held))
}

#[cfg(test)]
pub(crate) fn caller_with(permissions: &[Permission]) -> Caller {
    let words: Vec<&str> = permissions.iter().map(AsRef::as_ref).collect();
    let claims = [("tenant_id", "acme".to_owned()), ("permissions", words.join(" "))];
    let claims = claims.map(|(name, value)| (name.to_owned(), value)).into();
    let caller = Caller::of(Some(&Claims::read(&claims, &ClaimNames::default())), "request");
    caller.expect("the claims are valid")
}
