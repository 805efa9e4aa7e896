//! Manages the data folder: the table, the indexes of watchlists, the signing key, and a lock
//! against a second server.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::monitoring::watchlists::Watchlists;

use crate::Failure;
use crate::authorizer::SigningKey;
use crate::objects::Folder;

pub struct DataFolder {
    path: PathBuf,
}

/// A lock on a data folder. Dropping the value releases the lock.
pub(crate) struct Lock(#[allow(dead_code, reason = "dropping the file releases the lock")] File);

impl DataFolder {
    /// Opens the folder and creates it if it does not exist.
    ///
    /// # Errors
    /// Fails when the folder cannot be created.
    pub fn open(path: &Path) -> Result<DataFolder, Failure> {
        fs::create_dir_all(path).map_err(|error| {
            format!("the data folder {} cannot be created: {error}", path.display())
        })?;
        Ok(DataFolder { path: path.to_owned() })
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.path.join("table.sqlite")
    }

    /// Returns the store for indexes of watchlists.
    pub(crate) fn lists(&self) -> Watchlists {
        let objects = Folder::new(self.path.join("watchlists"));
        Watchlists::of(Some(Arc::new(objects)))
    }

    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        let name = self.path.join("lock");
        let failure = |error: std::io::Error| format!("{}: {error}", name.display());
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(&name).map_err(failure)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {
                let path = self.path.display();
                Err(format!(
                    "the data folder {path} is in use by another server: stop it or pass --data DIR"
                ))
            }
            Err(TryLockError::Error(error)) => Err(failure(error)),
        }
    }

    fn key_file(&self) -> PathBuf {
        self.path.join("signing-key.pem")
    }

    pub fn has_signing_key(&self) -> bool {
        self.key_file().exists()
    }

    /// Reads the signing key of this folder. Generates the key first if its file does not exist.
    ///
    /// # Errors
    /// Fails when the file cannot be read or written, or does not contain a key.
    pub fn signing_key(&self) -> Result<SigningKey, Failure> {
        let name = self.key_file();
        let failure = |error: std::io::Error| format!("{}: {error}", name.display());
        if !name.exists() {
            let temporary = self.path.join(format!("signing-key.{}.new", std::process::id()));
            write_private(&temporary, SigningKey::generate()?.pem()).map_err(failure)?;
            // A hard link never replaces an existing file. If two processes start at once, both use
            // the key that was linked first.
            let link = fs::hard_link(&temporary, &name);
            fs::remove_file(&temporary).map_err(failure)?;
            if let Err(error) = link
                && !name.exists()
            {
                return Err(failure(error));
            }
        }
        SigningKey::from_pem(&fs::read_to_string(&name).map_err(failure)?)
    }
}

/// Writes a file. On Unix, only its owner can read and write it.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
