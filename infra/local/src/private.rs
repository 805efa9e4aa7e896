//! Files and folders that only their owner can open. The permissions apply to Unix; elsewhere, the
//! functions create ordinary files and folders.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[cfg(unix)]
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Takes the permissions of other users away from a file, or from a folder and all it contains. A
/// symbolic link is ignored, because the permissions of its target would change.
#[cfg(unix)]
pub(crate) fn close_all(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_dir() {
        close(path, 0o700)?;
        fs::read_dir(path)?.try_for_each(|entry| close_all(&entry?.path()))
    } else if kind.is_file() {
        close(path, 0o600)
    } else {
        Ok(())
    }
}

/// Sets the permissions of a path to `mode`, unless other users already have none.
#[cfg(unix)]
pub(crate) fn close(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if is_open_to_others(path)? {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Changes the options so that only its owner can read and write a file that they create. Has no
/// effect on systems other than Unix.
pub fn only_for_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Creates a folder and its missing parents. On Unix, only their owner can open the new folders;
/// existing folders keep their permissions.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Writes a file and syncs it to the disk. On Unix, only its owner can read and write a new file; an
/// existing file keeps its permissions.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = only_for_owner(&mut options).open(path)?;
    file.write_all(content.as_ref())?;
    file.sync_all()
}
