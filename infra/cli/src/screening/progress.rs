//! How far a long piece of work is, on a terminal only.

use std::borrow::Cow;

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress(ProgressBar);

impl Progress {
    /// `total` where it is known beforehand.
    pub(super) fn of(what: impl Into<Cow<'static, str>>, total: Option<u64>) -> Progress {
        let bar = ProgressBar::no_length();
        let shape = match total {
            Some(_) => "{msg}: {human_pos} of {human_len} [{bar:30}] {eta} left",
            None => "{msg}: {human_pos} ({elapsed})",
        };
        if let Ok(style) = ProgressStyle::with_template(shape) {
            bar.set_style(style);
        }
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_message(what);
        Progress(bar)
    }

    pub(super) fn at(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
