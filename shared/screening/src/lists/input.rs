//! Reads a list file. Counts its bytes and lines, and fails when a record or the file is too large.

use std::io::{self, BufRead, Read};

/// Maximum size of a record in bytes. The longest real records (a company with hundreds of aliases,
/// a politician with all nested entities) stay well below a million bytes.
pub(super) const MAX_RECORD: u64 = 4 << 20;

/// Maximum size in bytes of a CSV file and of OFAC's XML file. Most of these formats require that
/// entries are held until the end of the file. The largest real file, OFAC's advanced XML, is 0.12
/// GB.
pub(super) const MAX_HELD: u64 = 1 << 30;

/// A reader that counts lines and fails when a record or the file is too large.
pub(super) struct Meter<R> {
    inner: R,
    max_bytes: u64,
    position: Position,
}

/// Counts of the bytes, lines and quotes that a [`Meter`] has handed out.
struct Position {
    /// Bytes since the last [`Meter::start_record`].
    record_bytes: u64,
    total_bytes: u64,
    line: u64,
    quotes: u64,
    last_byte: u8,
}

impl<R: BufRead> Meter<R> {
    /// Wraps a reader whose file may have at most `max_bytes` bytes.
    pub(super) fn new(inner: R, max_bytes: u64) -> Meter<R> {
        let position =
            Position { record_bytes: 0, total_bytes: 0, line: 1, quotes: 0, last_byte: b'\n' };
        Meter { inner, max_bytes, position }
    }

    /// Starts to measure a new record. Bytes that the caller has buffered ahead count for the
    /// previous record, so the limit is exact to within the size of one buffer.
    pub(super) fn start_record(&mut self) {
        self.position.record_bytes = 0;
    }

    /// Returns the line of the next byte, counted from 1.
    pub(super) fn line(&self) -> u64 {
        self.position.line
    }

    /// Returns whether the number of quotes so far is odd, which means that the last quote is open.
    pub(super) fn is_in_quotes(&self) -> bool {
        self.position.quotes % 2 == 1
    }

    /// Returns whether the last byte is a line end or 0x1A, which ends a DOS text file.
    pub(super) fn is_at_line_end(&self) -> bool {
        matches!(self.position.last_byte, b'\n' | b'\r' | 0x1a)
    }

    fn check_limits(&self) -> io::Result<()> {
        if self.position.record_bytes > MAX_RECORD {
            return Err(io::Error::other(format!("a record is longer than {MAX_RECORD} bytes")));
        }
        if self.position.total_bytes > self.max_bytes {
            let reason = format!("it is larger than {} bytes", self.max_bytes);
            return Err(io::Error::other(reason));
        }
        Ok(())
    }
}

impl Position {
    fn advance(&mut self, bytes: &[u8]) {
        let count = |byte| bytes.iter().filter(|b| **b == byte).count() as u64;
        self.record_bytes += bytes.len() as u64;
        self.total_bytes += bytes.len() as u64;
        self.line += count(b'\n');
        self.quotes += count(b'"');
        self.last_byte = bytes.last().copied().unwrap_or(self.last_byte);
    }
}

impl<R: BufRead> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check_limits()?;
        let length = self.inner.read(buffer)?;
        self.position.advance(buffer.split_at(length).0);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Meter<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check_limits()?;
        self.inner.fill_buf()
    }

    #[expect(clippy::expect_used, reason = "consume has no other way to report a broken reader")]
    fn consume(&mut self, amount: usize) {
        if amount > 0 {
            let buffer = self.inner.fill_buf();
            let buffer =
                buffer.expect("fill_buf succeeds because it has returned these bytes before");
            self.position.advance(buffer.split_at(amount).0);
        }
        self.inner.consume(amount);
    }
}
