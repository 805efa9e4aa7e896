//! The memory that lists need in the functions that open them.
//!
//! A function that runs out of memory ends without an answer, and lists that are too large would do
//! this to every function that screens. A refresh therefore refuses lists that do not fit. `cargo
//! bench -p screening --bench memory` measures the numbers in this module.

const MB: u64 = 1024 * 1024;
/// Memory in MB for everything else in a function: the program, its connections, and the customer that
/// it screens.
const RESERVED: u64 = 64;
/// Memory that a job needs, as a multiple of the size of the lists. A pass that compares two
/// revisions holds both, with the ids and hashes of their entries, and builds an index of the
/// changed entries. The multiple applies when all entries have changed. Building an index takes
/// less.
const JOB_COPIES: u64 = 5;
/// Largest total size of the files of a list, 512 MiB. Every published list is far smaller.
const MAX_FILES: u64 = 512 * MB;

/// The memory of the functions that open lists, in MB. The template passes it to `refresh-watchlists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionMemory {
    /// Memory of a function that answers requests: the parameter `MemorySize`.
    pub requests: u32,
    /// Memory of `refresh-watchlists` and of `rescreen`: the parameter `RescreenMemorySize`.
    pub jobs: u32,
}

/// Checks that lists with this total size in bytes fit into the function that opens them, which has
/// this memory in MB.
///
/// # Errors
/// A message that names the parameters to raise and their new value.
pub fn check_own(lists: u64, memory: u32) -> Result<(), String> {
    let needed = lists.div_ceil(MB) + RESERVED;
    if needed <= u64::from(memory) {
        return Ok(());
    }
    Err(format!(
        "all lists together need {} MB of memory, which this function does not have; raise the \
         parameter MemorySize, or RescreenMemorySize for rescreen, from {memory} to at least {needed} \
         (in MB), or remove lists",
        lists.div_ceil(MB)
    ))
}

impl FunctionMemory {
    /// Checks that lists with this total [`screening_memory`](screening::index::screening_memory)
    /// fit into every function.
    ///
    /// # Errors
    /// A message that names the parameters to raise and their new values.
    pub fn check(self, lists: u64) -> Result<(), String> {
        let parameters = [("MemorySize", self.requests, lists)].into_iter().chain([(
            "RescreenMemorySize",
            self.jobs,
            lists.saturating_mul(JOB_COPIES),
        )]);
        let too_small: Vec<String> = parameters
            .filter_map(|(parameter, memory, lists)| {
                let needed = lists.div_ceil(MB) + RESERVED;
                let is_too_small = needed > u64::from(memory);
                is_too_small.then(|| format!("{parameter} from {memory} to at least {needed}"))
            })
            .collect();
        if too_small.is_empty() {
            return Ok(());
        }
        Err(format!(
            "all lists together need {} MB of memory, which the functions do not have; raise the \
             parameter {} (in MB), or remove lists",
            lists.div_ceil(MB),
            too_small.join(" and ")
        ))
    }

    /// Returns the size in bytes of the largest index that `refresh-watchlists` can build.
    pub fn max_index(self) -> u64 {
        u64::from(self.jobs).saturating_sub(RESERVED) * MB / JOB_COPIES
    }

    /// Describes the refusal of a list whose index is larger than [`FunctionMemory::max_index`].
    pub fn index_too_large(self) -> String {
        format!(
            "the index of the list would have more than {} MB, which refresh-watchlists cannot build; \
             raise the parameter RescreenMemorySize from {} (in MB), or split the list",
            self.max_index() / MB,
            self.jobs
        )
    }

    /// Returns the largest total size in bytes that the files of one list may have. Half of the memory
    /// remains for the index.
    pub fn max_files(self) -> u64 {
        (u64::from(self.jobs) * MB / 2).min(MAX_FILES)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEFAULT: FunctionMemory = FunctionMemory { requests: 256, jobs: 1_769 };

    #[test]
    fn the_refusal_names_each_parameter_to_raise() {
        assert_eq!(DEFAULT.check(192 * MB), Ok(()));
        let refused = DEFAULT.check(192 * MB + 1).unwrap_err();
        assert!(refused.contains("need 193 MB"), "{refused}");
        assert!(
            refused.contains("raise the parameter MemorySize from 256 to at least 257 (in MB)")
        );
        let refused = FunctionMemory { requests: 1_024, ..DEFAULT }.check(342 * MB).unwrap_err();
        assert!(
            refused.contains("raise the parameter RescreenMemorySize from 1769 to at least 1774")
        );
        let refused = DEFAULT.check(342 * MB).unwrap_err();
        assert!(
            refused.contains("256 to at least 406 and RescreenMemorySize from 1769"),
            "{refused}"
        );
        assert_eq!(DEFAULT.max_files(), 512 * MB);
        assert_eq!(FunctionMemory { jobs: 512, ..DEFAULT }.max_files(), 256 * MB);
    }

    proptest! {
        /// After the parameters are raised as the refusal says, the lists fit.
        #[test]
        fn the_named_sizes_are_the_smallest_that_fit(
            requests in 1..4_096_u32, jobs in 1..10_240_u32, lists in 0..2_000 * MB,
        ) {
            let memory = FunctionMemory { requests, jobs };
            let Err(refused) = memory.check(lists) else { return Ok(()) };
            let named = |parameter: &str| {
                let (_, rest) = refused.split_once(&format!(" {parameter} from "))?;
                let (_, rest) = rest.split_once("to at least ")?;
                rest.split(' ').next()?.parse::<u32>().ok()
            };
            let raised = FunctionMemory {
                requests: named("MemorySize").unwrap_or(requests),
                jobs: named("RescreenMemorySize").unwrap_or(jobs),
            };
            prop_assert_eq!(raised.check(lists), Ok(()), "{}", &refused);
            if raised.requests != requests {
                let less = FunctionMemory { requests: raised.requests - 1, ..raised };
                prop_assert!(less.check(lists).is_err());
            }
            if raised.jobs != jobs {
                let less = FunctionMemory { jobs: raised.jobs - 1, ..raised };
                prop_assert!(less.check(lists).is_err());
            }
        }
    }
}
