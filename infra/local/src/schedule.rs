//! Runs the jobs that the template schedules.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::Value;
use shared::App;
use shared::runtime::job::{self, Job};
use tokio::task::JoinSet;

use crate::file::StoreFile;
use crate::gateway::JOB_TIMEOUT;
use crate::template::{Schedule, Template};

/// Loads the watchlists, so that they exist before the first request, and starts all schedules.
pub(crate) async fn start(
    template: &Template,
    jobs: &HashMap<&'static str, Arc<(Job, App)>>,
    file: Option<&StoreFile>,
    tasks: &mut JoinSet<()>,
) {
    for spec in &template.functions {
        let Some(job) = jobs.get(spec.name.as_str()) else { continue };
        for Schedule { timing, input } in &spec.schedules {
            if spec.name == "refresh-watchlists" {
                run(job, input.clone()).await;
            }
            let (job, timing, input) = (job.clone(), *timing, input.clone());
            let file = file.cloned();
            tasks.spawn(async move {
                loop {
                    tokio::time::sleep(timing.until_next(SystemTime::now())).await;
                    run(&job, input.clone()).await;
                    // The job may have completed an erasure.
                    if let Some(file) = &file {
                        file.remove_deleted_data().await;
                    }
                }
            });
        }
    }
}

/// Runs a job once. The job logs its errors, and the schedule continues.
async fn run(job: &(Job, App), input: Value) {
    let (job, app) = job;
    let _ = job::run(app, job, input, Instant::now() + JOB_TIMEOUT).await;
}
