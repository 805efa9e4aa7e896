//! What the template schedules, done by this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use shared::App;
use shared::runtime::job::{self, Job};
use tokio::task::JoinSet;

use crate::gateway::JOB_TIME;
use crate::template::{Schedule, Template};

/// Runs what has no input once, so that lists are there before the first request, and then
/// everything as often as the template says.
pub(crate) async fn start(
    template: &Template,
    jobs: &HashMap<&'static str, Arc<(Job, App)>>,
    running: &mut JoinSet<()>,
) {
    for spec in &template.functions {
        let Some(job) = jobs.get(spec.name.as_str()) else { continue };
        for Schedule { every, input } in &spec.schedules {
            let (job, every) = (job.clone(), *every);
            let input: Value = serde_json::from_str(input).unwrap_or_default();
            if spec.name == "refresh-watchlists" {
                run(&job, input.clone()).await;
            }
            running.spawn(async move {
                loop {
                    tokio::time::sleep(every).await;
                    run(&job, input.clone()).await;
                }
            });
        }
    }
}

/// What went wrong is in the log, and the next time comes.
async fn run(job: &(Job, App), input: Value) {
    let (job, app) = job;
    let _ = job::run(app, job, input, Instant::now() + JOB_TIME).await;
}
