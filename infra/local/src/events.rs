//! Forwards events. Reads the stream of the embedded table, as a pipe reads DynamoDB Streams, and
//! prints the events as JSON lines or posts them.
//!
//! Events are sent in order and at least once. The position is stored after each sent event. If the
//! process ends before that, the next start sends the event again.

use std::fs::OpenOptions;
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
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use serde_json::Value;
use shared::events::of_record;

use crate::Failure;
use crate::data::EVENTS_POSITION;
use crate::file::StoreFile;
use crate::private::only_for_owner;
use crate::store::Store;

/// Pause after a read that returned no new records.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// Timeout of a request that posts an event.
const POST_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before an event is posted again. The pause doubles with each attempt, up to `MAX_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Maximum number of records per read of a shard.
const READ_LIMIT: usize = 1_000;

/// Destination of events.
#[derive(Clone, Debug)]
pub enum Sink {
    /// Prints each event as a line on standard output.
    Print,
    /// Posts each event to a URL. The next event follows after an answer with a 2xx status.
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

/// Enables or disables the stream of the table. A stream slows every write, so the server enables
/// it only if there is a sink.
pub(crate) async fn enable_stream(
    client: &Client,
    table: &str,
    is_enabled: bool,
) -> Result<(), Failure> {
    let failure = |error: String| format!("the table's stream cannot be configured: {error}");
    let output = client.describe_table().table_name(table).send().await;
    let description = output.map_err(|error| failure(error.to_string()))?.table;
    let current = description.as_ref().and_then(|table| table.stream_specification());
    if current.is_some_and(StreamSpecification::stream_enabled) == is_enabled {
        return Ok(());
    }
    let specification = StreamSpecification::builder()
        .stream_enabled(is_enabled)
        .set_stream_view_type(is_enabled.then_some(StreamViewType::NewImage))
        .build()
        .map_err(|error| failure(error.to_string()))?;
    let update = client.update_table().table_name(table).stream_specification(specification);
    update.send().await.map(drop).map_err(|error| failure(error.to_string()))
}

/// Position in the stream: the sequence number of the last event that was sent. It is stored in the
/// data folder, or not at all if everything is in memory.
pub(crate) struct Position(Option<PathBuf>);

impl Position {
    pub(crate) fn in_folder(folder: Option<&Path>) -> Position {
        Position(folder.map(|folder| folder.join(EVENTS_POSITION)))
    }

    fn read(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.0.as_ref()?).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn store(&self, sequence: &str) {
        let Some(path) = &self.0 else { return };
        let temporary = path.with_extension("new");
        let mut options = OpenOptions::new();
        let result = only_for_owner(options.write(true).create(true).truncate(true))
            .open(&temporary)
            .and_then(|mut file| file.write_all(sequence.as_bytes()))
            .and_then(|()| std::fs::rename(&temporary, path));
        if let Err(error) = result {
            let why = error.to_string();
            tracing::error!(target: "kyc", why, "the position in the stream was not stored");
        }
    }
}

/// Reads the stream of a table and sends its events to a sink.
pub(crate) struct Forwarder {
    database: Database,
    /// `None` if the store is in memory.
    file: Option<StoreFile>,
    table: String,
    sink: Sink,
    position: Position,
    http_client: reqwest::Client,
}

impl Forwarder {
    pub(crate) fn new(
        store: &Store,
        table: String,
        sink: Sink,
        position: Position,
    ) -> Result<Forwarder, Failure> {
        // An event contains personal data, so it goes to the given address and to no other. A redirect
        // could also turn the POST into a GET, whose answer does not mean that the event was received.
        let http_client =
            reqwest::Client::builder().timeout(POST_TIMEOUT).redirect(Policy::none()).build();
        let http_client =
            http_client.map_err(|error| format!("events cannot be posted: {error}"))?;
        let (database, file) = (store.database.clone(), store.file.clone());
        Ok(Forwarder { database, file, table, sink, position, http_client })
    }

    /// Forwards events until the task is aborted.
    pub(crate) async fn run(self) {
        let mut last_sequence = self.position.read();
        loop {
            let (database, table) = (self.database.clone(), self.table.clone());
            let after = last_sequence.clone();
            let read =
                tokio::task::spawn_blocking(move || read_records(&database, &table, after)).await;
            let records = match read {
                Ok(Ok(records)) => records,
                Ok(Err(why)) => {
                    tracing::error!(target: "kyc", why, "the table's stream was not read");
                    tokio::time::sleep(MAX_PAUSE).await;
                    continue;
                }
                Err(_) => return,
            };
            if records.is_empty() {
                tokio::time::sleep(IDLE_PAUSE).await;
                continue;
            }
            for (sequence, record) in records {
                if let Some(event) = of_record(&record) {
                    self.send(&event).await;
                    self.position.store(&sequence);
                }
                last_sequence = Some(sequence);
            }
            if let (Some(file), Some(sequence)) = (&self.file, &last_sequence) {
                file.remove_sent_records(&self.table, sequence).await;
            }
        }
    }

    /// Sends an event. Posts it again until the sink accepts it. An event that cannot be printed is
    /// dropped.
    async fn send(&self, event: &Value) {
        let url = match &self.sink {
            Sink::Print => {
                // An error means that the reader has closed the pipe.
                let _ = writeln!(std::io::stdout(), "{event}");
                return;
            }
            Sink::Post(url) => url,
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let why = match self.http_client.post(url.clone()).json(event).send().await {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) if answer.status().is_redirection() => redirection(url, &answer),
                Ok(answer) => answer.status().to_string(),
                Err(error) => error.without_url().to_string(),
            };
            tracing::error!(target: "kyc", why, "an event was not accepted and is sent again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// Describes an answer that redirects. Only the host of its target is named, because the other parts of
/// an address may be secret.
fn redirection(url: &Url, answer: &Response) -> String {
    let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| url.join(location).ok());
    let host = target.as_ref().and_then(Url::host_str).unwrap_or("(unknown)");
    let status = answer.status();
    format!("{status}: the server redirects to the host {host}; pass the final address to --events")
}

/// Returns the next records of the stream, each with its sequence number. The records start after
/// the sequence number `after`, or with the oldest record if `after` is `None`.
fn read_records(
    database: &Database,
    table: &str,
    after: Option<String>,
) -> Result<Vec<(String, Value)>, String> {
    let failure = |error: dynoxide::DynoxideError| error.to_string();
    let request = ListStreamsRequest { table_name: Some(table.to_owned()), ..Default::default() };
    let streams = database.list_streams(request).map_err(failure)?.streams;
    let Some(stream) = streams.into_iter().next_back() else { return Ok(Vec::new()) };
    let request =
        DescribeStreamRequest { stream_arn: stream.stream_arn.clone(), ..Default::default() };
    let shards = database.describe_stream(request).map_err(failure)?.stream_description.shards;
    let iterator_type = if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
    let mut records = Vec::new();
    for shard in shards {
        let iterator = database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: stream.stream_arn.clone(),
            shard_id: shard.shard_id,
            shard_iterator_type: iterator_type.to_owned(),
            sequence_number: after.clone(),
        });
        let Some(shard_iterator) = iterator.map_err(failure)?.shard_iterator else { continue };
        let request = GetRecordsRequest { shard_iterator, limit: Some(READ_LIMIT) };
        for record in database.get_records(request).map_err(failure)?.records {
            let sequence = record.dynamodb.sequence_number.clone();
            records.push((sequence, serde_json::to_value(&record).map_err(|e| e.to_string())?));
        }
    }
    Ok(records)
}
