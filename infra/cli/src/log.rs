//! Writes the log of the server: JSON lines on standard error or in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use local::Failure;
use local::private::only_for_owner;

/// Destination of the log.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    Stderr,
    /// Appends to a file. Its folder may be created after the log starts.
    File(PathBuf),
    /// Discards the log.
    Nowhere,
}

struct LogFile {
    path: PathBuf,
    /// The open file, or the error from opening it. The first log line opens the file if
    /// `open_file` has not opened it before.
    file: OnceLock<io::Result<File>>,
}

static LOG_FILE: OnceLock<LogFile> = OnceLock::new();

/// Starts the log. Call this function only once per process.
pub(crate) fn start(destination: &Destination) {
    match destination {
        Destination::Stderr => shared::telemetry::init(None),
        Destination::File(path) => {
            let log_file = LogFile { path: path.clone(), file: OnceLock::new() };
            if LOG_FILE.set(log_file).is_ok() && shared::telemetry::write_to(None, write_line) {
                log_panics();
            }
        }
        Destination::Nowhere => {
            if shared::telemetry::write_to(None, |_| ()) {
                log_panics();
            }
        }
    }
}

/// Opens the log file, so that an error is reported before the first log line. Does nothing if the
/// log does not go to a file.
///
/// # Errors
/// Fails when the file cannot be opened.
pub(crate) fn open_file() -> Result<(), Failure> {
    let Some(log_file) = LOG_FILE.get() else { return Ok(()) };
    match log_file.open() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "the log file {} cannot be opened ({error}): pass --log FILE with another one",
            log_file.path.display()
        )),
    }
}

impl LogFile {
    fn open(&self) -> &io::Result<File> {
        self.file.get_or_init(|| {
            only_for_owner(OpenOptions::new().create(true).append(true)).open(&self.path)
        })
    }
}

fn write_line(line: &[u8]) {
    if let Some(Ok(mut file)) = LOG_FILE.get().map(LogFile::open).map(Result::as_ref) {
        // This error cannot be reported anywhere else.
        let _ = file.write_all(line);
    }
}

/// Installs a panic hook that logs the location of a panic. The hook leaves out the message,
/// because the message can contain personal data.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(target: "kyc", place, "panic");
    }));
}
