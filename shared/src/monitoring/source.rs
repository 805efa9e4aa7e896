//! Sources of lists: the publishers' files, at `https://`, `file://` or `data:` addresses. The
//! local server also accepts `http://` addresses on its own machine.
//!
//! The operator chooses the address of a file, and a publisher's server chooses where it redirects
//! to. A redirect must therefore lead to an `https://` address whose host has only public IP
//! addresses. Otherwise, a server that an attacker controls could make a function read from the
//! network that the function runs in. The addresses of a host are looked up once and checked, and
//! the connection then uses these addresses and no others, so a second answer of the name server
//! has no effect. Downloads do not use a proxy, because the proxy would look up the host again.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use rustls::crypto::ring;
use serde::Deserialize;
use url::{Host, Url};

use super::address::special_kind;
use super::content::Content;
use crate::error::chain;
use crate::model::value::ListName;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// A list and the addresses of the files that make it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of the list.
    pub list: ListName,
    /// Addresses of its files.
    pub from: Vec<Url>,
}

/// Name of the object with the sources in the bucket of the lists.
pub const SOURCES: &str = "sources.json";

/// The setting `WATCHLIST_SOURCES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// The setting contains the sources.
    Given(Vec<Source>),
    /// The setting is [`SOURCES`]: the object with this name contains the sources. All environment
    /// variables of a function together have at most 4 KB, and an object may be larger.
    Stored,
}

impl Sources {
    /// Parses the setting: [`SOURCES`], or JSON in the form that [`read`] expects.
    ///
    /// # Errors
    /// Returns the message of [`read`] if the setting is not valid.
    pub fn parse(text: &str) -> Result<Sources, String> {
        if text == SOURCES { Ok(Sources::Stored) } else { read(text).map(Sources::Given) }
    }
}

/// Whether lists may come from a server on this machine. A deployed function always refuses them: the
/// value is not a setting, and only the local server changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalServers {
    /// An address must have `https`, and a redirect must lead to a public address.
    #[default]
    Refused,
    /// An address may also have `http` if its host is this machine, and a server on this machine may
    /// redirect to this machine.
    Allowed,
}

/// Parses the configured sources from JSON:
/// `[{"list":"ofac-sdn","from":["https://…","https://…"]}]`.
///
/// # Errors
/// Returns a message if `text` is not JSON of this form, if a list name or URL is invalid, or if a
/// list has no URL or is given twice. For text that is not JSON of this form, the message names the
/// first fault, otherwise every fault. It contains addresses only as [`place`] returns them,
/// without the parts that may be secret.
pub fn read(text: &str) -> Result<Vec<Source>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        list: String,
        from: Vec<String>,
    }
    let given: Vec<Given> = serde_json::from_str(text).map_err(|error| {
        format!("must be a JSON array of {{\"list\": …, \"from\": [URL, …]}}: {error}")
    })?;
    let (mut sources, mut faults) = (Vec::<Source>::new(), Vec::new());
    for Given { list, from } in given {
        let name = ListName::parse(&list).map_err(|issue| faults.push(format!("{list:?} {issue}")));
        if from.is_empty() {
            faults.push(format!("{list:?} must have at least one URL in `from`"));
        }
        if sources.iter().any(|source| source.list.as_str() == list) {
            faults.push(format!("{list:?} must be given only once"));
        }
        let mut urls = Vec::new();
        for (position, url) in from.iter().enumerate() {
            match Url::parse(url) {
                Ok(parsed) if is_source(&parsed) => urls.push(parsed),
                parsed => {
                    let place = parsed.map(|url| format!(" ({})", place(&url))).unwrap_or_default();
                    faults.push(format!(
                        "URL {} of {list:?}{place} must be an https://, file:// or data: URL",
                        position + 1
                    ));
                }
            }
        }
        if let Ok(list) = name {
            sources.push(Source { list, from: urls });
        }
    }
    if faults.is_empty() { Ok(sources) } else { Err(faults.join("; ")) }
}

/// Returns whether a list may be configured with this address. Plain HTTP is allowed only on this
/// machine, because without TLS an attacker on the network could remove entries from a list. Even
/// on this machine, [`LocalServers::Refused`] refuses plain HTTP later, when the file is fetched.
fn is_source(url: &Url) -> bool {
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    match url.scheme() {
        "https" | "file" | "data" => true,
        "http" => url.host_str().is_some_and(|host| loopback.contains(&host)),
        _ => false,
    }
}

/// Looks up the IP addresses of a host.
type Lookup = Box<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

fn system_lookup(host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    Box::pin(async move {
        let addresses = tokio::net::lookup_host((host, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    })
}

/// Fetches files. Limits the time of a download, and the size of a download or local file.
pub struct Fetcher {
    /// Time limit for downloading one file, redirects included.
    time_limit: Duration,
    local_servers: LocalServers,
    lookup: Lookup,
}

/// One request of a download, to the address of the file or to the target of a redirect.
struct Hop {
    url: Url,
    /// The IP addresses of the host. The connection uses one of them.
    addresses: Vec<IpAddr>,
}

impl Hop {
    fn is_on_this_machine(&self) -> bool {
        self.addresses.iter().all(IpAddr::is_loopback)
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl Fetcher {
    /// Makes a fetcher with a time limit for downloading each file.
    pub fn new(time_limit: Duration, local_servers: LocalServers) -> Fetcher {
        // Reqwest is built without a crypto provider and uses the provider of the process. The call
        // fails when the process already has one, and that provider is then used.
        let _ = ring::default_provider().install_default();
        Fetcher { time_limit, local_servers, lookup: Box::new(system_lookup) }
    }

    /// Fetches a file of at most `max_bytes` bytes from its address.
    ///
    /// # Errors
    /// Returns the reason, after the address of the file as [`place`] returns it.
    pub async fn fetch(&self, url: &Url, max_bytes: u64) -> Result<Content, String> {
        let result = match url.scheme() {
            "file" => file(url, max_bytes),
            "data" => inline(url, max_bytes),
            _ => tokio::time::timeout(self.time_limit, self.download(url, max_bytes))
                .await
                .unwrap_or_else(|_| {
                    let seconds = self.time_limit.as_secs();
                    Err(format!("the download took longer than {seconds} s"))
                }),
        };
        // The query and the password of an address may be secret, so the message leaves them out.
        result.map_err(|reason| format!("{}: {reason}", place(url)))
    }

    async fn download(&self, url: &Url, max_bytes: u64) -> Result<Content, String> {
        let mut hop = self.hop(url.clone(), None).await?;
        for _ in 0..=MAX_REDIRECTS {
            let response = get(&hop).await?;
            match redirect_target(&hop.url, &response)? {
                None => return content(response, max_bytes).await,
                Some(target) => hop = self.hop(target, Some(&hop)).await?,
            }
        }
        Err(format!("the server redirects more than {MAX_REDIRECTS} times"))
    }

    /// Prepares a request to `url`: looks up its host and checks its addresses. `redirect` is the
    /// request that was redirected to `url`, or `None` for the configured address. Returns an error
    /// if the scheme or an IP address is not allowed.
    async fn hop(&self, url: Url, redirect: Option<&Hop>) -> Result<Hop, String> {
        self.check_scheme(&url, redirect)?;
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let addresses = (self.lookup)(name.to_owned()).await;
                addresses.map_err(|error| format!("the host {name} was not found: {error}"))?
            }
            None => Vec::new(),
        };
        if addresses.is_empty() {
            return Err("the host has no IP address".to_owned());
        }
        let hop = Hop { url, addresses };
        self.check_addresses(&hop, redirect)?;
        Ok(hop)
    }

    /// Returns whether plain HTTP to this machine and a redirect to this machine are allowed.
    /// [`LocalServers`] must allow them, and a server that redirects must itself be on this
    /// machine.
    fn trusts_this_machine(&self, redirect: Option<&Hop>) -> bool {
        self.local_servers == LocalServers::Allowed && redirect.is_none_or(Hop::is_on_this_machine)
    }

    fn check_scheme(&self, url: &Url, redirect: Option<&Hop>) -> Result<(), String> {
        let may_be_plain = self.trusts_this_machine(redirect)
            && redirect.is_none_or(|redirect| redirect.url.scheme() == "http");
        match (url.scheme(), redirect) {
            ("https", _) => Ok(()),
            ("http", _) if may_be_plain => Ok(()),
            (_, None) => Err("the address must begin with https://".to_owned()),
            (_, Some(_)) => Err(format!(
                "the server redirects to an address without https, on the host {}; configure the \
                 https address of the file",
                url.host_str().unwrap_or("(none)")
            )),
        }
    }

    fn check_addresses(&self, hop: &Hop, redirect: Option<&Hop>) -> Result<(), String> {
        if hop.url.scheme() == "http" && !hop.is_on_this_machine() {
            return Err(format!(
                "{} is not this machine, so the address must begin with https://",
                hop.host()
            ));
        }
        // The operator may configure a server in a private network.
        if redirect.is_none() {
            return Ok(());
        }
        let is_trusted =
            |address: &IpAddr| self.trusts_this_machine(redirect) && address.is_loopback();
        let special = hop.addresses.iter().find_map(|address| {
            let kind = special_kind(*address).filter(|_| !is_trusted(address))?;
            Some((address, kind))
        });
        match special {
            None => Ok(()),
            Some((address, kind)) => Err(format!(
                "the server redirects to the host {} at {address}, which is not a public address \
                 ({kind}); if the file is meant to be there, configure its address",
                hop.host()
            )),
        }
    }
}

/// Sends a request to one of the IP addresses that were checked.
async fn get(hop: &Hop) -> Result<Response, String> {
    let addresses: Vec<SocketAddr> =
        // The port 0 stands for the port of the URL.
        hop.addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .no_proxy()
        .resolve_to_addrs(hop.host(), &addresses)
        .user_agent(concat!("kyc-customers/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| chain(&error))?;
    client.get(hop.url.clone()).send().await.map_err(reason)
}

fn reason(error: reqwest::Error) -> String {
    chain(&error.without_url())
}

/// Returns the address that a response redirects to, or `None` if the response is not a redirect.
fn redirect_target(url: &Url, response: &Response) -> Result<Option<Url>, String> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&response.status()) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| url.join(location).ok());
    target
        .map(Some)
        .ok_or_else(|| "the server redirects to an address that is not valid".to_owned())
}

async fn content(mut response: Response, max_bytes: u64) -> Result<Content, String> {
    if !response.status().is_success() {
        return Err(format!("the server answered {}", response.status()));
    }
    let mut content = Content::default();
    while let Some(chunk) = response.chunk().await.map_err(reason)? {
        content.push(&chunk);
        if content.length() > max_bytes {
            return Err(too_large(max_bytes));
        }
    }
    Ok(content)
}

fn too_large(max_bytes: u64) -> String {
    format!("the files are larger than {} MiB", max_bytes / (1024 * 1024))
}

fn file(url: &Url, max_bytes: u64) -> Result<Content, String> {
    let path =
        url.to_file_path().map_err(|()| "the address is not a path on this machine".to_owned())?;
    let mut file = std::fs::File::open(&path).map_err(|error| error.to_string())?;
    let mut content = Content::default();
    // The size of the file is not checked in advance, because a file may grow and a pipe has no
    // size.
    io::copy(&mut file.by_ref().take(max_bytes + 1), &mut content)
        .map_err(|error| error.to_string())?;
    if content.length() > max_bytes { Err(too_large(max_bytes)) } else { Ok(content) }
}

/// Decodes a file that a `data:` address contains in base64 (RFC 2397). Such addresses are meant
/// for small lists.
fn inline(url: &Url, max_bytes: u64) -> Result<Content, String> {
    let data = url.path().split_once(";base64,").map(|(_, data)| data);
    let data = data.ok_or_else(|| "the address has no `;base64,` part".to_owned())?;
    let bytes = STANDARD.decode(data).map_err(|error| error.to_string())?;
    let mut content = Content::default();
    content.push(&bytes);
    if content.length() > max_bytes { Err(too_large(max_bytes)) } else { Ok(content) }
}

/// Returns the scheme, host and path of an address, or only the scheme of a `data:` address. The
/// query, the user and the password are left out because they may be secret.
pub fn place(url: &Url) -> String {
    if url.scheme() == "data" {
        return "data:".to_owned();
    }
    format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use super::*;

    const MAX_BYTES: u64 = 1_000_000;

    #[test]
    fn every_fault_of_the_sources_is_reported() {
        let good = r#"[{"list":"un","from":["https://example.org/un.xml"]}]"#;
        assert_eq!(read(good).unwrap()[0].list.as_str(), "un");
        let why = read(
            r#"[{"list":"UN","from":[]},
                {"list":"a","from":["ftp://x/y?key=secret","http://me:secret@x/y","secret"]},
                {"list":"a","from":["file:///y"]}]"#,
        );
        let why = why.unwrap_err();
        for part in [
            "\"UN\" must be",
            "\"UN\" must have at least one URL",
            "URL 1 of \"a\" (ftp://x/y) must be",
            "URL 2 of \"a\" (http://x/y) must be",
            "URL 3 of \"a\" must be",
            "\"a\" must be given only once",
        ] {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(!why.contains("secret"), "{why}");
        assert!(read("{}").unwrap_err().contains("JSON array"));
    }

    #[test]
    fn a_place_contains_no_secret() {
        let url = Url::parse("https://me:secret@example.org/list.csv?token=secret").unwrap();
        assert_eq!(place(&url), "https://example.org/list.csv");
    }

    /// Returns a fetcher for which only these hosts exist. Each lookup of a host returns the next
    /// of its addresses, like a name server that rebinds a name.
    fn fetcher(local_servers: LocalServers, hosts: &[(&str, &[&str])]) -> Fetcher {
        let hosts: BTreeMap<String, Vec<IpAddr>> = hosts
            .iter()
            .map(|(host, addresses)| {
                let addresses = addresses.iter().map(|address| address.parse().unwrap()).rev();
                ((*host).to_owned(), addresses.collect())
            })
            .collect();
        let hosts = std::sync::Mutex::new(hosts);
        let lookup: Lookup = Box::new(move |host| {
            let address = hosts.lock().unwrap().get_mut(&host).and_then(Vec::pop);
            let unknown = || io::Error::other("no such host");
            Box::pin(async move { Ok(vec![address.ok_or_else(unknown)?]) })
        });
        Fetcher { lookup, ..Fetcher::new(Duration::from_secs(10), local_servers) }
    }

    /// Starts a server that gives these answers, one per connection. Returns its port, and the first
    /// line and the `host` header of each request.
    fn server(answers: &[&str]) -> (u16, Receiver<String>) {
        let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for answer in answers {
                let mut stream = BufReader::new(listener.accept().unwrap().0);
                let (mut request, mut line) = (String::new(), String::new());
                stream.read_line(&mut request).unwrap();
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                    if !line.starts_with("accept") && !line.starts_with("user-agent") {
                        request.push_str(&line);
                    }
                }
                sender.send(request.trim().replace("\r\n", " ")).unwrap();
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        (port, requests)
    }

    fn redirect(status: u16, location: &str) -> String {
        format!(
            "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\nconnection: close\r\n\
             content-length: 0\r\n\r\n"
        )
    }

    const LIST: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nlist";

    async fn fetch(fetcher: &Fetcher, url: &str) -> Result<String, String> {
        let mut content = fetcher.fetch(&Url::parse(url).unwrap(), MAX_BYTES).await?;
        let mut text = String::new();
        content.read_to_string(&mut text).unwrap();
        Ok(text)
    }

    #[tokio::test]
    async fn a_deployed_function_refuses_plain_http_even_from_this_machine() {
        let (port, _requests) = server(&[LIST]);
        let url = format!("http://localhost:{port}/list.csv?key=secret");
        let hosts = [("localhost", ["127.0.0.1"].as_slice())];
        let refused = fetch(&fetcher(LocalServers::default(), &hosts), &url).await.unwrap_err();
        assert_eq!(refused, "http://localhost/list.csv: the address must begin with https://");
        let fetched = fetch(&fetcher(LocalServers::Allowed, &hosts), &url).await;
        assert_eq!(fetched.unwrap(), "list");
        // The name `localhost` must also resolve to this machine.
        let elsewhere = [("localhost", ["192.0.2.1"].as_slice())];
        let refused = fetch(&fetcher(LocalServers::Allowed, &elsewhere), &url).await.unwrap_err();
        assert!(refused.contains("localhost is not this machine"), "{refused}");
    }

    /// Checks a redirect as a deployed function does.
    async fn redirected(from: &str, to: &str, hosts: &[(&str, &[&str])]) -> Result<(), String> {
        let fetcher = fetcher(LocalServers::Refused, hosts);
        let first = fetcher.hop(Url::parse(from).unwrap(), None).await.unwrap();
        fetcher.hop(first.url.join(to).unwrap(), Some(&first)).await.map(drop)
    }

    #[tokio::test]
    async fn a_redirect_must_lead_to_a_public_https_address() {
        let publisher = "https://publisher.example/list.csv";
        for (to, reason) in [
            (
                "http://mirror.example/list.csv?key=secret",
                "without https, on the host mirror.example",
            ),
            ("http://publisher.example/list.csv", "without https"),
            ("file:///etc/passwd", "without https"),
            ("data:text/csv;base64,aWQ=", "without https"),
            (
                "https://127.0.0.1/",
                "the host 127.0.0.1 at 127.0.0.1, which is not a public address (loopback)",
            ),
            ("https://0x7f.1/", "127.0.0.1, which is not a public address (loopback)"),
            ("https://2130706433/", "127.0.0.1, which is not a public address (loopback)"),
            ("https://[::1]/", "::1, which is not a public address (loopback)"),
            ("https://[::ffff:169.254.169.254]/", "not a public address (link-local)"),
            (
                "https://169.254.169.254/latest/meta-data?key=secret",
                "not a public address (link-local)",
            ),
            ("https://0.0.0.0/", "not a public address (unspecified)"),
            ("https://[64:ff9b::10.0.0.1]/", "not a public address (private)"),
            ("https://[fd00:ec2::254]/", "not a public address (private)"),
            (
                "https://internal.example/",
                "internal.example at 10.1.2.3, which is not a public address (private)",
            ),
            (
                "https://me:secret@shared.example/",
                "shared.example at 100.64.0.1, which is not a public address (shared)",
            ),
            ("https://unknown.example/", "the host unknown.example was not found"),
        ] {
            let hosts = [
                ("publisher.example", ["198.41.0.4"].as_slice()),
                ("mirror.example", &["198.41.0.4"]),
                ("internal.example", &["10.1.2.3"]),
                ("shared.example", &["100.64.0.1"]),
            ];
            let refused = redirected(publisher, to, &hosts).await.unwrap_err();
            assert!(refused.contains(reason), "{to}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
        let hosts =
            [("publisher.example", ["198.41.0.4"].as_slice()), ("cdn.example", &["2a00::1"])];
        redirected(publisher, "https://cdn.example/list.csv", &hosts).await.unwrap();
        // The operator may configure a server in a private network, but a redirect must not lead to
        // it.
        let hosts = [("lists.internal", ["10.0.0.1", "10.0.0.1"].as_slice())];
        let refused = redirected("https://lists.internal/a", "/b", &hosts).await.unwrap_err();
        assert!(
            refused.contains("lists.internal at 10.0.0.1, which is not a public address (private)"),
            "{refused}"
        );
    }

    /// The connection does not look up the name again, so a name server cannot rebind it after the
    /// check.
    #[tokio::test]
    async fn a_connection_uses_the_address_that_was_checked() {
        let (port, requests) = server(&[LIST]);
        let fetcher = fetcher(
            LocalServers::Allowed,
            &[("publisher.test", ["127.0.0.1", "127.0.0.2", "127.0.0.3"].as_slice())],
        );
        let url = format!("http://publisher.test:{port}/list.csv");
        assert_eq!(fetch(&fetcher, &url).await.unwrap(), "list");
        let request = requests.recv().unwrap();
        assert!(request.contains(&format!("host: publisher.test:{port}")), "{request}");
        let next = (fetcher.lookup)("publisher.test".to_owned()).await.unwrap();
        assert_eq!(next, ["127.0.0.2".parse::<IpAddr>().unwrap()], "there was one lookup");
    }

    #[tokio::test]
    async fn a_local_server_may_redirect_only_to_this_machine_or_to_public_https() {
        for status in [301, 302, 303, 307, 308] {
            let (port, requests) = server(&[&redirect(status, "/next.csv"), LIST]);
            let fetcher = fetcher(LocalServers::Allowed, &[]);
            let url = format!("http://127.0.0.1:{port}/list.csv");
            assert_eq!(fetch(&fetcher, &url).await.unwrap(), "list");
            let second = requests.iter().nth(1).unwrap();
            assert!(second.starts_with("GET /next.csv"), "{second}");
            assert!(!second.contains("referer"), "the address may be secret: {second}");
        }
        for (to, reason) in [
            ("http://example.org/list.csv", "example.org is not this machine"),
            ("https://192.168.0.1/", "192.168.0.1, which is not a public address (private)"),
            (
                "https://169.254.169.254/",
                "169.254.169.254, which is not a public address (link-local)",
            ),
            ("https://[fe80::1]/", "not a public address (link-local)"),
            ("ftp://127.0.0.1/", "without https"),
            ("https://", "an address that is not valid"),
        ] {
            let (port, _requests) = server(&[&redirect(302, to)]);
            let fetcher = fetcher(LocalServers::Allowed, &[("example.org", &["198.41.0.4"])]);
            let url = format!("http://127.0.0.1:{port}/list.csv?key=secret");
            let refused = fetch(&fetcher, &url).await.unwrap_err();
            assert!(refused.starts_with("http://127.0.0.1/list.csv: "), "{refused}");
            assert!(refused.contains(reason), "{to}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[tokio::test]
    async fn redirects_end() {
        let again = redirect(302, "/again.csv");
        let (port, requests) = server(&[again.as_str(); MAX_REDIRECTS + 1]);
        let fetcher = fetcher(LocalServers::Allowed, &[]);
        let url = format!("http://127.0.0.1:{port}/list.csv");
        let refused = fetch(&fetcher, &url).await.unwrap_err();
        assert!(refused.contains("redirects more than 5 times"), "{refused}");
        assert_eq!(requests.iter().count(), MAX_REDIRECTS + 1);
    }

    #[tokio::test]
    async fn a_file_must_not_exceed_its_maximum_size() {
        let (port, _requests) = server(&[LIST, LIST]);
        let fetcher = fetcher(LocalServers::Allowed, &[]);
        let url = Url::parse(&format!("http://127.0.0.1:{port}/list.csv")).unwrap();
        assert_eq!(fetcher.fetch(&url, 4).await.unwrap().length(), 4);
        let refused = fetcher.fetch(&url, 3).await.map(drop).unwrap_err();
        assert!(refused.contains("the files are larger than 0 MiB"), "{refused}");
    }
}
