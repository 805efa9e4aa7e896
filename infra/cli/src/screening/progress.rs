//! Shows a progress bar. The bar appears only on a terminal.

use std::borrow::Cow;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Starts a bar. `total` is `None` if it is not known in advance.
    pub(crate) fn start(label: impl Into<Cow<'static, str>>, total: Option<u64>) -> Progress {
        let bar = ProgressBar::no_length();
        let template = match total {
            Some(_) => "{msg}: {human_pos} of {human_len} [{bar:30}] {eta} left",
            None => "{msg}: {human_pos} ({elapsed})",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_message(label);
        Progress(bar)
    }

    pub(crate) fn set(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
