//! How a function reaches AWS: with the region and the credentials that Lambda puts into its
//! environment. Nothing else is asked for them, neither files nor other services.

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::region::ProvideRegion;
use aws_sdk_dynamodb::config::{Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use crate::https;

#[derive(Clone, Debug)]
pub struct Aws {
    pub(crate) region: Region,
    pub(crate) credentials: SharedCredentialsProvider,
    pub(crate) connector: SharedHttpConnector,
}

impl Aws {
    pub async fn from_env() -> Result<Aws, String> {
        let region = EnvironmentVariableRegionProvider::new().region().await;
        let region = region.ok_or_else(|| "AWS_REGION is not set".to_owned())?;
        let credentials = EnvironmentVariableCredentialsProvider::new();
        let credentials = SharedCredentialsProvider::new(credentials);
        Ok(Aws { region, credentials, connector: https::connector() })
    }

    /// For servers that are compatible with AWS's and ask for no credentials, as the embedded store.
    pub fn elsewhere() -> Aws {
        let credentials = Credentials::new("local", "local", None, None, "local");
        Aws {
            region: Region::from_static("local"),
            credentials: SharedCredentialsProvider::new(credentials),
            connector: https::connector(),
        }
    }
}
