//! How often a monitored customer is screened, and the passes that do it.

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

/// How often a customer is screened again. `on_update`: when a list changes, against the entries that
/// changed. `daily` and `weekly`: every day or every week, against whole lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Frequency {
    /// When a list changes, against the entries that changed.
    OnUpdate,
    /// Every day, against whole lists.
    Daily,
    /// Every week, against whole lists.
    Weekly,
}

/// Kind of a rescreen pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum PassKind {
    /// After a list changed: screens the `on_update` monitors against the changed entries.
    OnUpdate,
    /// Every day: screens the `daily` monitors against whole lists.
    Daily,
    /// Every week: screens the `weekly` monitors against whole lists.
    Weekly,
    /// Screens the `on_update` monitors against whole lists. Any news it finds was missed by an
    /// earlier pass and raises an alarm.
    Reconcile,
}

impl PassKind {
    /// The passes that screen monitors of this frequency.
    pub fn over(frequency: Frequency) -> &'static [PassKind] {
        match frequency {
            Frequency::OnUpdate => &[PassKind::OnUpdate, PassKind::Reconcile],
            Frequency::Daily => &[PassKind::Daily],
            Frequency::Weekly => &[PassKind::Weekly],
        }
    }

    /// The frequency of the monitors that this pass screens.
    pub fn frequency(self) -> Frequency {
        match self {
            PassKind::OnUpdate | PassKind::Reconcile => Frequency::OnUpdate,
            PassKind::Daily => Frequency::Daily,
            PassKind::Weekly => Frequency::Weekly,
        }
    }
}
