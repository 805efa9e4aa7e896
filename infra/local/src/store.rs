//! Runs the embedded DynamoDB-compatible store. The AWS SDK connects to the store over loopback, so
//! the functions use it in the same way as DynamoDB.

use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use dynoxide::Database;
use tokio::sync::oneshot;

use crate::access::{AccessKey, TableAccess};
use crate::file::StoreFile;
use crate::{Failure, connections, dynamodb};

/// Time between two removals of expired items. The functions ignore an expired item that still
/// exists.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

pub(crate) struct Store {
    pub(crate) access: TableAccess,
    /// `None` if the store is in memory.
    pub(crate) file: Option<StoreFile>,
    pub(crate) database: Database,
    stop_server: Option<oneshot::Sender<()>>,
    stop_sweep: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Store {
    /// Starts a store in a file. Without a file, the store is in memory.
    pub(crate) fn start(path: Option<&Path>, access_key: AccessKey) -> Result<Store, Failure> {
        let file = path.map(StoreFile::open).transpose()?;
        let database = match path {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory(),
        }
        .map_err(|error| format!("the store cannot be opened: {error}"))?;
        let failure = |error: std::io::Error| format!("the store cannot be started: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failure)?;
        listener.set_nonblocking(true).map_err(failure)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(failure)?);

        // The store works synchronously. It runs on a separate thread with a separate runtime, so
        // it does not block handlers.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failure)?;
        let (stop_server, server_stopped) = oneshot::channel::<()>();
        let router = dynamodb::router(database.clone(), access_key.clone());
        let sweep_database = database.clone();
        let server = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                let stopped = async {
                    let _ = server_stopped.await;
                };
                connections::serve(listener, router, stopped).await;
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        });
        let (stop_sweep, sweep_stopped) = channel::<()>();
        let sweeper = std::thread::spawn(move || {
            while sweep_stopped.recv_timeout(SWEEP_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let _ = sweep_database.sweep_ttl();
            }
        });
        Ok(Store {
            access: TableAccess { endpoint, access_key: Some(access_key) },
            file,
            database,
            stop_server: Some(stop_server),
            stop_sweep: Some(stop_sweep),
            threads: vec![server, sweeper],
        })
    }

    /// Stops the store: waits for running requests and closes the file.
    pub(crate) fn stop(mut self) {
        drop(self.stop_sweep.take());
        if let Some(stop) = self.stop_server.take() {
            let _ = stop.send(());
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
