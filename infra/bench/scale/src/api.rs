//! Sends HTTP requests to a server as one caller.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use local::{Server, TokenRequest};
use reqwest::{Client, Method};
use serde_json::Value;

pub(crate) const TENANT: &str = "acme";

#[derive(Clone)]
pub(crate) struct Caller {
    http: Client,
    url: String,
    token: String,
}

/// An answer, and the time that it took.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) data: Value,
    /// Time from sending the request to the end of the response body, in milliseconds.
    pub(crate) ms: f64,
}

impl Caller {
    pub(crate) fn new(url: String, token: String) -> Caller {
        Caller { http: Client::new(), url, token }
    }

    /// Returns a caller with all permissions for a server in this process.
    pub(crate) fn of(server: &Server) -> Result<Caller> {
        let request = TokenRequest {
            tenant: TENANT.to_owned(),
            permissions: vec!["kyc:*".to_owned()],
            subject: "scale".to_owned(),
            lifetime: Duration::from_secs(12 * 3_600),
        };
        let token = server.key.token(&request, &server.template).map_err(anyhow::Error::msg)?;
        Ok(Caller::new(server.url(), token))
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request and reads the JSON answer, whatever its status is.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let started = Instant::now();
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let ms = started.elapsed().as_secs_f64() * 1_000.0;
        let mut body: Value = serde_json::from_slice(&bytes)?;
        Ok(Answer { status, data: body["data"].take(), ms })
    }

    /// Sends a request and reads the JSON answer. Returns an error unless the status is below 300.
    pub(crate) async fn expect(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let answer = self.call(method.clone(), path, body).await?;
        ensure!(answer.status < 300, "{method} {path} answered with status {}", answer.status);
        Ok(answer)
    }
}
