//! What a watchlist's files come to: `cargo run -p shared --example read_list -- FILE…` prints the
//! report as JSON, and with `--entities` before the files every entry on its own line.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write, stdout};

use shared::screening::lists::{Input, read};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let before = files.len();
    files.retain(|file| file != "--entities");
    let entities = files.len() < before;
    let mut inputs = Vec::new();
    for file in &files {
        inputs.push(Input { name: file, read: Box::new(BufReader::new(File::open(file)?)) });
    }
    let mut out = BufWriter::new(stdout().lock());
    let mut failed = Ok(());
    let report = read(inputs, &mut |entity| {
        if entities && failed.is_ok() {
            failed = serde_json::to_writer(&mut out, &entity).map_err(std::io::Error::from);
            failed = std::mem::replace(&mut failed, Ok(())).and_then(|()| writeln!(out));
        }
    })?;
    failed?;
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)?;
    Ok(())
}
