//! Permissions that an access token can grant.

use strum::{AsRefStr, EnumString, VariantNames};

/// A permission that an access token can grant. Any other word in a token is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsRefStr, EnumString, VariantNames)]
pub enum Permission {
    /// Grants everything.
    #[strum(serialize = "kyc:*")]
    All,
    /// Creates customers and sessions. Also allows everything that `kyc:update`, `kyc:delete` and
    /// `kyc:monitor` allow.
    #[strum(serialize = "kyc:create")]
    Create,
    /// Reads everything except exports and the audit trail.
    #[strum(serialize = "kyc:read")]
    Read,
    /// Changes customers and organizations, and records the progress of sessions.
    #[strum(serialize = "kyc:update")]
    Update,
    /// Deactivates customers.
    #[strum(serialize = "kyc:delete")]
    Delete,
    /// Starts, changes and stops monitoring.
    #[strum(serialize = "kyc:monitor")]
    Monitor,
    /// Makes the decisions that only a person may make, such as a decision about an alert.
    #[strum(serialize = "kyc:review")]
    Review,
    /// Exports all data of a customer.
    #[strum(serialize = "kyc:export")]
    Export,
    /// Reads the audit trail.
    #[strum(serialize = "kyc:audit")]
    Audit,
    /// Erases customers, and shortens or removes a retention hold.
    #[strum(serialize = "kyc:erase")]
    Erase,
    /// Manages the tenant: its risk model, webhooks and imports.
    #[strum(serialize = "kyc:manage")]
    Manage,
}

impl Permission {
    /// All permissions, as tokens contain them.
    pub const NAMES: &'static [&'static str] = <Permission as VariantNames>::VARIANTS;
}

/// Permissions that each allow a caller to change a customer, its organization or its sessions.
pub const UPDATE: &[Permission] = &[Permission::Create, Permission::Update];

/// The permission for decisions that only a person may make.
pub const REVIEW: &[Permission] = &[Permission::Review];
