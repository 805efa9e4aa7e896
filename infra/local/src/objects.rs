//! Provides stores for indexes of watchlists in place of a bucket: a folder, and memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use shared::monitoring::watchlists::Objects;

use crate::private;

const MISSING: &str = "does not exist";

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
        Box::pin(
            async move { replace(&self.0.join(object), &bytes).map_err(|error| error.to_string()) },
        )
    }
}

/// Replaces a file atomically. The data is synced to the disk before the file is renamed, so a
/// reader never gets part of the data, even after a power failure.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        private::create_folder(folder)?;
    }
    let temporary = path.with_extension(format!("{}.new", uuid::Uuid::now_v7()));
    let result = private::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}
