//! Where lists come from: files of their publishers, by `https://` or `file://`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use serde::Deserialize;
use url::Url;

use crate::error::chain;
use crate::model::value::ListName;

/// Far more than any list has today; what is larger is not a list.
const MAX_FILE_BYTES: usize = 512 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// The files that make up one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub list: ListName,
    pub from: Vec<Url>,
}

/// Reads sources as they are configured: `[{"list":"ofac-sdn","from":["https://…","https://…"]}]`.
/// Every fault is named.
pub fn read(text: &str) -> Result<Vec<Source>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Given {
        list: String,
        from: Vec<String>,
    }
    let given: Vec<Given> = serde_json::from_str(text).map_err(|error| {
        format!("is no JSON array of {{\"list\": …, \"from\": [URL, …]}}: {error}")
    })?;
    let (mut sources, mut faults) = (Vec::<Source>::new(), Vec::new());
    for Given { list, from } in given {
        let name = ListName::parse(&list).map_err(|issue| faults.push(format!("{list:?} {issue}")));
        if from.is_empty() {
            faults.push(format!("{list:?} has no file in `from`"));
        }
        if sources.iter().any(|source| source.list.as_str() == list) {
            faults.push(format!("{list:?} is there twice"));
        }
        let mut urls = Vec::new();
        for url in from {
            match Url::parse(&url) {
                Ok(parsed) if is_source(&parsed) => urls.push(parsed),
                _ => faults.push(format!("{url:?} is no https:// or file:// URL")),
            }
        }
        if let Ok(list) = name {
            sources.push(Source { list, from: urls });
        }
    }
    match faults.is_empty() {
        true => Ok(sources),
        false => Err(faults.join("; ")),
    }
}

/// Whoever stands in the way of a list without TLS could take somebody off it; on this machine
/// nobody does.
fn is_source(url: &Url) -> bool {
    let here = ["127.0.0.1", "localhost", "[::1]"];
    match url.scheme() {
        "https" | "file" | "data" => true,
        "http" => url.host_str().is_some_and(|host| here.contains(&host)),
        _ => false,
    }
}

/// Fetches files, within limits of time and size.
pub struct Fetcher {
    client: reqwest::Client,
    /// For one file, from the first byte asked for to the last received.
    time: Duration,
}

impl Fetcher {
    pub fn new(time: Duration) -> Result<Fetcher, String> {
        // Reqwest is built without a crypto provider and uses the one of the process. The call fails
        // when the process has one already, which is fine, too.
        let _ = ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(time)
            .redirect(Policy::custom(|attempt| match attempt.previous().len() {
                ..=MAX_REDIRECTS if is_source(attempt.url()) => attempt.follow(),
                ..=MAX_REDIRECTS => attempt.error("the server leads away from https"),
                _ => attempt.error("the server leads on too often"),
            }))
            .user_agent(concat!("kyc-customers/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Fetcher { client: client.map_err(|error| error.to_string())?, time })
    }

    /// The whole file, or why it can't be had.
    pub async fn fetch(&self, url: &Url) -> Result<Vec<u8>, String> {
        let fetched = match url.scheme() {
            "file" => file(url).await,
            "data" => inline(url),
            _ => self.download(url).await,
        };
        // Query and password of an address may be a secret.
        fetched.map_err(|why| format!("{}: {why}", place(url)))
    }

    async fn download(&self, url: &Url) -> Result<Vec<u8>, String> {
        let failed = |error: reqwest::Error| match error.is_timeout() {
            true => format!("no whole answer within {} s", self.time.as_secs()),
            false => chain(&error.without_url()),
        };
        let mut response = self.client.get(url.clone()).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("the server answered {}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > MAX_FILE_BYTES {
                return Err(format!("larger than {} MB", MAX_FILE_BYTES / (1024 * 1024)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

async fn file(url: &Url) -> Result<Vec<u8>, String> {
    let path = url.to_file_path().map_err(|()| "is no path of this machine".to_owned())?;
    let size = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES as u64 {
        return Err(format!("larger than {} MB", MAX_FILE_BYTES / (1024 * 1024)));
    }
    std::fs::read(&path).map_err(|error| error.to_string())
}

/// A list that is written into its address (RFC 2397), in base64: for a small one of one's own.
fn inline(url: &Url) -> Result<Vec<u8>, String> {
    let data = url.path().split_once(";base64,").map(|(_, data)| data);
    let data = data.ok_or_else(|| "has no ;base64, part".to_owned())?;
    STANDARD.decode(data).map_err(|error| error.to_string())
}

/// An address without what may be secret in it.
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
    fn every_fault_of_the_sources_is_named() {
        let good = r#"[{"list":"un","from":["https://example.org/un.xml"]}]"#;
        assert_eq!(read(good).unwrap()[0].list.as_str(), "un");
        let why = read(
            r#"[{"list":"UN","from":[]},{"list":"a","from":["ftp://x/y","http://x/y"]},{"list":"a","from":["file:///y"]}]"#,
        );
        let why = why.unwrap_err();
        for part in [
            "\"UN\" must be",
            "\"UN\" has no file",
            "ftp://x/y",
            "http://x/y",
            "\"a\" is there twice",
        ] {
            assert!(why.contains(part), "{part}: {why}");
        }
        assert!(read("{}").unwrap_err().contains("JSON array"));
    }

    #[test]
    fn a_place_shows_no_secret() {
        let url = Url::parse("https://me:secret@example.org/list.csv?token=secret").unwrap();
        assert_eq!(place(&url), "https://example.org/list.csv");
    }
}
