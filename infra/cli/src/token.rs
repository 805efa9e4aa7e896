//! Implements the command `token`, which prints an access token for the local server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use local::data::DataFolder;
use local::template::Template;
use local::{Failure, TokenRequest};
use shared::Permission;
use shared::model::value::TenantId;

use crate::output::{note, out};

#[derive(Args)]
pub(crate) struct Token {
    /// Tenant of the token
    #[arg(long)]
    tenant: TenantId,
    /// Permissions, separated by commas, such as kyc:create,kyc:read
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "kyc:*",
        value_parser = PossibleValuesParser::new(Permission::NAMES)
    )]
    permissions: Vec<String>,
    /// Lifetime, such as 90s, 15m, 1h or 7d
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    expires: Duration,
    /// Name of the caller in the audit trail
    #[arg(long, default_value = "local-user", allow_hyphen_values = true)]
    subject: String,
    /// Data folder of the server
    #[arg(long, value_name = "DIR", default_value = ".data")]
    data: PathBuf,
}

pub(crate) fn run(options: Token) -> Result<(), Failure> {
    let folder = DataFolder::open(&options.data)?;
    if !folder.has_signing_key() {
        let folder = options.data.display();
        note!(
            "note: {folder} had no signing key, so a new one was generated; only a server with --data {folder} accepts the token"
        );
    }
    let key = folder.signing_key()?;
    let request = TokenRequest {
        tenant: options.tenant.to_string(),
        permissions: options.permissions,
        subject: options.subject,
        lifetime: options.expires,
    };
    out!("{}", key.token(&request, &Template::embedded()?)?);
    Ok(())
}
