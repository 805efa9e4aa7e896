use shared::runtime::lambda::{Error, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(monitor_customer::FUNCTION).await
}
