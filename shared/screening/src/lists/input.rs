//! Bytes of a file, counted: no record, and no file that is held, grows beyond its bound.

use std::io::{self, BufRead, Read};

/// The longest record, in bytes. The longest real ones (a company with hundreds of aliases, a
/// politician with all that is nested in him) stay well below a million.
pub(super) const MAX_RECORD: u64 = 4 << 20;

/// The largest file of a format whose entries have to be held until its end. The largest real one,
/// OFAC's advanced XML, has 0.12 GB.
pub(super) const MAX_HELD: u64 = 1 << 30;

/// A reader that knows its line and stops with an error at the bounds.
pub(super) struct Meter<R> {
    inner: R,
    /// Bytes since the last [`Meter::mark`].
    since: u64,
    total: u64,
    limit: u64,
    line: u64,
    quotes: u64,
    last: u8,
}

impl<R: BufRead> Meter<R> {
    pub(super) fn new(inner: R, limit: u64) -> Meter<R> {
        Meter { inner, since: 0, total: 0, limit, line: 1, quotes: 0, last: b'\n' }
    }

    /// A record begins. What a reader has buffered ahead counts for it, too: the bound is
    /// generous by one buffer.
    pub(super) fn mark(&mut self) {
        self.since = 0;
    }

    /// Of the last byte handed out, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether there is an odd number of quotes: the last one was not closed.
    pub(super) fn in_quotes(&self) -> bool {
        self.quotes % 2 == 1
    }

    /// Whether the last byte ends a line, or a DOS text file.
    pub(super) fn at_line_end(&self) -> bool {
        matches!(self.last, b'\n' | b'\r' | 0x1a)
    }

    fn check(&self) -> io::Result<()> {
        if self.since > MAX_RECORD {
            return Err(io::Error::other(format!("a record is longer than {MAX_RECORD} bytes")));
        }
        if self.total > self.limit {
            return Err(io::Error::other(format!("the file is larger than {} bytes", self.limit)));
        }
        Ok(())
    }

    fn count(&mut self, taken: &Taken) {
        self.since += taken.bytes;
        self.total += taken.bytes;
        self.line += taken.lines;
        self.quotes += taken.quotes;
        self.last = taken.last.unwrap_or(self.last);
    }
}

struct Taken {
    bytes: u64,
    lines: u64,
    quotes: u64,
    last: Option<u8>,
}

impl Taken {
    fn of(bytes: &[u8]) -> Taken {
        let count = |byte| bytes.iter().filter(|b| **b == byte).count() as u64;
        Taken {
            bytes: bytes.len() as u64,
            lines: count(b'\n'),
            quotes: count(b'"'),
            last: bytes.last().copied(),
        }
    }
}

impl<R: BufRead> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let read = self.inner.read(buffer)?;
        self.count(&Taken::of(buffer.get(..read).unwrap_or_default()));
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Meter<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What was consumed is still in the buffer that `fill_buf` returns.
        let taken = match self.inner.fill_buf() {
            Ok(buffer) => Taken::of(buffer.get(..amount).unwrap_or_default()),
            Err(_) => Taken::of(&[]),
        };
        self.count(&taken);
        self.inner.consume(amount);
    }
}
