use shared::runtime::lambda::{Error, run_job};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run_job(pre_token_generation::JOB).await
}
