//! The data folder: the table, the signing key, and the lock that keeps a second server out.

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

/// Held as long as the server runs.
pub(crate) struct Lock(#[allow(dead_code, reason = "dropping the file releases the lock")] File);

impl DataFolder {
    pub fn open(path: &Path) -> Result<DataFolder, Failure> {
        fs::create_dir_all(path)
            .map_err(|error| format!("the data folder {}: {error}", path.display()))?;
        Ok(DataFolder { path: path.to_owned() })
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.path.join("table.sqlite")
    }

    /// The indexes of watchlists.
    pub(crate) fn lists(&self) -> Watchlists {
        let objects = Folder::new(self.path.join("watchlists"));
        Watchlists::of(Some(Arc::new(objects)))
    }

    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        let name = self.path.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
        let file = file.map_err(|error| format!("{}: {error}", name.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {
                let path = self.path.display();
                Err(format!(
                    "the data folder {path} is in use by another server: stop it or pass --data DIR"
                ))
            }
            Err(TryLockError::Error(error)) => Err(format!("{}: {error}", name.display())),
        }
    }

    fn key_file(&self) -> PathBuf {
        self.path.join("signing-key.pem")
    }

    pub fn has_signing_key(&self) -> bool {
        self.key_file().exists()
    }

    /// The key of this folder; made at the first start.
    pub fn signing_key(&self) -> Result<SigningKey, Failure> {
        let name = self.key_file();
        let failed = |error: std::io::Error| format!("{}: {error}", name.display());
        if !name.exists() {
            let fresh = self.path.join(format!("signing-key.{}.new", std::process::id()));
            write_private(&fresh, SigningKey::generate()?.pem()).map_err(failed)?;
            // Of two that start at once the first one's key stays; a link never replaces.
            let linked = fs::hard_link(&fresh, &name);
            fs::remove_file(&fresh).map_err(failed)?;
            if let Err(error) = linked.as_ref()
                && !name.exists()
            {
                return Err(format!("{}: {error}", name.display()));
            }
        }
        SigningKey::from_pem(&fs::read_to_string(&name).map_err(failed)?)
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
