//! Tests of the commands' arguments and output.

use std::process::ExitStatus;

use super::*;

/// Runs a command whose standard output or standard error has no reader. Returns its exit status and
/// the text of the other one.
fn run_without_reader(mut command: Command, closed: &str) -> (ExitStatus, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    if closed == "stdout" {
        command.stdout(writer);
    } else {
        command.stderr(writer);
    }
    let output = command.output().unwrap();
    (output.status, text(if closed == "stdout" { &output.stderr } else { &output.stdout }))
}

#[test]
fn a_closed_pipe_does_not_fail_a_command() {
    let folder = list_folder();
    let path = folder.path();
    std::fs::write(path.join("names.csv"), "id,full_name\n1,Mirka Dovello\n").unwrap();
    for arguments in [
        &["openapi"][..],
        &["--help"],
        &["token", "--tenant", "zoo", "--data", "d"],
        &["screen", "Mirka Dovello"],
        &["screen", "Mirka Dovello", "--json"],
        &["watchlists", "info", "old.idx", "--entry", "1"],
        &["watchlists", "diff", "old.idx", "new.idx"],
        &["watchlists", "build", "--list", "own", "--from", "old.csv", "--out", "again.idx"],
        &["screen-eval", "--list", "old.idx", "--names", "names.csv"],
    ] {
        let (status, errors) = run_without_reader(command(arguments, path), "stdout");
        assert!(status.success() && errors.is_empty(), "{arguments:?}: {status}: {errors}");
    }
    // A command keeps the exit status of its result.
    let failing = command(&["screen", "???"], path);
    assert_eq!(run_without_reader(failing, "stderr").0.code(), Some(1));
}

#[test]
fn a_full_disk_fails_a_command() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = command(&["openapi"], folder.path()).stdout(full).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("the output cannot be written"), "{error}");
}
