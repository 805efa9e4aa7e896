//! The S3 bucket of the watchlist indexes.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;

use super::{Aws, timeouts};
use crate::error::chain;

/// Time limit for one attempt. It is enough to write an index, which has about 10 MB.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for reading or writing an object, with all attempts. It is below the timeouts of the
/// functions, so that they can answer 503 when the bucket is not available.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
const ATTEMPTS: u32 = 4;
/// Longest pause before the second attempt. It doubles with each further attempt.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
/// Number of times to read an object whose content breaks off. The SDK repeats a request only until
/// the content begins.
const READS: u32 = 2;

/// A bucket in S3 or on a compatible server.
pub struct Bucket {
    name: String,
    client: LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>,
}

enum Failure {
    Request(String),
    /// The request was successful, but the content is not complete.
    Content(String),
}

impl Bucket {
    /// Prepares access to a bucket of S3, or of a compatible server when `endpoint` is given. The
    /// client is created on first use, because most functions never read an index.
    pub fn new(aws: Aws, name: &str, endpoint: Option<&str>) -> Bucket {
        let endpoint = endpoint.map(str::to_owned);
        let client = Box::new(move || client(&aws, endpoint.as_deref()));
        Bucket { name: name.to_owned(), client: LazyLock::new(client) }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// Returns the reason if all attempts fail.
    pub async fn get(&self, object: &str) -> Result<Vec<u8>, String> {
        let read = async {
            let mut reads = 1;
            loop {
                match self.read(object).await {
                    Err(Failure::Content(_)) if reads < READS => reads += 1,
                    Err(Failure::Content(reason) | Failure::Request(reason)) => return Err(reason),
                    Ok(bytes) => return Ok(bytes),
                }
            }
        };
        // The SDK's own limit ends when the content begins.
        tokio::time::timeout(OPERATION_TIMEOUT, read).await.unwrap_or_else(|_| {
            Err(format!("S3 did not send the object within {} s", OPERATION_TIMEOUT.as_secs()))
        })
    }

    async fn read(&self, object: &str) -> Result<Vec<u8>, Failure> {
        let request = self.client.get_object().bucket(&self.name).key(object);
        let response = request.send().await.map_err(|error| Failure::Request(reason(&error)))?;
        // Collecting the parts and then joining them would need twice the memory of an index.
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut bytes = Vec::with_capacity(length.unwrap_or_default());
        let mut content = response.body;
        while let Some(part) = content.next().await {
            bytes.extend_from_slice(&part.map_err(|error| Failure::Content(chain(&error)))?);
        }
        Ok(bytes)
    }

    /// Writes an object.
    ///
    /// # Errors
    /// Returns the reason if all attempts fail.
    pub async fn put(&self, object: &str, bytes: Vec<u8>) -> Result<(), String> {
        let body = ByteStream::from(bytes);
        let request = self.client.put_object().bucket(&self.name).key(object).body(body);
        request.send().await.map(drop).map_err(|error| reason(&error))
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.name).finish_non_exhaustive()
    }
}

fn client(aws: &Aws, endpoint: Option<&str>) -> Client {
    let retries =
        RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(INITIAL_BACKOFF);
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(aws.http_client.clone())
        .timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT))
        .retry_config(retries)
        // An index has its own checksums, and compatible servers do not support those of S3.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .force_path_style(endpoint.is_some());
    config.set_endpoint_url(endpoint.map(str::to_owned));
    Client::from_conf(config.build())
}

/// Returns the status and S3's error code, such as `NoSuchKey`. Without an answer from S3, returns
/// the cause of the error.
fn reason<E>(error: &SdkError<E>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let Some(response) = error.raw_response() else { return chain(error) };
    let status = response.status().as_u16();
    match error.code() {
        Some(code) => format!("S3 answered {status} {code}"),
        None => format!("S3 answered {status}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use super::*;

    /// Starts a server that gives one answer per connection. Returns a bucket on this server, and
    /// the requests that the server receives: the first line of each, a space and the body.
    fn bucket(answers: &[&str]) -> (Bucket, Receiver<String>) {
        let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        thread::spawn(move || {
            for answer in answers {
                let mut stream = BufReader::new(listener.accept().unwrap().0);
                let mut first = String::new();
                stream.read_line(&mut first).unwrap();
                let (mut line, mut length) = (String::new(), 0);
                while line != "\r\n" {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                    if let Some((name, value)) = line.split_once(':')
                        && name.eq_ignore_ascii_case("content-length")
                    {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let body = String::from_utf8(body).unwrap();
                sender.send(format!("{} {body}", first.trim())).unwrap();
                let head = "HTTP/1.1 ";
                stream.get_mut().write_all(format!("{head}{answer}").as_bytes()).unwrap();
            }
        });
        (Bucket::new(Aws::elsewhere(), "lists", Some(&endpoint)), requests)
    }

    const FOUND: &str = "200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nindex";
    const BROKEN_OFF: &str = "200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nind";
    const UNAVAILABLE: &str = "503 Slow Down\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn an_object_is_read_and_written() {
        let (bucket, requests) =
            bucket(&[FOUND, "200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"]);
        assert_eq!(bucket.get("lists/un/1.index").await.unwrap(), b"index");
        bucket.put("lists/un/2.index", b"next".to_vec()).await.unwrap();
        let requests: Vec<String> = requests.iter().collect();
        assert_eq!(
            requests,
            [
                "GET /lists/lists/un/1.index?x-id=GetObject HTTP/1.1 ",
                "PUT /lists/lists/un/2.index?x-id=PutObject HTTP/1.1 next",
            ]
        );
    }

    #[tokio::test]
    async fn a_missing_object_is_not_asked_for_again() {
        let body = "<Error><Code>NoSuchKey</Code></Error>";
        let answer = format!(
            "404 Not Found\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (bucket, requests) = bucket(&[&answer]);
        assert_eq!(bucket.get("a").await.unwrap_err(), "S3 answered 404 NoSuchKey");
        assert_eq!(requests.iter().count(), 1);
    }

    #[tokio::test]
    async fn a_busy_bucket_and_a_broken_answer_are_asked_again() {
        let (bucket, requests) = bucket(&[UNAVAILABLE, BROKEN_OFF, FOUND]);
        assert_eq!(bucket.get("a").await.unwrap(), b"index");
        assert_eq!(requests.iter().count(), 3);
    }

    #[tokio::test]
    async fn attempts_end() {
        let (bucket, requests) = bucket(&[UNAVAILABLE; ATTEMPTS as usize]);
        assert_eq!(bucket.put("a", Vec::new()).await.unwrap_err(), "S3 answered 503");
        assert_eq!(requests.iter().count(), ATTEMPTS as usize);
        let (bucket, _requests) = self::bucket(&[BROKEN_OFF; READS as usize]);
        bucket.get("a").await.unwrap_err();
    }
}
