//! Formats output for several commands.

use local::Failure;

use crate::output::out;

pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    out!("{text}");
    Ok(())
}

/// Formats a number with separators, for example `13,827`.
pub(crate) fn count(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
