//! Describes the program that is measured, and the answer that the program must give.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::event;
use crate::process::Program;

#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) expected: Expected,
}

impl Subject {
    /// Checks that an answer is the expected one.
    ///
    /// # Errors
    ///
    /// Returns an error with the name of the subject if the check fails.
    pub(crate) fn check(&self, answer: &Value) -> Result<()> {
        self.expected.check(answer).with_context(|| self.name.clone())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// An HTTP answer with this status.
    Status(u64),
    /// Any JSON, for a function that does not answer HTTP requests.
    Anything,
}

impl Expected {
    fn check(self, answer: &Value) -> Result<()> {
        match self {
            Expected::Status(expected) => {
                let status = event::answer(answer).map(|(status, _)| status);
                ensure!(status == Some(expected), "expected status {expected}, got {answer:.600}");
            }
            Expected::Anything => ensure!(!answer.is_null(), "the answer is not JSON"),
        }
        Ok(())
    }
}
