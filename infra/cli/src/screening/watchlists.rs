//! Implements the command `watchlists`, which builds, inspects and compares indexes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use local::Failure;
use serde_json::json;
use shared::screening::delta::Delta;
use shared::screening::index::Index;
use shared::screening::lists::{Input, Report};
use shared::screening::{import, score};

use super::indexes::open;
use super::output::{count, print_json};
use super::progress::Progress;
use crate::output::out;

/// Maximum number of entries that a report prints one by one.
const MAX_LINES: usize = 10;

#[derive(Subcommand)]
pub(crate) enum Watchlists {
    /// Build an index from the files that a list's publisher provides
    Build(Build),
    /// Show what an index contains
    Info(Info),
    /// Show the changes between two versions of a list
    Diff(Diff),
}

#[derive(Args)]
pub(crate) struct Build {
    /// Name of the list, such as ofac-sdn
    #[arg(long = "list", value_name = "NAME", value_parser = list_name)]
    list: String,
    /// File of the list, in any supported format; repeat it for a list of several files
    #[arg(long = "from", value_name = "FILE", required = true)]
    from: Vec<PathBuf>,
    /// Index to write; an existing file is replaced after all input is read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of this version; by default a hash of the content
    #[arg(long = "as", value_name = "VERSION")]
    version: Option<String>,
    /// Print the whole report as JSON, with every skipped record and every unreadable value
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Info {
    /// Index to show
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also show the entry with this id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    entry: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Diff {
    /// Index of the old version
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Index of the new version
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print the ids of all changed entries as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Watchlists) -> Result<(), Failure> {
    match command {
        Watchlists::Build(options) => build(options),
        Watchlists::Info(options) => show_info(options),
        Watchlists::Diff(options) => show_diff(options),
    }
}

fn list_name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=64).contains(&text.len()) && text.chars().all(is_allowed) && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 of a-z, 0-9 and -, and must not start with -".to_owned())
    }
}

fn build(options: &Build) -> Result<(), Failure> {
    let names: Vec<String> = options.from.iter().map(|file| file.display().to_string()).collect();
    let mut inputs = Vec::new();
    for (file, name) in options.from.iter().zip(&names) {
        let input = File::open(file).map_err(|error| format!("{name}: {error}"))?;
        inputs.push(Input { name, read: Box::new(BufReader::new(input)) });
    }
    let progress = Progress::start("entries", None);
    let import =
        import(&options.list, options.version.as_deref(), inputs, |read| progress.set(read));
    drop(progress);
    let import = import.map_err(|why| why.to_string())?;
    replace(&options.out, &import.index)
        .map_err(|error| format!("{}: {error}", options.out.display()))?;
    if options.json {
        return print_json(&json!({
            "list": options.list,
            "version": import.version,
            "date": import.date,
            "bytes": import.index.len(),
            "report": import.report,
        }));
    }
    let date = import.date.map(|date| format!(" of {date}")).unwrap_or_default();
    out!(
        "{}: {} version {}{date}, {} KB",
        options.out.display(),
        options.list,
        import.version,
        count(import.index.len() as u64 / 1_000)
    );
    print_report(&import.report);
    Ok(())
}

/// Replaces a file atomically, so a reader never gets part of its content.
fn replace(out: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = out.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(name);
    let result = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, out));
    if result.is_err() {
        // Only the first error is reported.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn print_report(report: &Report) {
    out!("  format       {}", report.format);
    out!("  entries      {}", total_by_kind(report.counts.entities, &report.counts.kinds));
    out!("  names        {}", sum_by_kind(&report.counts.names));
    out!("  dates        {}", count(report.counts.dates));
    out!("  countries    {}", sum_by_kind(&report.counts.countries));
    out!("  identifiers  {}", sum_by_kind(&report.counts.identifiers));
    if !report.passed_over.is_empty() {
        out!("  ignored      {} (without a name)", sum_by_kind(&report.passed_over));
    }
    if report.skipped_total > 0 {
        out!("  skipped      {} unreadable records:", count(report.skipped_total));
        for skipped in report.skipped.iter().take(MAX_LINES) {
            let record = skipped.record.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
            out!("    {}, line {}{record}: {}", skipped.file, skipped.line, skipped.why);
        }
        print_rest(report.skipped_total, report.skipped.len().min(MAX_LINES));
    }
    if report.unread_total > 0 {
        out!("  unreadable   {} values, whose entries are kept:", count(report.unread_total));
        for unread in report.unread.iter().take(MAX_LINES) {
            out!(
                "    {}, line {}: {} {:?}, {} times",
                unread.file,
                unread.line,
                unread.field,
                unread.text,
                unread.times
            );
        }
        let printed = report.unread.iter().take(MAX_LINES).map(|unread| unread.times).sum::<u64>();
        print_rest(report.unread_total, usize::try_from(printed).unwrap_or(usize::MAX));
    }
}

/// Prints the number of entries that were left out, unless it is 0.
fn print_rest(total: u64, printed: usize) {
    let rest = total.saturating_sub(printed as u64);
    if rest > 0 {
        out!("    and {} more: --json prints them", count(rest));
    }
}

fn sum_by_kind<K: AsRef<str>>(counts: &BTreeMap<K, u64>) -> String {
    total_by_kind(counts.values().sum(), counts)
}

/// Formats a total and its parts, the largest part first, for example `5: 3 person, 2 vessel`.
fn total_by_kind<K: AsRef<str>>(total: u64, counts: &BTreeMap<K, u64>) -> String {
    let mut kinds: Vec<(&str, u64)> = counts.iter().map(|(kind, n)| (kind.as_ref(), *n)).collect();
    kinds.sort_by_key(|(_, n)| Reverse(*n));
    let parts: Vec<String> =
        kinds.iter().map(|(kind, n)| format!("{} {kind}", count(*n))).collect();
    let separator = if parts.is_empty() { "" } else { ": " };
    format!("{}{separator}{}", count(total), parts.join(", "))
}

fn show_info(options: &Info) -> Result<(), Failure> {
    let index = open(&options.file)?;
    let find_entry = |id| {
        let missing = || format!("{} has no entry {id}", options.file.display());
        index.entity(id).ok_or_else(missing)
    };
    let entry = options.entry.as_deref().map(find_entry).transpose()?;
    let meta = index.meta();
    if options.json {
        return print_json(&json!({
            "list": meta.list,
            "version": meta.version,
            "date": meta.date,
            "entities": meta.entities,
            "kinds": meta.kinds,
            "names": meta.names,
            "model_version": score::MODEL_VERSION,
            "entry": entry,
        }));
    }
    let kinds = meta.kinds.iter().map(|(kind, n)| (kind.as_str(), u64::from(*n))).collect();
    out!("list         {}", meta.list);
    out!("version      {}", meta.version);
    out!("published    {}", meta.date.as_deref().unwrap_or("unknown"));
    out!("entries      {}", total_by_kind(u64::from(meta.entities), &kinds));
    out!("names        {}", count(u64::from(meta.names)));
    out!("model        {}", score::MODEL_VERSION);
    match entry {
        Some(entry) => print_json(&entry),
        None => Ok(()),
    }
}

fn show_diff(options: &Diff) -> Result<(), Failure> {
    let (old, new) = (open(&options.old)?, open(&options.new)?);
    if old.meta().list != new.meta().list {
        return Err(format!(
            "{} is of {} and {} of {}: only versions of one list can be compared",
            options.old.display(),
            old.meta().list,
            options.new.display(),
            new.meta().list
        ));
    }
    let delta = Delta::between(&old, &new);
    if options.json {
        return print_json(&delta);
    }
    out!("{}: {} to {}", new.meta().list, old.meta().version, new.meta().version);
    print_entries(&new, "added", &delta.added, "screened against all customers");
    print_entries(
        &new,
        "changed",
        &delta.changed,
        "in compared fields, screened against all customers",
    );
    print_entries(&new, "redescribed", &delta.redescribed, "in other fields");
    print_entries(&old, "removed", &delta.removed, "their alerts are cleared");
    Ok(())
}

fn print_entries(index: &Index, label: &str, ids: &[String], meaning: &str) {
    out!("{label:<12} {:>6}  {meaning}", count(ids.len() as u64));
    for id in ids.iter().take(MAX_LINES) {
        let entity = index.entity(id);
        let name = entity.as_ref().and_then(|entity| entity.names.first());
        out!("    {id}  {}", name.map(|name| name.text.as_str()).unwrap_or_default());
    }
    print_rest(ids.len() as u64, ids.len().min(MAX_LINES));
}
