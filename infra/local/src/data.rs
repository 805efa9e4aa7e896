//! Manages the data folder: the table, the indexes of watchlists, the signing key, and a lock
//! against a second server. On Unix, only the owner of the folder can open it and its files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::monitoring::watchlists::Watchlists;

use crate::Failure;
use crate::access::TableAccess;
use crate::authorizer::SigningKey;
use crate::objects::Folder;
use crate::private;

pub struct DataFolder {
    path: PathBuf,
}

/// A lock on a data folder. Dropping the value releases the lock.
pub(crate) struct Lock(#[allow(dead_code, reason = "dropping the file releases the lock")] File);

impl DataFolder {
    /// Opens the folder and creates it if it does not exist. Takes the permissions of other users
    /// away from the folder and from the files that servers wrote to it.
    ///
    /// # Errors
    /// Fails when the folder cannot be created, when its permissions cannot be changed, or when
    /// other users can open it and it contains files of other programs.
    pub fn open(path: &Path) -> Result<DataFolder, Failure> {
        private::create_folder(path).map_err(|error| {
            format!("the data folder {} cannot be created: {error}", path.display())
        })?;
        let folder = DataFolder { path: path.to_owned() };
        #[cfg(unix)]
        folder.make_private()?;
        Ok(folder)
    }

    #[cfg(unix)]
    fn make_private(&self) -> Result<(), Failure> {
        let path = self.path.display();
        let failure = |error: io::Error| {
            format!(
                "the data folder {path} cannot be closed to other users ({error}): pass --data DIR with a folder that \
                 you own"
            )
        };
        let entries = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(failure)?;
        let (own, foreign): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| is_of_a_server(&entry.file_name()));
        // Another program may need the permissions, and the folder may not be meant for data.
        if let Some(foreign) = foreign.first()
            && private::is_open_to_others(&self.path).map_err(failure)?
        {
            return Err(format!(
                "other users can open the data folder {path}, and it contains {:?}, which is not from a server: pass \
                 --data DIR with another folder, or run chmod 700 {path}",
                foreign.file_name()
            ));
        }
        private::close(&self.path, 0o700).map_err(failure)?;
        own.iter().try_for_each(|entry| private::close_all(&entry.path())).map_err(failure)
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.path.join(TABLE)
    }

    /// Returns the store for indexes of watchlists.
    pub(crate) fn lists(&self) -> Watchlists {
        let objects = Folder::new(self.path.join(LISTS));
        Watchlists::of(Some(Arc::new(objects)))
    }

    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        let name = self.path.join(LOCK);
        let failure = |error: io::Error| format!("{}: {error}", name.display());
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = private::only_for_owner(&mut options).open(&name).map_err(failure)?;
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
        self.path.join(KEY)
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
        let failure = |error: io::Error| format!("{}: {error}", name.display());
        if !name.exists() {
            let temporary = self.path.join(format!("signing-key.{}.new", std::process::id()));
            private::write(&temporary, SigningKey::generate()?.pem()).map_err(failure)?;
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

    /// Returns the path of the file in a data folder that gives other programs access to the table,
    /// as environment variables.
    pub fn access_file(folder: &Path) -> PathBuf {
        folder.join(ACCESS)
    }

    /// Writes the file that gives other programs access to the table.
    pub(crate) fn write_access(&self, access: &TableAccess, table: &str) -> Result<(), Failure> {
        let name = DataFolder::access_file(&self.path);
        private::write(&name, access.environment(table))
            .map_err(|error| format!("{}: {error}", name.display()))
    }

    /// Reads the access file of a data folder. Returns the access to the table and the table's
    /// name. The server that wrote the file may no longer run.
    ///
    /// # Errors
    /// Fails when the file is missing, because no server with an embedded table has been started
    /// with this folder, or when the file cannot be read or is incomplete.
    pub fn read_access(folder: &Path) -> Result<(TableAccess, String), Failure> {
        let name = DataFolder::access_file(folder);
        let text = fs::read_to_string(&name).map_err(|error| {
            let folder = folder.display();
            format!("{}: {error}: start the server with --data {folder}", name.display())
        })?;
        TableAccess::read(&text)
            .ok_or_else(|| format!("{} is incomplete: start the server again", name.display()))
    }
}

/// Names of the files and folders that servers write to a data folder.
const TABLE: &str = "table.sqlite";
const LOCK: &str = "lock";
const KEY: &str = "signing-key.pem";
const ACCESS: &str = "access.env";
const LISTS: &str = "watchlists";
pub(crate) const EVENTS_POSITION: &str = "events.position";
/// Name of the log, if it is in the data folder.
pub const LOG: &str = "server.log";

#[cfg(unix)]
fn is_of_a_server(name: &std::ffi::OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    // The names of SQLite's other files start with the name of the table's file. The prefixes also
    // cover the temporary files of the stream position and the signing key.
    [LOCK, ACCESS, LISTS, LOG].contains(&name)
        || [TABLE, "signing-key.", "events."].iter().any(|start| name.starts_with(start))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Creates a file with the permissions that it would have had without [`private::only_for_owner`].
    fn write_open(path: &Path) {
        fs::write(path, "x").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn open_folder(path: &Path) {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn existing_files_of_servers_lose_the_permissions_of_others() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        open_folder(&path);
        open_folder(&path.join(LISTS));
        let files = [
            "table.sqlite",
            "table.sqlite-wal",
            "table.sqlite-shm",
            "lock",
            "signing-key.pem",
            "access.env",
            "events.position",
            "server.log",
            "watchlists/ours",
        ];
        files.iter().for_each(|name| write_open(&path.join(name)));
        let outside = parent.path().join("outside");
        write_open(&outside);
        symlink(&outside, path.join("watchlists/link")).unwrap();
        DataFolder::open(&path).unwrap();
        assert_eq!((mode(&path), mode(&path.join(LISTS))), (0o700, 0o700));
        for name in files {
            assert_eq!(mode(&path.join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&outside), 0o644);
    }

    #[test]
    fn a_folder_with_other_files_is_refused_and_unchanged() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("home");
        open_folder(&path);
        write_open(&path.join("letter.txt"));
        write_open(&path.join("lock"));
        let failure = DataFolder::open(&path).map(drop).unwrap_err();
        assert!(failure.contains("letter.txt") && failure.contains("chmod 700"), "{failure}");
        assert_eq!((mode(&path), mode(&path.join("lock"))), (0o755, 0o644));
        // The user's decision to close the folder is enough. Other files keep their permissions.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        DataFolder::open(&path).unwrap();
        assert_eq!((mode(&path.join("lock")), mode(&path.join("letter.txt"))), (0o600, 0o644));
    }
}
