//! Finds and reads the files of the repository.

use std::path::{Path, PathBuf};

/// Folders that are skipped, because they contain generated or private files.
const SKIPPED_FOLDERS: [&str; 7] =
    [".aws-sam", ".data", ".git", "__pycache__", "node_modules", "proptest-regressions", "target"];

/// Returns the root of the repository that contains the current directory.
///
/// # Errors
/// Fails if no parent folder contains `template.yaml` and `shared`.
pub fn root() -> Result<PathBuf, String> {
    let current = std::env::current_dir().map_err(|error| format!("current directory: {error}"))?;
    let is_root =
        |folder: &&Path| folder.join("template.yaml").is_file() && folder.join("shared").is_dir();
    current.ancestors().find(is_root).map(Path::to_owned).ok_or_else(|| {
        format!("{} is not inside the repository; change into it first", current.display())
    })
}

/// Returns every file below `path`, sorted by name, without the files in `SKIPPED_FOLDERS`. If
/// `path` is a file, returns only this file.
///
/// # Errors
/// Fails if a folder cannot be read.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let walk = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let mut files = Vec::new();
    for entry in walk.filter_entry(|entry| !is_skipped(entry)) {
        let entry = entry.map_err(|error| error.to_string())?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn is_skipped(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() > 0 && entry.file_type().is_dir() && SKIPPED_FOLDERS.contains(&name.as_ref())
}

/// Reads a text file in UTF-8.
///
/// # Errors
/// Returns the name of the file and the reason if it cannot be read.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
