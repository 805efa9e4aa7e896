use shared::runtime::lambda::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(health::FUNCTION).await
}
