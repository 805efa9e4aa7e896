//! Prints the output of all commands. `println!` would panic when the reader of a pipe, such as
//! `head`, closes it.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Prints a line on standard output, in the form of `println!`.
macro_rules! out {
    ($($argument:tt)*) => {
        $crate::output::print(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// Prints a line on standard error, in the form of `eprintln!`.
macro_rules! note {
    ($($argument:tt)*) => {
        $crate::output::print_error(format_args!("{}\n", format_args!($($argument)*)))
    };
}

pub(crate) use {note, out};

/// Prints text on standard output. If the reader has closed the pipe, the text is dropped, and the
/// command runs to its end, because its exit status is part of its result. Any other error, such as
/// a full disk, ends the process.
pub(crate) fn print(text: Arguments<'_>) {
    if let Err(error) = stdout().write_fmt(text)
        && error.kind() != ErrorKind::BrokenPipe
    {
        note!("kyc-customers: the output cannot be written ({error})");
        std::process::exit(1);
    }
}

/// Prints text on standard error. An error cannot be reported anywhere else and is ignored.
pub(crate) fn print_error(text: Arguments<'_>) {
    let _ = stderr().write_fmt(text);
}
