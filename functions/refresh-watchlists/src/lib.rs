//! Fetches the configured watchlists and makes their new versions current. A schedule starts this
//! function.

use std::time::Instant;

use serde_json::Value;
use shared::monitoring::refresh::{Refresh, Refreshed, refresh};
use shared::{App, Error};

shared::job!(run, watchlists);

/// Refreshes all lists and returns a report. The payload is ignored. Returns an error if any list
/// was refused, but only after all lists were tried.
pub async fn run(app: &App, _payload: Value, deadline: Instant) -> Result<Value, Error> {
    let settings = Refresh {
        monitoring: &app.monitoring,
        sources: &app.settings.watchlist_sources,
        fetch_timeout: app.settings.fetch_timeout,
        local_servers: app.local_servers,
        max_shrink_percent: app.settings.max_shrink_percent,
        function_memory: app.settings.function_memory,
    };
    let report = refresh(&settings, deadline).await?;
    let refused = report.lists.iter().filter_map(|list| match list {
        Refreshed::Refused { list, reason } => Some(format!("{list} ({reason})")),
        _ => None,
    });
    let refused: Vec<String> = refused.collect();
    if !refused.is_empty() {
        return Err(Error::internal(format!("refused: {}", refused.join(", "))));
    }
    serde_json::to_value(&report).map_err(|error| Error::internal(error.to_string()))
}
