//! What became of a match with a watch list.

use super::value::word;

word! {
    /// `open` until a person decides, `cleared` when the entry left its list.
    AlertStatus {
        Open = "open", Confirmed = "confirmed", FalsePositive = "false_positive",
        Cleared = "cleared",
    }
}
