//! The content of a file that was fetched.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};

/// Size of a block in bytes.
const BLOCK: usize = 1024 * 1024;

/// The content of a file, in blocks. A block is freed as soon as it has been read, so that a file
/// and the index that is built from it do not have to be in memory at the same time.
#[derive(Default)]
pub struct Content {
    blocks: VecDeque<Vec<u8>>,
    /// Number of bytes of the first block that have been read.
    read: usize,
    /// Total number of bytes added, including those that have been read and freed.
    length: u64,
}

impl Content {
    /// Adds bytes at the end.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let free = self.blocks.back().map_or(0, |block| BLOCK - block.len());
            if free == 0 {
                self.blocks.push_back(Vec::with_capacity(BLOCK.min(bytes.len())));
                continue;
            }
            let (part, rest) = bytes.split_at(free.min(bytes.len()));
            if let Some(block) = self.blocks.back_mut() {
                block.extend_from_slice(part);
            }
            bytes = rest;
        }
    }

    /// Returns the content block by block. Call this before reading: blocks that have been read are
    /// missing.
    pub fn blocks(&self) -> impl Iterator<Item = &[u8]> {
        self.blocks.iter().map(Vec::as_slice)
    }

    /// Returns the total number of bytes added. Reading does not change it.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Write for Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Content {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let block = self.blocks.front().map(Vec::as_slice).unwrap_or_default();
        Ok(block.get(self.read..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
        if self.blocks.front().is_some_and(|block| self.read >= block.len()) {
            self.blocks.pop_front();
            self.read = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_are_freed_while_they_are_read() {
        let mut content = Content::default();
        content.push(&vec![1; 3 * BLOCK + 1]);
        assert_eq!((content.blocks.len(), content.length()), (4, 3 * BLOCK as u64 + 1));
        let mut half = vec![0; 2 * BLOCK];
        content.read_exact(&mut half).unwrap();
        assert_eq!(content.blocks.len(), 2);
        assert_eq!(content.read_to_end(&mut half).unwrap(), BLOCK + 1);
        assert!(content.blocks.is_empty() && half.iter().all(|byte| *byte == 1));
        assert!(content.fill_buf().unwrap().is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_content_is_what_was_added(
            parts in prop::collection::vec(0..BLOCK * 2, 0..4),
            reads in prop::collection::vec(1..BLOCK * 2, 1..4),
        ) {
            let mut content = Content::default();
            let mut expected = Vec::new();
            for length in parts {
                let part: Vec<u8> = (0..length).map(|byte| (byte * 31 + length) as u8).collect();
                content.push(&part);
                expected.extend(part);
            }
            prop_assert_eq!(content.length(), expected.len() as u64);
            let (mut actual, mut reads) = (Vec::new(), reads.iter().cycle());
            loop {
                let mut buffer = vec![0; *reads.next().unwrap()];
                let length = content.read(&mut buffer).unwrap();
                if length == 0 {
                    break;
                }
                actual.extend_from_slice(&buffer[..length]);
            }
            prop_assert!(actual == expected);
        }
    }
}
