//! Events on this machine: the stream of the embedded table, read as a Pipe reads it, printed as
//! JSON lines or posted. In order, and at least once: where it stands is kept after an event has
//! left, so what was on its way when the process ended leaves again.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{StreamSpecification, StreamViewType};
use dynoxide::Database;
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use reqwest::Url;
use serde_json::Value;
use shared::events::of_record;

use crate::Failure;

const IDLE: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where events go.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A line each, on standard output.
    Print,
    /// A request each; the next only after a 2xx answer.
    Post(Url),
}

impl FromStr for Sink {
    type Err = String;

    fn from_str(text: &str) -> Result<Sink, String> {
        if text == "-" {
            return Ok(Sink::Print);
        }
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.map(Sink::Post).ok_or_else(|| "must be an http or https URL".to_owned())
    }
}

/// Turns the stream of the table on or off. On, every write costs time: it is off unless asked for.
pub(crate) async fn stream(client: &Client, table: &str, on: bool) -> Result<(), Failure> {
    let failed = |error: String| format!("the table's stream: {error}");
    let described = client.describe_table().table_name(table).send().await;
    let described = described.map_err(|error| failed(error.to_string()))?.table;
    let specification = described.as_ref().and_then(|table| table.stream_specification());
    if specification.is_some_and(StreamSpecification::stream_enabled) == on {
        return Ok(());
    }
    let specification = StreamSpecification::builder()
        .stream_enabled(on)
        .set_stream_view_type(on.then_some(StreamViewType::NewImage))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let update = client.update_table().table_name(table).stream_specification(specification);
    update.send().await.map(drop).map_err(|error| failed(error.to_string()))
}

/// Where reading stands, kept in the data folder.
pub(crate) struct Position(Option<PathBuf>);

impl Position {
    pub(crate) fn in_folder(folder: Option<&Path>) -> Position {
        Position(folder.map(|folder| folder.join("events.position")))
    }

    fn read(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.0.as_ref()?).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn keep(&self, sequence: &str) {
        if let Some(path) = &self.0 {
            let fresh = path.with_extension("new");
            let kept =
                std::fs::write(&fresh, sequence).and_then(|()| std::fs::rename(&fresh, path));
            if let Err(error) = kept {
                let why = error.to_string();
                tracing::error!(target: "kyc", why, "the position of the events is not kept");
            }
        }
    }
}

/// Reads the stream until the task is ended.
pub(crate) async fn run(database: Database, table: String, sink: Sink, position: Position) {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
    let mut after = position.read();
    loop {
        let (read_from, of) = (database.clone(), table.clone());
        let from = after.clone();
        let read = tokio::task::spawn_blocking(move || records(&read_from, &of, from)).await;
        let read = match read {
            Ok(Ok(read)) => read,
            Ok(Err(why)) => {
                tracing::error!(target: "kyc", why, "the table's stream does not read");
                tokio::time::sleep(LONGEST_PAUSE).await;
                continue;
            }
            Err(_) => return,
        };
        let idle = read.is_empty();
        for (sequence, record) in read {
            if let Some(event) = of_record(&record) {
                send(&client, &sink, &event).await;
                position.keep(&sequence);
            }
            after = Some(sequence);
        }
        if idle {
            tokio::time::sleep(IDLE).await;
        }
    }
}

/// The next records, each with its place in the stream.
fn records(
    database: &Database,
    table: &str,
    after: Option<String>,
) -> Result<Vec<(String, Value)>, String> {
    let failed = |error: dynoxide::DynoxideError| error.to_string();
    let streams = ListStreamsRequest { table_name: Some(table.to_owned()), ..Default::default() };
    let streams = database.list_streams(streams).map_err(failed)?.streams;
    let Some(stream) = streams.into_iter().next_back() else { return Ok(Vec::new()) };
    let described =
        DescribeStreamRequest { stream_arn: stream.stream_arn.clone(), ..Default::default() };
    let shards = database.describe_stream(described).map_err(failed)?.stream_description.shards;
    let mut all = Vec::new();
    for shard in shards {
        let from = match &after {
            Some(_) => "AFTER_SEQUENCE_NUMBER",
            None => "TRIM_HORIZON",
        };
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: stream.stream_arn.clone(),
            shard_id: shard.shard_id,
            shard_iterator_type: from.to_owned(),
            sequence_number: after.clone(),
        });
        let Some(iterator) = iterator.map_err(failed)?.shard_iterator else { continue };
        let asked = GetRecordsRequest { shard_iterator: iterator, limit: Some(1_000) };
        for record in database.get_records(asked).map_err(failed)?.records {
            let sequence = record.dynamodb.sequence_number.clone();
            all.push((sequence, serde_json::to_value(&record).map_err(|e| e.to_string())?));
        }
    }
    Ok(all)
}

/// Returns when the event has left.
async fn send(client: &reqwest::Client, sink: &Sink, event: &Value) {
    let url = match sink {
        Sink::Print => {
            // Whoever read it is gone when this fails.
            let _ = writeln!(std::io::stdout(), "{event}");
            return;
        }
        Sink::Post(url) => url,
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let why = match client.post(url.clone()).json(event).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.without_url().to_string(),
        };
        tracing::error!(target: "kyc", why, "an event is not taken, and tried again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
