//! `watchlists`: building indexes, and looking at what is in them.

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

use super::progress::Progress;
use super::{counted, json, open};

#[derive(Subcommand)]
pub(crate) enum Watchlists {
    /// Read the files of a list as its publisher makes them, and write an index of it
    Build(Build),
    /// What an index holds
    Info(Info),
    /// What changed between two versions of a list
    Diff(Diff),
}

#[derive(Args)]
pub(crate) struct Build {
    /// What to call it, like ofac-sdn
    #[arg(long = "list", value_name = "NAME", value_parser = named)]
    list: String,
    /// A file of it, in any format that can be read; OFAC's CSV has several
    #[arg(long = "from", value_name = "FILE", required = true)]
    from: Vec<PathBuf>,
    /// The index to write; replaced as a whole, and only once everything is read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What to call this version; without it, a hash of the content
    #[arg(long = "as", value_name = "VERSION")]
    version: Option<String>,
    /// Print the whole report as JSON: every record left out, every value not read
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Info {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show the entry with this id as well
    #[arg(long, value_name = "ID")]
    entry: Option<String>,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Diff {
    #[arg(value_name = "OLD")]
    old: PathBuf,
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print the ids of all of them
    #[arg(long)]
    json: bool,
}

pub(crate) fn watchlists(command: &Watchlists) -> Result<(), Failure> {
    match command {
        Watchlists::Build(build) => write(build),
        Watchlists::Info(info) => describe(info),
        Watchlists::Diff(diff) => compare(diff),
    }
}

fn named(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 of a-z, 0-9 and -".to_owned())
    }
}

fn write(build: &Build) -> Result<(), Failure> {
    let names: Vec<String> = build.from.iter().map(|file| file.display().to_string()).collect();
    let mut inputs = Vec::new();
    for (file, name) in build.from.iter().zip(&names) {
        let open = File::open(file).map_err(|error| format!("{name}: {error}"))?;
        inputs.push(Input { name, read: Box::new(BufReader::new(open)) });
    }
    let progress = Progress::of("entries", None);
    let imported = import(&build.list, build.version.as_deref(), inputs, |read| progress.at(read));
    drop(progress);
    let imported = imported.map_err(|why| why.to_string())?;
    replace(&build.out, &imported.index)
        .map_err(|error| format!("{}: {error}", build.out.display()))?;
    if build.json {
        return json(&json!({
            "list": build.list,
            "version": imported.version,
            "date": imported.date,
            "bytes": imported.index.len(),
            "report": imported.report,
        }));
    }
    let date = imported.date.map(|date| format!(" of {date}")).unwrap_or_default();
    println!(
        "{}: {} version {}{date}, {} KB",
        build.out.display(),
        build.list,
        imported.version,
        counted(imported.index.len() as u64 / 1_000)
    );
    print_report(&imported.report);
    Ok(())
}

/// Never half a file, whatever happens while it is written.
fn replace(out: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut fresh = out.as_os_str().to_owned();
    fresh.push(format!(".{}.new", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&fresh, out));
    if replaced.is_err() {
        // What is left of it; the first error is the one to tell.
        let _ = fs::remove_file(&fresh);
    }
    replaced
}

/// So many of a kind are printed one by one.
const SHOWN: usize = 10;

fn print_report(report: &Report) {
    println!("  read as      {}", report.format.into_str());
    println!("  entries      {}", total(report.counts.entities, &report.counts.kinds));
    println!("  names        {}", sum(&report.counts.names));
    println!("  dates        {}", counted(report.counts.dates));
    println!("  countries    {}", sum(&report.counts.countries));
    println!("  identifiers  {}", sum(&report.counts.identifiers));
    if !report.passed_over.is_empty() {
        println!("  passed over  {} (they name nobody)", sum(&report.passed_over));
    }
    if report.skipped_total > 0 {
        println!("  left out     {} records that cannot be read:", counted(report.skipped_total));
        for skipped in report.skipped.iter().take(SHOWN) {
            let record = skipped.record.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
            println!("    {}, line {}{record}: {}", skipped.file, skipped.line, skipped.why);
        }
        more(report.skipped_total, report.skipped.len().min(SHOWN));
    }
    if report.unread_total > 0 {
        println!("  not read     {} values; their entries are kept:", counted(report.unread_total));
        for unread in report.unread.iter().take(SHOWN) {
            println!(
                "    {}, line {}: {} {:?}, {} times",
                unread.file, unread.line, unread.field, unread.text, unread.times
            );
        }
        let shown = report.unread.iter().take(SHOWN).map(|unread| unread.times).sum::<u64>();
        more(report.unread_total, usize::try_from(shown).unwrap_or(usize::MAX));
    }
}

fn more(total: u64, shown: usize) {
    let rest = total.saturating_sub(shown as u64);
    if rest > 0 {
        println!("    and {} more: --json shows them", counted(rest));
    }
}

fn sum<K: AsRef<str>>(counts: &std::collections::BTreeMap<K, u64>) -> String {
    total(counts.values().sum(), counts)
}

/// `5: 3 person, 2 vessel`, the most frequent first.
fn total<K: AsRef<str>>(total: u64, counts: &std::collections::BTreeMap<K, u64>) -> String {
    let mut kinds: Vec<(&str, u64)> = counts.iter().map(|(kind, n)| (kind.as_ref(), *n)).collect();
    kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, n)| format!("{} {kind}", counted(*n))).collect();
    let colon = if kinds.is_empty() { "" } else { ": " };
    format!("{}{colon}{}", counted(total), kinds.join(", "))
}

fn describe(info: &Info) -> Result<(), Failure> {
    let index = open(&info.file)?;
    let entry = info.entry.as_deref().map(|id| {
        index.entity(id).ok_or_else(|| format!("{} has no entry {id}", info.file.display()))
    });
    let entry = entry.transpose()?;
    let meta = index.meta();
    if info.json {
        return json(&json!({
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
    println!("list         {}", meta.list);
    println!("version      {}", meta.version);
    println!("published    {}", meta.date.as_deref().unwrap_or("its files do not say"));
    println!("entries      {}", total(u64::from(meta.entities), &kinds));
    println!("names        {}", counted(u64::from(meta.names)));
    println!("model        {}", score::MODEL_VERSION);
    match entry {
        Some(entry) => json(&entry),
        None => Ok(()),
    }
}

fn compare(diff: &Diff) -> Result<(), Failure> {
    let (old, new) = (open(&diff.old)?, open(&diff.new)?);
    if old.meta().list != new.meta().list {
        return Err(format!(
            "{} is of {} and {} of {}: only versions of one list can be compared",
            diff.old.display(),
            old.meta().list,
            diff.new.display(),
            new.meta().list
        ));
    }
    let delta = Delta::between(&old, &new);
    if diff.json {
        return json(&delta);
    }
    println!("{}: {} to {}", new.meta().list, old.meta().version, new.meta().version);
    part(&new, "added", &delta.added, "screened against everybody");
    part(&new, "changed", &delta.changed, "in what is matched: screened against everybody");
    part(&new, "redescribed", &delta.redescribed, "in what only a reader sees");
    part(&old, "removed", &delta.removed, "their alerts are cleared");
    Ok(())
}

fn part(index: &Index, what: &str, ids: &[String], meaning: &str) {
    println!("{what:<12} {:>6}  {meaning}", counted(ids.len() as u64));
    for id in ids.iter().take(SHOWN) {
        let entity = index.entity(id);
        let name = entity.as_ref().and_then(|entity| entity.names.first());
        println!("    {id}  {}", name.map(|name| name.text.as_str()).unwrap_or_default());
    }
    more(ids.len() as u64, ids.len().min(SHOWN));
}
