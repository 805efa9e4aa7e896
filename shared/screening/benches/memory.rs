//! Measures the memory that a list needs by its number of entries:
//! `cargo bench -p screening --bench memory`. The sizes can be given, such as `-- 1000 10000`.
//!
//! Every step runs in a separate process, which reports its peak. The measured numbers must not
//! exceed those that `refresh-watchlists` calculates with, see `shared/src/monitoring/capacity.rs`.
#![allow(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use screening::delta::Delta;
use screening::index::{Index, screening_memory};
use screening::lists::Input;
use screening::score::DEFAULT_MIN_SCORE;
use screening::{Query, Screener, import};

const MB: f64 = 1024.0 * 1024.0;
const SIZES: [usize; 4] = [10_000, 100_000, 300_000, 1_000_000];
/// Memory in MB that a process may take in addition to the lists.
const RESERVED: f64 = 64.0;
/// Largest peak of a comparison of two versions or of building an index, in multiples of the memory of
/// the list.
const JOB_COPIES: f64 = 5.0;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["build", list, index] => build(Path::new(list), Path::new(index))?,
        ["screen", index] => screen(Path::new(index))?,
        ["compare", old, new] => compare(Path::new(old), Path::new(new))?,
        sizes => {
            let sizes = sizes.iter().map(|size| size.parse()).collect::<Result<Vec<usize>, _>>()?;
            return measure(if sizes.is_empty() { &SIZES } else { &sizes });
        }
    }
    println!("{}", peak()?);
    Ok(())
}

/// Returns the peak memory of this process in bytes.
fn peak() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmHWM")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}

fn measure(sizes: &[usize]) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("memory-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let result = sizes.iter().try_for_each(|size| measure_size(&folder, *size));
    fs::remove_dir_all(&folder)?;
    result
}

/// Measures a list of this size and a version of it in which every entry has changed.
fn measure_size(folder: &Path, size: usize) -> Result<(), Failure> {
    let path = |name: &str| folder.join(name);
    let (list, old, new) = (path("list.csv"), path("old.index"), path("new.index"));
    write_list(&list, size, 1)?;
    let file = fs::metadata(&list)?.len() as f64 / MB;
    let build = run(&["build"], &[&list, &old])?;
    let screen = run(&["screen"], &[&old])?;
    write_list(&list, size, 2)?;
    run(&["build"], &[&list, &new])?;
    let compare = run(&["compare"], &[&old, &new])?;
    let memory = screening_memory(&fs::read(&new)?)? as f64 / MB;
    let index = fs::metadata(&new)?.len() as f64 / MB;
    println!(
        "{size:>9} entries: file {file:>4.0} MB, index {index:>4.0} MB, needs {memory:>4.0} MB; peak of \
         screening {screen:>4.0} MB, of building {build:>4.0} MB, of a pass over a change of everything \
         {compare:>5.0} MB"
    );
    let job = memory * JOB_COPIES + RESERVED;
    if screen > memory + RESERVED || build > job || compare > job {
        return Err("a peak is higher than the formula of capacity.rs".into());
    }
    Ok(())
}

/// Runs a step in its own process and returns its peak in MB.
fn run(step: &[&str], files: &[&PathBuf]) -> Result<f64, Failure> {
    let output = Command::new(std::env::current_exe()?).args(step).args(files).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse::<f64>()? / MB)
}

/// Writes a list of made-up people. Another `version` gives them other dates.
fn write_list(path: &Path, size: usize, version: usize) -> Result<(), Failure> {
    const GIVEN: [&str; 8] = ["Ahmad", "Maria", "Ivan", "Yusuf", "Elena", "Jose", "Mirka", "Tomas"];
    const SYLLABLES: [&str; 16] = [
        "ba", "dro", "ka", "li", "mo", "na", "pe", "ro", "sha", "ti", "vo", "ze", "gar", "hin",
        "kov", "wen",
    ];
    let pick = |from: &[&'static str], number: usize| from.get(number % from.len()).copied();
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "id,name,kind,date,countries")?;
    for id in 0..size {
        // Spreads consecutive numbers, so that neighbours have different names.
        let mut number = id.wrapping_mul(0x9e37_79b1) & 0xffff_ffff;
        let mut name = String::new();
        for _ in 0..2 {
            name.push_str(pick(&GIVEN, number).unwrap_or_default());
            name.push(' ');
            number /= GIVEN.len();
        }
        // Most family names of a large list are different.
        number = id.wrapping_mul(0x85eb_ca6b) & 0xffff_ffff;
        for _ in 0..3 + id % 3 {
            name.push_str(pick(&SYLLABLES, number).unwrap_or_default());
            number /= SYLLABLES.len();
        }
        writeln!(file, "E-{id:07},{name},person,{},DE", 1900 + version * 50 + id % 50)?;
    }
    file.flush()?;
    Ok(())
}

fn build(list: &Path, index: &Path) -> Result<(), Failure> {
    let file = Input { name: "list.csv", read: Box::new(BufReader::new(File::open(list)?)) };
    fs::write(index, import("list", None, vec![file], |_| ())?.index)?;
    Ok(())
}

/// Screens names that share a word with many entries, as the buffers then have their largest size.
fn screen(index: &Path) -> Result<(), Failure> {
    let index = Index::read(index)?;
    let mut screener = Screener::new([&index]);
    for name in ["Ahmad Maria Bakali", "Yusuf Elena Droka", "Tomas Ivan Jose Mirka"] {
        screener.screen(&Query::of_name(name), DEFAULT_MIN_SCORE);
    }
    Ok(())
}

/// Compares two versions like a pass: it builds an index of the changed entries, and screens against
/// that index and against the whole list.
fn compare(old: &Path, new: &Path) -> Result<(), Failure> {
    let (old, new) = (Index::read(old)?, Index::read(new)?);
    let delta = Delta::between(&old, &new);
    let touched: std::collections::BTreeSet<(String, String)> = delta
        .changed
        .iter()
        .chain(&delta.removed)
        .map(|id| ("list".to_owned(), id.clone()))
        .collect();
    let changes = Index::open(delta.index(&new)?)?;
    for index in [&new, &changes] {
        Screener::new([index]).screen(&Query::of_name("Ahmad Maria Bakali"), DEFAULT_MIN_SCORE);
    }
    println!("{}", peak()?);
    std::process::exit(if touched.is_empty() { 1 } else { 0 });
}
