//! Attacks a running server as a web page, as another user of the machine, and as a program without
//! the access key, and looks for erased data in its files.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use reqwest::Method;

use super::*;

/// Id of the user and the group `nobody`.
const NOBODY: u32 = 65_534;

/// A request to the table's port.
struct Attack<'a> {
    method: Method,
    operation: &'a str,
    headers: Vec<(&'a str, String)>,
}

impl Running {
    fn access_key(&self) -> &str {
        self.labelled("Access key:")
    }

    /// Returns the header with which a program signs its requests.
    pub(super) fn signature(&self) -> (&'static str, String) {
        signature_of(self.access_key())
    }

    /// Sends a request to the table's port. Returns the status, the text, and whether a web page
    /// could read the answer.
    async fn attack(&self, attack: Attack<'_>) -> (u16, String, bool) {
        local::tls::install_provider();
        let client = reqwest::Client::new();
        let mut request = client
            .request(attack.method, self.table())
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{}", attack.operation))
            .body(r#"{"TableName":"Table"}"#);
        for (name, value) in attack.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        let is_readable = answer.headers().contains_key("access-control-allow-origin");
        (answer.status().as_u16(), answer.text().await.unwrap(), is_readable)
    }
}

fn signature_of(key: &str) -> (&'static str, String) {
    let scope = "20261129/local/dynamodb/aws4_request";
    let signed = "SignedHeaders=host;x-amz-date, Signature=0123456789abcdef";
    ("authorization", format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, {signed}"))
}

async fn create(server: &Running, name: &str) -> String {
    let body = json!({ "name": name });
    let (status, created) = server.call("POST", "/customers", &server.token, Some(body)).await;
    assert_eq!(status, 201, "{created}");
    created["data"]["customer_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_table_refuses_web_pages_and_programs_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0"], folder.path());
    let path = format!("/customers/{}", create(&server, "Brindal Quarry").await);
    let signature = server.signature();
    let evil = || ("origin", "https://evil.example".to_owned());
    let rebound = || ("host", "evil.example:8080".to_owned());
    let local_page = ("origin", server.table().to_owned());
    let basic = || ("authorization", format!("Basic {}", server.access_key()));
    let shortened = &server.access_key()[..server.access_key().len() - 1];
    for (headers, expected) in [
        // A page of any site, with and without the key.
        (vec![evil()], 403),
        (vec![evil(), signature.clone()], 403),
        (vec![("origin", "null".to_owned()), signature.clone()], 403),
        (vec![local_page, signature.clone()], 403),
        // A page whose host name resolves to this machine (DNS rebinding).
        (vec![rebound()], 403),
        (vec![rebound(), signature.clone()], 403),
        // Programs of other users.
        (vec![], 400),
        (vec![signature_of("local")], 400),
        (vec![signature_of("")], 400),
        (vec![signature_of(shortened)], 400),
        (vec![basic()], 400),
        (vec![signature_of("local"), signature.clone()], 400),
    ] {
        for operation in ["Scan", "DeleteTable"] {
            let headers = headers.clone();
            let description = format!("{operation}: {headers:?}");
            let attack = Attack { method: Method::POST, operation, headers };
            let (status, text, is_readable) = server.attack(attack).await;
            assert_eq!((status, is_readable), (expected, false), "{description}: {text}");
            assert!(!text.contains("Brindal"), "{description}: {text}");
        }
    }
    // Before a page's request with additional headers, a browser sends a preflight request with
    // OPTIONS.
    let preflight = ("access-control-request-headers", "authorization".to_owned());
    for method in [Method::OPTIONS, Method::GET] {
        let headers = vec![evil(), preflight.clone()];
        let (status, _, is_readable) =
            server.attack(Attack { method, operation: "Scan", headers }).await;
        assert_eq!((status, is_readable), (403, false));
    }

    // A program with the key reads the table, which no attack has deleted.
    let attack = Attack { method: Method::POST, operation: "Scan", headers: vec![signature] };
    let (status, text, _) = server.attack(attack).await;
    assert!(status == 200 && text.contains("Brindal"), "{status}: {text}");
    assert_eq!(server.call("GET", &path, &server.token, None).await.0, 200);

    // Each start has another key.
    let key = server.access_key().to_owned();
    server.stop("-TERM");
    let server = Running::start(&["--port", "0"], folder.path());
    assert_ne!(server.access_key(), key);
    let headers = vec![signature_of(&key)];
    let attack = Attack { method: Method::POST, operation: "Scan", headers };
    assert_eq!(server.attack(attack).await.0, 400);
    server.stop("-TERM");
}

#[tokio::test]
async fn check_finds_the_key_in_the_data_folder_or_in_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    create(&server, "Brindal Quarry").await;
    let by_folder = text(&run(&["check", "--data", "d"], folder.path()).stdout);
    assert!(
        by_folder.contains(" 1 customer\n") && by_folder.contains(" 0 violations"),
        "{by_folder}"
    );

    let arguments = ["check", "--table", "Table", "--endpoint", server.table()];
    let with_key = |key: &str| {
        let mut command = command(&arguments, folder.path());
        command.env("AWS_REGION", "local").env("AWS_ACCESS_KEY_ID", key);
        command.env("AWS_SECRET_ACCESS_KEY", "none").output().unwrap()
    };
    assert_eq!(text(&with_key(server.access_key()).stdout), by_folder);
    let refused = with_key("none");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    let error = text(&refused.stderr);
    assert!(error.contains("AWS_ACCESS_KEY_ID"), "{error}");

    let missing = error_of(&["check", "--data", "missing"], folder.path());
    assert!(missing.contains("start the server with --data missing"), "{missing}");
    assert!(!folder.path().join("missing").exists());
    server.stop("-TERM");
}

/// Returns all files and folders in a folder, and the folder itself.
fn tree(path: &Path) -> Vec<PathBuf> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            paths.extend(tree(&entry.unwrap().path()));
        }
    }
    paths
}

fn permissions(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Starts a server that prints events and writes its log to the data folder `d`.
fn start_with_events(folder: &Path) -> Running {
    // The option `--log` opens the log before the server creates the data folder.
    fs::create_dir_all(folder.join("d")).unwrap();
    let arguments = ["--port", "0", "--data", "d", "--log", "d/server.log", "--events", "-"];
    let mut command = command(&arguments, folder);
    // The start text is on standard error, because standard output has the events.
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let mut output = BufReader::new(child.stderr.take().unwrap());
    let start_text = read_start_text(&mut output);
    child.stderr = Some(output.into_inner());
    Running::new(child, start_text)
}

/// Runs a program as the user `nobody`, and returns whether it succeeded. Only root can do this.
fn succeeds_as_nobody(program: &str, path: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg(path).uid(NOBODY).gid(NOBODY).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

#[tokio::test]
async fn other_users_cannot_read_the_data_folder() {
    let parent = tempfile::tempdir().unwrap();
    // Other users can open the parent folder, so only the data folder's own permissions keep them
    // out.
    permit(parent.path(), 0o755);
    let data = parent.path().join("d");
    fs::create_dir(&data).unwrap();
    permit(&data, 0o755);
    for start_number in 1..=2 {
        let server = start_with_events(parent.path());
        create(&server, "Brindal Quarry").await;
        // The position of the event is stored a moment later.
        for _ in 0..200 {
            if data.join("events.position").exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let paths = tree(&data);
        let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        for name in [
            "table.sqlite",
            "table.sqlite-wal",
            "table.sqlite-shm",
            "access.env",
            "lock",
            "signing-key.pem",
            "events.position",
            "server.log",
            "watchlists",
        ] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        for path in &paths {
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(permissions(path), expected, "start {start_number}: {}", path.display());
        }
        let is_root = fs::metadata(&data).unwrap().uid() == 0;
        if is_root {
            let readable = parent.path().join("readable");
            fs::write(&readable, "x").unwrap();
            assert!(succeeds_as_nobody("cat", &readable), "the user cannot read any file");
            assert!(!succeeds_as_nobody("ls", &data));
            for path in paths.iter().filter(|path| path.is_file()) {
                assert!(!succeeds_as_nobody("cat", path), "{}", path.display());
            }
        }
        server.stop("-TERM");
        // Before the second start, gives the files the permissions that earlier versions gave them.
        for path in tree(&data) {
            permit(&path, if path.is_dir() { 0o755 } else { 0o644 });
        }
    }
}

/// Deactivates a customer and erases it, with a reason that overrides the retention period. If the
/// answer to the reason is a 400, repeats the request without it.
async fn erase(server: &Running, path: &str) {
    let (status, answer) = server.call("DELETE", path, &server.token, None).await;
    assert_eq!(status, 200, "{answer}");
    let (path, reason) = (format!("{path}/erase"), json!({ "override_reason": "A test" }));
    let (mut status, mut answer) = server.call("POST", &path, &server.token, Some(reason)).await;
    if status == 400 {
        (status, answer) = server.call("POST", &path, &server.token, None).await;
    }
    assert_eq!(status, 200, "{answer}");
}

/// Returns the files in the data folder `d` that contain a text. The text must be in lower case; the
/// case in the files does not matter.
fn files_with(text: &str, folder: &Path) -> Vec<PathBuf> {
    let mut files = tree(&folder.join("d"));
    files.retain(|path| {
        let bytes = if path.is_file() { fs::read(path).unwrap() } else { Vec::new() };
        let bytes = bytes.to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    });
    files
}

const PERSONAL: [&str; 4] = ["zaphodine", "zenobia", "zuniga", "quarrelsome"];

/// Creates a customer, changes it and erases it. [`PERSONAL`] lists words of its personal data.
async fn create_and_erase(server: &Running, folder: &Path) {
    let path = format!("/customers/{}", create(server, "Zaphodine Zuniga").await);
    // Long values fill separate pages, and a change leaves its old version behind.
    let long: Vec<String> = (0..20).map(|i| format!("{i}{}", "Quarrelsome".repeat(15))).collect();
    let metadata: Value = long.iter().map(|value| (&value[..3], json!(value))).collect();
    let erased_metadata: Value = long.iter().map(|value| (&value[..3], Value::Null)).collect();
    for change in [
        json!({ "metadata": metadata }),
        json!({ "name": "Zenobia Zuniga", "metadata": erased_metadata }),
        json!({ "email": "zenobia@zuniga.example" }),
    ] {
        let (status, answer) = server.call("PATCH", &path, &server.token, Some(change)).await;
        assert_eq!(status, 200, "{answer}");
    }
    for personal in ["zenobia", "zuniga"] {
        assert!(!files_with(personal, folder).is_empty(), "{personal}");
    }
    erase(server, &path).await;
}

#[tokio::test]
async fn an_erasure_leaves_no_data_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    create_and_erase(&server, folder.path()).await;
    for personal in PERSONAL {
        assert_eq!(files_with(personal, folder.path()), Vec::<PathBuf>::new(), "{personal}");
    }
    server.stop("-TERM");
}

/// With events, the table has a stream, which keeps each version of each item until its event is
/// sent.
#[tokio::test]
async fn an_erasure_leaves_no_data_in_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let server = start_with_events(folder.path());
    create_and_erase(&server, folder.path()).await;
    let remaining = || PERSONAL.map(|personal| files_with(personal, folder.path())).concat();
    for _ in 0..200 {
        if remaining().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(remaining(), Vec::<PathBuf>::new());
    server.stop("-TERM");
}

#[tokio::test]
async fn a_damaged_table_is_reported_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    for number in 0..50 {
        create(&server, &format!("Customer {number}")).await;
    }
    server.stop("-TERM");
    let path = folder.path().join("d/table.sqlite");
    let sound = fs::read(&path).unwrap();
    let damaged = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let error = error_of(&["--port", "0", "--data", "d"], folder.path());
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains("d/table.sqlite is damaged"), "{error}");
        assert!(error.contains("restore it from a backup"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "the damaged file changed");
    };
    // Damages the header of the file, and then every page after the first.
    damaged(&[b"not a database, ".as_slice(), &sound[16..]].concat());
    let mut overwritten = sound.clone();
    overwritten[4_096..].fill(0xA5);
    damaged(&overwritten);
    fs::write(&path, &sound).unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    create(&server, "Customer 50").await;
    server.stop("-TERM");
}

/// Sends the start of a request and waits until the server closes the connection. Returns the time
/// until then, and the answer.
fn stall(address: String, start: String) -> (Duration, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    stream.write_all(start.as_bytes()).unwrap();
    let started = Instant::now();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    (started.elapsed(), text(&answer))
}

#[tokio::test]
async fn idle_and_half_sent_connections_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--memory"], folder.path());
    let (name, signature) = server.signature();
    let mut stalled = Vec::new();
    for (url, target) in [(server.url.as_str(), "/customers"), (server.table(), "/")] {
        let address = url.strip_prefix("http://").unwrap().to_owned();
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: {address}\r\n{name}: {signature}\r\nx-amz-target: DynamoDB_20120810.Scan\r\n\
             content-type: application/json\r\n"
        );
        for start in [
            String::new(),
            "P".to_owned(),
            head.clone(),
            format!("{head}content-length: 100\r\n\r\n{{\"name\":"),
            // An idle connection, whose first request has been answered.
            format!("{head}content-length: 2\r\n\r\n{{}}"),
        ] {
            let address = address.clone();
            stalled.push((start.clone(), thread::spawn(move || stall(address, start))));
        }
    }
    for (start, thread) in stalled {
        let (elapsed, answer) = thread.join().unwrap();
        assert!(elapsed < Duration::from_secs(60), "{elapsed:?}: {start}");
        assert!(elapsed > Duration::from_secs(20), "{elapsed:?}: {start}: {answer}");
    }
    assert_eq!(server.call("GET", "/customers", &server.token, None).await.0, 200);
    server.stop("-TERM");
}

/// Arguments of a server whose events have no receiver.
const UNSENT: [&str; 6] = ["--port", "0", "--data", "d", "--events", "http://127.0.0.1:9/"];

#[tokio::test]
async fn an_erasure_leaves_no_data_in_records_that_were_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&UNSENT, folder.path());
    create_and_erase(&server, folder.path()).await;
    for personal in PERSONAL {
        assert_eq!(files_with(personal, folder.path()), Vec::<PathBuf>::new(), "{personal}");
    }
    server.stop("-TERM");
}

/// A server without events disables the stream, so later changes do not reach it.
#[tokio::test]
async fn an_erasure_leaves_no_data_in_a_disabled_stream() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&UNSENT, folder.path());
    let path = format!("/customers/{}", create(&server, "Zaphodine Zuniga").await);
    server.stop("-TERM");
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    erase(&server, &path).await;
    for personal in PERSONAL {
        assert_eq!(files_with(personal, folder.path()), Vec::<PathBuf>::new(), "{personal}");
    }
    server.stop("-TERM");
}
