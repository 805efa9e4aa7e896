//! Finds executables and calculates the sizes of deployment packages, unpacked and zipped.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Size in bytes of the two headers that a ZIP archive has for each file, without the name of the
/// file. Both headers contain the name.
const ZIP_ENTRY: u64 = 30 + 46;
/// Size in bytes of the record at the end of a ZIP archive.
const ZIP_END: u64 = 22;

/// Size of a deployment package in bytes, unpacked and zipped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    pub(crate) zipped: u64,
}

/// Returns the path of a function's executable. Searches the places where `cargo build`, `cargo
/// lambda build` and `sam build` write executables.
pub(crate) fn find(folder: &Path, binary: &str) -> Result<PathBuf> {
    let logical_id: String = binary
        .split('-')
        .filter_map(|word| word.split_at_checked(1))
        .map(|(first, rest)| first.to_uppercase() + rest)
        .collect();
    let candidates = [
        folder.join(binary).join("bootstrap"),
        folder.join(logical_id).join("bootstrap"),
        folder.join(binary),
    ];
    let file = candidates.into_iter().find(|candidate| candidate.is_file());
    file.with_context(|| format!("{} does not contain {binary}: build it first", folder.display()))
}

/// Returns the size of a package that contains one executable, or an error if the file is not in
/// ELF format.
pub(crate) fn size_of_bootstrap(file: &Path) -> Result<Size> {
    let content = std::fs::read(file)?;
    if !content.starts_with(b"\x7fELF") {
        bail!("{} is not an ELF executable", file.display());
    }
    Ok(Size {
        bytes: u64::try_from(content.len())?,
        zipped: zip_entry_size("bootstrap", &content)? + ZIP_END,
    })
}

/// Returns the size of a deployment package that contains all files in a folder. Skips
/// `__pycache__`, where Python writes bytecode on the first import, because it is not uploaded.
pub(crate) fn size_of_folder(folder: &Path) -> Result<Size> {
    let mut size = Size { bytes: 0, zipped: ZIP_END };
    for file in files(folder)? {
        if file.components().any(|part| part.as_os_str() == "__pycache__") {
            continue;
        }
        let content = std::fs::read(&file)?;
        let name = file.strip_prefix(folder)?.to_string_lossy().into_owned();
        size.bytes += u64::try_from(content.len())?;
        size.zipped += zip_entry_size(&name, &content)?;
    }
    Ok(size)
}

/// Returns all files in a folder and its subfolders, sorted. Skips symbolic links, so that a file is
/// counted only once.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            all.extend(files(&entry.path())?);
        } else if kind.is_file() {
            all.push(entry.path());
        }
    }
    all.sort();
    Ok(all)
}

fn zip_entry_size(name: &str, content: &[u8]) -> Result<u64> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    let deflated = encoder.finish()?.len();
    Ok(u64::try_from(deflated + 2 * name.len())? + ZIP_ENTRY)
}
