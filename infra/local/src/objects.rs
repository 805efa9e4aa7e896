//! Where indexes of watchlists lie without a bucket: in a folder, or in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use shared::monitoring::watchlists::Objects;

const MISSING: &str = "is not there";

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Objects for Memory {
    fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(async move {
            let objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            objects.get(object).cloned().ok_or_else(|| MISSING.to_owned())
        })
    }

    fn put<'a>(&'a self, object: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            objects.insert(object.to_owned(), bytes);
            Ok(())
        })
    }
}

#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Folder {
        Folder(path)
    }
}

impl Objects for Folder {
    fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(async move {
            fs::read(self.0.join(object)).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => MISSING.to_owned(),
                _ => error.to_string(),
            })
        })
    }

    fn put<'a>(&'a self, object: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            write_whole(&self.0.join(object), &bytes).map_err(|error| error.to_string())
        })
    }
}

/// Nobody ever sees half of it, not even after a loss of power.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension(format!("{}.new", uuid::Uuid::now_v7()));
    let written = fs::write(&fresh, bytes)
        .and_then(|()| fs::File::open(&fresh)?.sync_all())
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}
