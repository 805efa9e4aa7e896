//! An S3 bucket with the two requests that the service needs: read an object and write an object.

use std::time::{Duration, Instant, SystemTime};

use aws_sdk_dynamodb::config::ProvideCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::Aws;
use crate::error::chain;

/// Time limit for one attempt. An index has some ten megabytes.
const ATTEMPT_TIME: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 4;
/// Pause before the first repetition. Each further pause is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// Time after which no attempt begins. It is shorter than the time-outs of the functions, so that
/// an unreachable bucket leads to a 503.
const RETRY_TIME: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Bucket {
    aws: Aws,
    /// URL of the bucket. The URL of an object continues with a slash and the object's name.
    address: String,
}

enum Failed {
    /// A repetition may succeed.
    Passing(String),
    Lasting(String),
}

impl Bucket {
    /// Creates a bucket of AWS or, with `endpoint`, of an S3-compatible server.
    pub fn new(aws: Aws, name: &str, endpoint: Option<&str>) -> Bucket {
        let region = aws.region.as_ref();
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let address = match endpoint {
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            // S3's certificate does not cover a bucket name with a dot in the host name, so such a
            // name goes into the path.
            None if name.contains('.') => format!("https://s3.{region}.{domain}/{name}"),
            None => format!("https://{name}.s3.{region}.{domain}"),
        };
        Bucket { aws, address }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// The reason. If a repetition may succeed, the request is attempted up to four times first.
    pub async fn get(&self, object: &str) -> Result<Vec<u8>, String> {
        self.request("GET", object, &[]).await
    }

    /// Writes an object.
    ///
    /// # Errors
    /// The reason. If a repetition may succeed, the request is attempted up to four times first.
    pub async fn put(&self, object: &str, bytes: &[u8]) -> Result<(), String> {
        self.request("PUT", object, bytes).await.map(drop)
    }

    async fn request(
        &self,
        method: &'static str,
        object: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, String> {
        let started = Instant::now();
        let mut pause = PAUSE;
        let mut attempts = 1;
        loop {
            let attempt = tokio::time::timeout(ATTEMPT_TIME, self.attempt(method, object, body));
            let why = match attempt.await {
                Ok(Ok(bytes)) => return Ok(bytes),
                Ok(Err(Failed::Lasting(why))) => return Err(why),
                Ok(Err(Failed::Passing(why))) => why,
                Err(_) => format!("no whole answer within {} s", ATTEMPT_TIME.as_secs()),
            };
            if attempts == ATTEMPTS || started.elapsed() + pause > RETRY_TIME {
                return Err(format!("{why}, after {attempts} attempts"));
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause *= 2;
            attempts += 1;
        }
    }

    async fn attempt(
        &self,
        method: &'static str,
        object: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, Failed> {
        let request = self.signed(method, object, body).await.map_err(Failed::Lasting)?;
        let answer = self.aws.connector.call(request).await;
        let answer = answer.map_err(|error| Failed::Passing(chain(&error)))?;
        let status = answer.status();
        let bytes = ByteStream::new(answer.into_body()).collect().await;
        let bytes = bytes.map_err(|error| Failed::Passing(chain(&error)))?.to_vec();
        match status.as_u16() {
            200..=299 => Ok(bytes),
            status @ (408 | 429 | 500..) => Err(Failed::Passing(refusal(status, &bytes))),
            status => Err(Failed::Lasting(refusal(status, &bytes))),
        }
    }

    async fn signed(
        &self,
        method: &'static str,
        object: &str,
        body: &[u8],
    ) -> Result<HttpRequest, String> {
        let uri = format!("{}/{object}", self.address);
        let credentials = self.aws.credentials.provide_credentials().await;
        let identity = credentials.map_err(|error| chain(&error))?.into();
        // Unlike other services, S3 expects paths as they are in the URL and a header with a hash
        // of the body.
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.aws.region.as_ref())
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| chain(&error))?
            .into();
        let signable =
            SignableRequest::new(method, &uri, std::iter::empty(), SignableBody::Bytes(body));
        let signed = sign(signable.map_err(|error| chain(&error))?, &params);
        let (instructions, _) = signed.map_err(|error| chain(&error))?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).map_err(|error| chain(&error))?;
        request.set_uri(uri).map_err(|error| chain(&error))?;
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }
}

/// Describes a refusal by its status and S3's error code, such as `NoSuchKey`, if the body contains
/// one.
fn refusal(status: u16, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => format!("S3 answered {status} {code}"),
        None => format!("S3 answered {status}"),
    }
}
