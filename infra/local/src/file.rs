//! Checks the SQLite file of the embedded store at the start, and removes deleted data and the
//! stream records of sent events from it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::{Failure, private};

/// Maximum time to wait until the store's own connection releases its lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The file of a store. A clone refers to the same file.
#[derive(Clone)]
pub(crate) struct StoreFile(PathBuf);

impl StoreFile {
    /// Checks the file, or creates it if it does not exist. On Unix, only its owner can read and
    /// write a new file, and SQLite gives its other files the same permissions.
    ///
    /// # Errors
    /// Fails when the file is damaged, when it cannot be read or created, or when SQLite would keep
    /// deleted data in it.
    pub(crate) fn open(path: &Path) -> Result<StoreFile, Failure> {
        let unusable = |error: &dyn std::fmt::Display| {
            format!(
                "the table {} cannot be opened ({error}): close programs that use it, or pass --data DIR with another \
                 folder",
                path.display()
            )
        };
        private::only_for_owner(OpenOptions::new().create(true).append(true))
            .open(path)
            .map_err(|error| unusable(&error))?;
        let damaged = |details: &dyn std::fmt::Display| {
            format!(
                "the table {} is damaged ({details}): restore it from a backup, or pass --data DIR with another folder",
                path.display()
            )
        };
        let file = StoreFile(path.to_owned());
        match file.check() {
            Ok(Check::Sound) => Ok(file),
            Ok(Check::Damaged(details)) => Err(damaged(&details)),
            Ok(Check::KeepsDeletedData) => Err(
                "SQLite was built without SQLITE_SECURE_DELETE, so erased data would stay in the table's file: run \
                 cargo in the folder of the repository, whose .cargo/config.toml sets the option"
                    .to_owned(),
            ),
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Err(damaged(&error)),
                _ => Err(unusable(&error)),
            },
        }
    }

    fn check(&self) -> rusqlite::Result<Check> {
        let connection = self.connect()?;
        // SQLite's build determines this setting for new connections, so the store's own connection
        // has the same value.
        let deletes: bool = connection.query_row("PRAGMA secure_delete", [], |row| row.get(0))?;
        if !deletes {
            return Ok(Check::KeepsDeletedData);
        }
        let result: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if result == "ok" {
            Ok(Check::Sound)
        } else {
            Ok(Check::Damaged(result.split_whitespace().collect::<Vec<_>>().join(" ")))
        }
    }

    /// Removes deleted data from the file and from the records of its streams. Call this method after
    /// a function that may have erased a customer. A failure is logged, and the data stays until the
    /// next call.
    pub(crate) async fn remove_deleted_data(&self) {
        let file = self.clone();
        let remove = move || {
            file.remove_old_images().map_err(|error| error.to_string())?;
            file.truncate_log()
        };
        let result = tokio::task::spawn_blocking(remove).await;
        if let Ok(Err(why)) = result {
            tracing::error!(target: "kyc", why, "deleted data was not removed from the table's file");
        }
    }

    /// Replaces each image in the streams by the newest image of its item, so that no record contains
    /// data that an item no longer has. Records of events stay complete unless the event was erased,
    /// because nothing else changes an event.
    fn remove_old_images(&self) -> rusqlite::Result<()> {
        self.connect()?
            .execute(
                "UPDATE _stream_records AS record SET new_image = newest.new_image FROM (
                    SELECT table_name, keys_json ->> '$.pk.S' AS pk, keys_json ->> '$.sk.S' AS sk,
                        new_image, MAX(CAST(sequence_number AS INTEGER))
                    FROM _stream_records GROUP BY 1, 2, 3
                ) AS newest
                WHERE record.table_name = newest.table_name
                    AND record.keys_json ->> '$.pk.S' = newest.pk
                    AND record.keys_json ->> '$.sk.S' = newest.sk
                    AND record.new_image IS NOT NULL
                    AND record.new_image IS NOT newest.new_image",
                [],
            )
            .map(drop)
    }

    /// Removes all records of a table's stream. Call this method when the stream is disabled: its
    /// records are not sent, and later changes do not reach it.
    ///
    /// # Errors
    /// Fails when the file cannot be written.
    pub(crate) fn remove_all_records(&self, table: &str) -> Result<(), Failure> {
        let remove = || {
            let connection = self.connect()?;
            connection.execute("DELETE FROM _stream_records WHERE table_name = ?1", [table])
        };
        let removed = remove().map_err(|error| {
            format!("the records of the table's stream were not removed: {error}")
        })?;
        if removed > 0 { self.truncate_log() } else { Ok(()) }
    }

    /// Removes the records of a table's stream that have been sent, up to a sequence number. The
    /// store would keep them forever, with every version of every item. A failure is logged, and the
    /// next call repeats the work.
    pub(crate) async fn remove_sent_records(&self, table: &str, sequence: &str) {
        let (file, table, sequence) = (self.clone(), table.to_owned(), sequence.to_owned());
        let remove = move || {
            file.remove_records(&table, &sequence).map_err(|error| error.to_string())?;
            file.truncate_log()
        };
        if let Ok(Err(why)) = tokio::task::spawn_blocking(remove).await {
            tracing::error!(target: "kyc", why, "sent records were not removed from the table's stream");
        }
    }

    /// Removes records up to a sequence number. The record with this number only loses its image,
    /// because the store derives the next number from the last record.
    fn remove_records(&self, table: &str, sequence: &str) -> rusqlite::Result<()> {
        let mut connection = self.connect()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let number = "CAST(sequence_number AS INTEGER)";
        transaction.execute(
            &format!(
                "DELETE FROM _stream_records WHERE table_name = ?1 AND {number} < CAST(?2 AS INTEGER)"
            ),
            [table, sequence],
        )?;
        transaction.execute(
            "UPDATE _stream_records SET new_image = NULL WHERE table_name = ?1 AND sequence_number = ?2",
            [table, sequence],
        )?;
        transaction.commit()
    }

    /// Moves all changes from the write-ahead log to the file, and empties the log. Until then, the
    /// file and the log can contain data that a change deleted.
    ///
    /// # Errors
    /// Fails when the store does not finish its running calls within [`BUSY_TIMEOUT`], or when a
    /// file cannot be written.
    fn truncate_log(&self) -> Result<(), Failure> {
        let failure = |error: &dyn std::fmt::Display| {
            format!("the log of the table was not emptied: {error}")
        };
        let connection = self.connect().map_err(|error| failure(&error))?;
        let is_busy: bool = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|error| failure(&error))?;
        if is_busy { Err(failure(&"the table is busy")) } else { Ok(()) }
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.0)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    }
}

enum Check {
    Sound,
    /// Contains SQLite's description of the damage.
    Damaged(String),
    KeepsDeletedData,
}
