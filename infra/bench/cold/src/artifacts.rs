//! What is uploaded: how large it is, and how large when it is zipped.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Of the headers of one file in an archive, without its name, which stands there twice.
const ZIP_ENTRY: u64 = 30 + 46;
const ZIP_END: u64 = 22;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    pub(crate) zipped: u64,
}

/// Where `cargo build`, `cargo lambda build` and `sam build` leave a function.
pub(crate) fn find(folder: &Path, binary: &str) -> Result<PathBuf> {
    let logical_id: String = binary
        .split('-')
        .filter_map(|word| word.split_at_checked(1))
        .map(|(first, rest)| first.to_uppercase() + rest)
        .collect();
    let places = [
        folder.join(binary).join("bootstrap"),
        folder.join(logical_id).join("bootstrap"),
        folder.join(binary),
    ];
    let found = places.into_iter().find(|place| place.is_file());
    found.with_context(|| format!("{binary} is nowhere in {}", folder.display()))
}

/// Of one file that is packed alone.
pub(crate) fn of_bootstrap(file: &Path) -> Result<Size> {
    let content = std::fs::read(file)?;
    if !content.starts_with(b"\x7fELF") {
        bail!("{} is no program", file.display());
    }
    Ok(Size {
        bytes: u64::try_from(content.len())?,
        zipped: entry("bootstrap", &content)? + ZIP_END,
    })
}

/// Of a folder's files, packed together. What Python compiles by itself is not uploaded.
pub(crate) fn of_folder(folder: &Path) -> Result<Size> {
    let mut size = Size { bytes: 0, zipped: ZIP_END };
    for file in files(folder)? {
        if file.components().any(|part| part.as_os_str() == "__pycache__") {
            continue;
        }
        let content = std::fs::read(&file)?;
        let name = file.strip_prefix(folder)?.to_string_lossy().into_owned();
        size.bytes += u64::try_from(content.len())?;
        size.zipped += entry(&name, &content)?;
    }
    Ok(size)
}

/// Without symbolic links, behind which is what is counted elsewhere.
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

fn entry(name: &str, content: &[u8]) -> Result<u64> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    let deflated = encoder.finish()?.len();
    Ok(u64::try_from(deflated + 2 * name.len())? + ZIP_ENTRY)
}
