//! Frequency at which a monitored customer is screened, and the passes that do the screening.

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

/// Frequency at which a customer is screened again. With `on_update`, the customer is screened when
/// a list changes, against the changed entries. With `daily` and `weekly`, the customer is screened
/// every day or every week, against whole lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Frequency {
    /// When a list changes, against the changed entries.
    OnUpdate,
    /// Every day, against whole lists.
    Daily,
    /// Every week, against whole lists.
    Weekly,
}

/// Kind of a rescreen pass, which determines the monitors and the lists that it screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum PassKind {
    /// Screens the `on_update` monitors against the changed entries, after a list changed.
    OnUpdate,
    /// Screens the `daily` monitors against whole lists, every day.
    Daily,
    /// Screens the `weekly` monitors against whole lists, every week.
    Weekly,
    /// Screens the `on_update` monitors against whole lists, every week. If this pass opens or
    /// clears an alert although an earlier pass covered the same revision of the lists, the service
    /// raises an alarm.
    Reconcile,
}

impl PassKind {
    /// Returns the kinds of passes that screen monitors with this frequency.
    pub fn over(frequency: Frequency) -> &'static [PassKind] {
        match frequency {
            Frequency::OnUpdate => &[PassKind::OnUpdate, PassKind::Reconcile],
            Frequency::Daily => &[PassKind::Daily],
            Frequency::Weekly => &[PassKind::Weekly],
        }
    }

    /// Returns the frequency of the monitors that this kind of pass screens.
    pub fn frequency(self) -> Frequency {
        match self {
            PassKind::OnUpdate | PassKind::Reconcile => Frequency::OnUpdate,
            PassKind::Daily => Frequency::Daily,
            PassKind::Weekly => Frequency::Weekly,
        }
    }
}
