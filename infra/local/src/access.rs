//! Gives other programs access to the table and to the Invoke API. Both bypass the authorizer, so
//! both require an access key.

use std::env;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rsa::rand_core::{OsRng, RngCore};
use shared::aws::Aws;
use subtle::ConstantTimeEq;

use crate::Failure;

/// Number of random bytes in an access key.
const KEY_BYTES: usize = 16;
/// Start of the header `Authorization` in version 4 of AWS's signatures.
const ALGORITHM: &str = "AWS4-HMAC-SHA256 ";

/// The access key of a server, which is generated at each start. A program signs its requests with
/// it, as with an access key of AWS.
///
/// The key's id is the secret: the server compares the id and does not verify the signature, so the
/// secret access key can be any text.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey(String);

impl AccessKey {
    pub(crate) fn generate() -> Result<AccessKey, Failure> {
        let mut bytes = [0; KEY_BYTES];
        OsRng
            .try_fill_bytes(&mut bytes)
            .map_err(|error| format!("no access key was generated: {error}"))?;
        Ok(AccessKey(format!("LOCAL{}", hex::encode_upper(bytes))))
    }

    /// Returns whether a request is signed with this key.
    pub(crate) fn signs(&self, parts: &Parts) -> bool {
        credential(parts).is_some_and(|id| self.is(id))
    }

    /// Compares the key with an id in constant time, so that the time does not show how many
    /// characters of a guess are right.
    fn is(&self, id: &str) -> bool {
        self.0.as_bytes().ct_eq(id.as_bytes()).into()
    }

    /// Returns a header `Authorization` with this key, for programs without an AWS SDK.
    pub fn authorization(&self) -> String {
        format!("{ALGORITHM}Credential={}/none, SignedHeaders=none, Signature=none", self.0)
    }

    pub fn id(&self) -> &str {
        &self.0
    }
}

/// Returns the id of the access key in a header `Authorization: AWS4-HMAC-SHA256
/// Credential=<id>/<scope>, …`. Returns `None` if this header is missing, occurs more than once or
/// has another form.
fn credential(parts: &Parts) -> Option<&str> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return None };
    let signature = header.to_str().ok()?.strip_prefix(ALGORITHM)?;
    let mut fields = signature.split(',').map(str::trim);
    let credential = fields.find_map(|field| field.strip_prefix("Credential="))?;
    credential.split('/').next()
}

/// Address of a DynamoDB-compatible server that has the table.
#[derive(Clone)]
pub struct TableAccess {
    pub endpoint: String,
    /// Access key of an embedded store. `None` for other servers, which use the credentials of the
    /// environment.
    pub access_key: Option<AccessKey>,
}

impl TableAccess {
    /// Returns the access to a server other than the embedded store of this process.
    pub fn to(endpoint: impl Into<String>) -> TableAccess {
        TableAccess { endpoint: endpoint.into(), access_key: None }
    }

    /// Returns region and credentials for the server. Without an access key, they come from the
    /// environment. If the environment has no credentials either, they are placeholders, for
    /// servers that do not check credentials.
    ///
    /// # Errors
    /// Fails when the environment has credentials but no region.
    pub async fn aws(&self) -> Result<Aws, Failure> {
        match &self.access_key {
            Some(key) => Ok(Aws::with_access_key(key.id())),
            None if env::var_os("AWS_ACCESS_KEY_ID").is_some() => Aws::from_env().await,
            None => Ok(Aws::elsewhere()),
        }
    }

    /// Returns environment variables with which the AWS SDKs and the functions find the table, one
    /// `NAME=value` per line.
    pub(crate) fn environment(&self, table: &str) -> String {
        let mut text = format!("DYNAMODB_ENDPOINT={}\nTABLE_NAME={table}\n", self.endpoint);
        if let Some(key) = &self.access_key {
            text += &format!(
                "AWS_REGION=local\nAWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY=none\n",
                key.id()
            );
        }
        text
    }

    /// Reads the variables that [`TableAccess::environment`] writes. Returns the access and the name
    /// of the table, or `None` if the address, the access key or the name is missing.
    pub(crate) fn read(environment: &str) -> Option<(TableAccess, String)> {
        let value = |name: &str| {
            let mut lines = environment.lines().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        let access = TableAccess {
            endpoint: value("DYNAMODB_ENDPOINT")?,
            access_key: Some(AccessKey(value("AWS_ACCESS_KEY_ID")?)),
        };
        Some((access, value("TABLE_NAME")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_only_the_whole_key_is_accepted() {
        let (key, other) = (AccessKey::generate().unwrap(), AccessKey::generate().unwrap());
        assert_eq!(key.id().len(), "LOCAL".len() + 2 * KEY_BYTES);
        assert!(key.is(key.id()) && !key.is(other.id()));
        for id in ["", "local", "LOCAL", &key.id()[..key.id().len() - 1], &format!("{}0", key.id())]
        {
            assert!(!key.is(id), "{id}");
        }
    }

    #[test]
    fn the_environment_is_read_as_it_was_written() {
        let key = AccessKey::generate().unwrap();
        let access = TableAccess {
            endpoint: "http://127.0.0.1:1?a=b".to_owned(),
            access_key: Some(key.clone()),
        };
        let (read, table) = TableAccess::read(&access.environment("Table")).unwrap();
        assert_eq!((read.endpoint, table.as_str()), (access.endpoint, "Table"));
        assert!(read.access_key == Some(key));
        assert!(TableAccess::read("TABLE_NAME=Table\n").is_none());
    }
}
