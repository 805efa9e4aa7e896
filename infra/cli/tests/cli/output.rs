//! Tests the commands' arguments and output.

use std::process::ExitStatus;

use super::*;

/// Runs a command whose standard output or standard error has no reader. Returns its exit status, and
/// its text on the other stream.
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

#[tokio::test]
async fn a_closed_pipe_does_not_fail_a_command() {
    let folder = list_folder();
    let path = folder.path();
    std::fs::write(path.join("names.csv"), "id,full_name\n1,Mirka Dovello\n").unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], path);
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
        &["check", "--data", "d"],
    ] {
        let (status, errors) = run_without_reader(command(arguments, path), "stdout");
        assert!(status.success() && errors.is_empty(), "{arguments:?}: {status}: {errors}");
    }
    // The closed stream does not change the exit status of a failing command.
    let failing = command(&["screen", "???"], path);
    assert_eq!(run_without_reader(failing, "stderr").0.code(), Some(1));
    let failing = command(&["check", "--data", "missing"], path);
    assert_eq!(run_without_reader(failing, "stdout").0.code(), Some(1));
    server.stop("-TERM");
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

#[test]
fn a_name_may_start_with_a_hyphen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["-Mirka Dovello", "-mirka-dovello", "- Mirka Dovello"] {
        for arguments in [
            vec!["screen", name, "--json", "--country", "FR"],
            vec!["screen", "--json", "--country", "FR", name],
            vec!["screen", "--json", "--country", "FR", "--", name],
        ] {
            let output = json_of(&arguments, path);
            assert_eq!(output["name"], name, "{arguments:?}");
            assert_eq!(output["matches"][0]["id"], "S-001", "{arguments:?}");
        }
    }
    // The letters of a name are not short options.
    assert_eq!(json_of(&["screen", "-hVj Hassan", "--json"], path)["name"], "-hVj Hassan");
    // A misspelled option is not a name.
    let error = error_of(&["screen", "--jsno", "--json"], path);
    assert!(error.contains("--jsno is not an option"), "{error}");
    assert!(error_of(&["screen", "Mirka", "--jsno"], path).contains("--jsno"));
    assert!(text(&run(&["screen", "-h"], path).stdout).contains("Usage:"));
}

#[test]
fn screen_compares_identifiers_and_gender() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let list = "id,name,kind,identifiers,gender\n\
                1,Mirka Dovello,person,passport:AB1234567,female\n";
    std::fs::write(path.join("list.csv"), list).unwrap();
    let build = ["watchlists", "build", "--list", "own", "--from", "list.csv", "--out", "own.idx"];
    assert!(run(&build, path).status.success());
    let screen = |arguments: &[&str]| {
        let common = ["screen", "--list", "own.idx", "--json", "--threshold", "0.5"];
        json_of(&[&common, arguments].concat(), path)["matches"].clone()
    };
    let score = |matches: &Value| matches[0]["score"].as_f64().unwrap();
    let outcome = |matches: &Value, field: &str| {
        let context = matches[0]["explanation"]["context"].as_array().unwrap();
        let comparison = context.iter().find(|comparison| comparison["of"] == field).unwrap();
        comparison["outcome"].as_str().unwrap().to_owned()
    };
    let plain = screen(&["Mirka Dovello"]);
    assert_eq!(outcome(&plain, "gender"), "not_compared");

    let same = screen(&["Mirka Dovello", "--gender", "female"]);
    assert_eq!((outcome(&same, "gender").as_str(), score(&same)), ("equal", score(&plain)));
    let other = screen(&["Mirka Dovello", "--gender", "male"]);
    assert_eq!(outcome(&other, "gender"), "different");
    assert!(score(&other) < score(&plain), "{other}");

    // An equal identifier is a match, whatever the name.
    let unrelated = ["Tarun Oblasti", "--identifier", "imo:9000123"];
    assert_eq!(screen(&unrelated), json!([]));
    for identifier in ["passport:AB1234567", "passport/FR:ab 1234567", "other:AB1234567"] {
        let arguments =
            ["Tarun Oblasti", "--identifier", "imo:9000123", "--identifier", identifier];
        let matches = screen(&arguments);
        assert_eq!(matches[0]["explanation"]["strength"], "identifier", "{identifier}: {matches}");
    }
    for (arguments, expected) in [
        (["--identifier", "AB1234567"], "KIND:NUMBER"),
        (["--identifier", "passport:"], "KIND:NUMBER"),
        (["--identifier", "password:AB1234567"], "passport, national_id"),
        (["--identifier", "passport/Atlantis:AB1234567"], "ISO 3166-1"),
        (["--gender", "unknown"], "male, female"),
    ] {
        let error = error_of(&[&["screen", "Mirka"], &arguments[..]].concat(), path);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}
