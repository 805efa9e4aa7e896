//! Sources of lists: the publishers' files, at `https://`, `file://` or `data:` addresses.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use serde::Deserialize;
use url::Url;

use crate::error::chain;
use crate::model::value::ListName;

/// Largest size of a file, 512 MiB. Every published list is far smaller.
const MAX_FILE_BYTES: usize = 512 * 1024 * 1024;
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

/// Parses the configured sources from JSON:
/// `[{"list":"ofac-sdn","from":["https://…","https://…"]}]`.
///
/// # Errors
/// Returns a message if `text` is not JSON of this form, or if a list name or URL is invalid, a
/// list has no URL or is given twice. Except for malformed JSON, the message lists every fault.
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
        for url in from {
            match Url::parse(&url) {
                Ok(parsed) if is_source(&parsed) => urls.push(parsed),
                _ => faults.push(format!("{url:?} must be an https://, file:// or data: URL")),
            }
        }
        if let Ok(list) = name {
            sources.push(Source { list, from: urls });
        }
    }
    if faults.is_empty() { Ok(sources) } else { Err(faults.join("; ")) }
}

/// Returns whether lists may be fetched from this address. Plain HTTP is allowed only from this
/// machine, because without TLS an attacker on the network could remove entries from a list.
fn is_source(url: &Url) -> bool {
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    match url.scheme() {
        "https" | "file" | "data" => true,
        "http" => url.host_str().is_some_and(|host| loopback.contains(&host)),
        _ => false,
    }
}

/// Fetches files, within limits of time and size.
pub struct Fetcher {
    client: reqwest::Client,
    /// Time limit for one file.
    time_limit: Duration,
}

impl Fetcher {
    /// Makes a fetcher with a time limit for each file.
    ///
    /// # Errors
    /// Returns the reason why the HTTP client cannot be built.
    pub fn new(time_limit: Duration) -> Result<Fetcher, String> {
        // Reqwest is built without a crypto provider and uses the provider of the process. The call
        // fails when the process already has one, and that provider is then used.
        let _ = ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(time_limit)
            .redirect(Policy::custom(|attempt| match attempt.previous().len() {
                ..=MAX_REDIRECTS if is_source(attempt.url()) => attempt.follow(),
                ..=MAX_REDIRECTS => {
                    attempt.error("the server redirects to an address without https")
                }
                _ => attempt.error("the server redirects too often"),
            }))
            .user_agent(concat!("kyc-customers/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Fetcher { client: client.map_err(|error| error.to_string())?, time_limit })
    }

    /// Fetches a file from an `https://`, `file://` or `data:` address.
    ///
    /// # Errors
    /// Returns the reason, after the address of the file without its query, user and password.
    pub async fn fetch(&self, url: &Url) -> Result<Vec<u8>, String> {
        let result = match url.scheme() {
            "file" => file(url).await,
            "data" => inline(url),
            _ => self.download(url).await,
        };
        result.map_err(|reason| format!("{}: {reason}", place(url)))
    }

    async fn download(&self, url: &Url) -> Result<Vec<u8>, String> {
        let reason = |error: reqwest::Error| {
            if error.is_timeout() {
                format!("the download took longer than {} s", self.time_limit.as_secs())
            } else {
                chain(&error.without_url())
            }
        };
        let mut response = self.client.get(url.clone()).send().await.map_err(reason)?;
        if !response.status().is_success() {
            return Err(format!("the server answered {}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reason)? {
            if bytes.len() + chunk.len() > MAX_FILE_BYTES {
                return Err(format!(
                    "the file is larger than {} MiB",
                    MAX_FILE_BYTES / (1024 * 1024)
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

async fn file(url: &Url) -> Result<Vec<u8>, String> {
    let path =
        url.to_file_path().map_err(|()| "the address is not a path on this machine".to_owned())?;
    let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES as u64 {
        return Err(format!("the file is larger than {} MiB", MAX_FILE_BYTES / (1024 * 1024)));
    }
    std::fs::read(&path).map_err(|error| error.to_string())
}

/// Decodes the base64 content of a `data:` address (RFC 2397). Such addresses are meant for small
/// lists.
fn inline(url: &Url) -> Result<Vec<u8>, String> {
    let data = url.path().split_once(";base64,").map(|(_, data)| data);
    let data = data.ok_or_else(|| "the address has no `;base64,` part".to_owned())?;
    STANDARD.decode(data).map_err(|error| error.to_string())
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
    use super::*;

    #[test]
    fn every_fault_of_the_sources_is_reported() {
        let good = r#"[{"list":"un","from":["https://example.org/un.xml"]}]"#;
        assert_eq!(read(good).unwrap()[0].list.as_str(), "un");
        let why = read(
            r#"[{"list":"UN","from":[]},{"list":"a","from":["ftp://x/y","http://x/y"]},{"list":"a","from":["file:///y"]}]"#,
        );
        let why = why.unwrap_err();
        for part in [
            "\"UN\" must be",
            "\"UN\" must have at least one URL",
            "ftp://x/y",
            "http://x/y",
            "\"a\" must be given only once",
        ] {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(read("{}").unwrap_err().contains("JSON array"));
    }

    #[test]
    fn a_place_contains_no_secret() {
        let url = Url::parse("https://me:secret@example.org/list.csv?token=secret").unwrap();
        assert_eq!(place(&url), "https://example.org/list.csv");
    }
}
