//! Builds the ARNs of the local table and bucket.

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "local";

pub(crate) fn table(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

pub(crate) fn bucket(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}
