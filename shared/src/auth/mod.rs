//! Who is calling. A [`Caller`] is only ever made from claims that API Gateway has verified,
//! and is the only key to a tenant's rows.

mod claims;

pub use claims::Claims;

use crate::error::Error;
use crate::http::Request;
use crate::model::event::Origin;
use crate::model::value::TenantId;

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    Create,
    Read,
    Update,
    Delete,
    Monitor,
    /// Nothing else grants it: it cannot be taken back.
    Erase,
}

impl Permission {
    /// Any one of these will do. `kyc:*` always does.
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

#[derive(Clone, Debug)]
pub struct Caller {
    tenant: TenantId,
    permissions: Vec<String>,
    origin: Origin,
}

impl Caller {
    /// 401 without verified claims, 403 without a tenant.
    pub fn of(request: &Request) -> Result<Caller, Error> {
        let claims = request.claims().ok_or_else(Error::unauthenticated)?;
        let tenant = claims.tenant.clone().ok_or_else(|| Error::no_tenant(&claims.tenant_claim))?;
        let origin = Origin { actor: claims.actor.clone(), request_id: request.id().to_owned() };
        Ok(Caller { tenant, permissions: claims.permissions.clone(), origin })
    }

    /// The service itself, at work on a tenant's rows without a request: a rescreen pass. Nothing
    /// that a caller sends leads here.
    pub fn of_service(tenant: TenantId, actor: &str, run_id: &str) -> Caller {
        let origin = Origin { actor: actor.to_owned(), request_id: run_id.to_owned() };
        Caller { tenant, permissions: Vec::new(), origin }
    }

    pub fn may(self, permission: Permission) -> Result<Caller, Error> {
        let any_of = permission.any_of();
        let granted = |held: &String| held == "kyc:*" || any_of.contains(&held.as_str());
        match self.permissions.iter().any(granted) {
            true => Ok(self),
            false => Err(Error::insufficient_permissions(any_of)),
        }
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
