//! Finds the chains of holdings that lead from a party to the customer. The chain that carries the
//! largest fraction is found first.
#![expect(
    clippy::indexing_slicing,
    reason = "holdings refer to parties by valid indices, and a chain has at least one party"
)]

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::effective::Holding;
use super::group::CUSTOMER;

/// Maximum number of chains to list for one party.
const MAX_CHAINS: usize = 10;
/// Maximum number of steps of a search. Each step takes one chain and either lists it, if it is
/// complete, or extends it. The limit is enough to find the first ten chains of realistic
/// structures. It bounds the search if a structure has too many chains to enumerate.
const MAX_STEPS: usize = 2_000;

/// Holdings, indexed for the search of chains to the customer.
pub(super) struct Chains {
    /// By owner: the companies that it holds, each with the fraction.
    holds: Vec<Vec<(usize, f64)>>,
    /// By party: the largest fraction that a single chain carries to the customer. It is 1 for the
    /// customer, and 0 for a party without a chain.
    best: Vec<f64>,
    /// By party: the number of holdings in its shortest chain to the customer. `None` if it has no
    /// chain.
    shortest: Vec<Option<u32>>,
}

/// A chain under construction, from its first party to the last party added so far.
struct PartialChain {
    /// Upper bound for the fraction that the complete chain carries.
    bound: f64,
    /// Fraction that the chain carries so far.
    carried: f64,
    parties: Vec<usize>,
}

impl Chains {
    pub(super) fn of(holdings: &[Holding], parties: usize) -> Chains {
        let mut holds: Vec<Vec<(usize, f64)>> = vec![Vec::new(); parties];
        let mut owners: Vec<Vec<(usize, f64)>> = vec![Vec::new(); parties];
        for &Holding { owner, owned, fraction } in holdings {
            // A chain ends at the customer, so the customer's own holdings extend no chain.
            if owner != CUSTOMER {
                holds[owner].push((owned, fraction));
            }
            owners[owned].push((owner, fraction));
        }
        let best = best(&owners);
        let shortest = shortest(&owners);
        Chains { holds, best, shortest }
    }

    /// Returns the number of holdings in the shortest chain from a party to the customer. A direct
    /// holding counts as 1. Returns `None` if no chain leads to the customer.
    pub(super) fn layers(&self, party: usize) -> Option<u32> {
        self.shortest[party]
    }

    /// Returns up to `MAX_CHAINS` chains from a party to the customer, each with the fraction that
    /// it carries. The chain that carries the most is first. If two chains carry the same, the
    /// shorter one is first.
    ///
    /// A chain never contains a party twice. If holdings form a ring, the fractions of the chains
    /// therefore add up to less than the effective share.
    pub(super) fn from(&self, party: usize) -> Vec<(Vec<usize>, f64)> {
        let mut chains = Vec::new();
        let start = PartialChain { bound: self.best[party], carried: 1.0, parties: vec![party] };
        let mut open = BinaryHeap::from([start]);
        for _ in 0..MAX_STEPS {
            let Some(chain) = open.pop() else { break };
            if chain.last() == CUSTOMER {
                chains.push((chain.parties, chain.carried));
                if chains.len() == MAX_CHAINS {
                    break;
                }
                continue;
            }
            for &(owned, fraction) in &self.holds[chain.last()] {
                if self.best[owned] > 0.0 && !chain.parties.contains(&owned) {
                    let carried = chain.carried * fraction;
                    let mut parties = chain.parties.clone();
                    parties.push(owned);
                    open.push(PartialChain { bound: carried * self.best[owned], carried, parties });
                }
            }
        }
        chains.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.len().cmp(&b.0.len())));
        chains
    }
}

/// Computes, for every party, the largest fraction that a single chain carries to the customer. The
/// algorithm is Dijkstra's, from the customer upwards, with products of fractions in place of sums
/// of distances.
fn best(owners: &[Vec<(usize, f64)>]) -> Vec<f64> {
    let mut best = vec![0.0; owners.len()];
    let start = PartialChain { bound: 1.0, carried: 1.0, parties: vec![CUSTOMER] };
    let mut open = BinaryHeap::from([start]);
    while let Some(chain) = open.pop() {
        let place = chain.last();
        let is_visited = best[place] != 0.0;
        if is_visited {
            continue;
        }
        best[place] = chain.carried;
        for &(owner, fraction) in &owners[place] {
            let carried = chain.carried * fraction;
            if carried > 0.0 {
                open.push(PartialChain { bound: carried, carried, parties: vec![owner] });
            }
        }
    }
    best
}

/// Computes, for every party, the number of holdings in its shortest chain to the customer, by
/// breadth-first search.
fn shortest(owners: &[Vec<(usize, f64)>]) -> Vec<Option<u32>> {
    let mut shortest = vec![None; owners.len()];
    let mut open = VecDeque::from([(CUSTOMER, 0)]);
    while let Some((place, layers)) = open.pop_front() {
        for &(owner, _) in &owners[place] {
            if shortest[owner].is_none() {
                shortest[owner] = Some(layers + 1);
                open.push_back((owner, layers + 1));
            }
        }
    }
    shortest
}

impl PartialChain {
    fn last(&self) -> usize {
        self.parties[self.parties.len() - 1]
    }
}

impl Ord for PartialChain {
    /// Compares the bounds first. If they are equal, the longer chain is greater, so the search
    /// completes one chain before it extends others. Bounds are compared as `f32`: bounds that
    /// differ only in the last bits of a double count as equal.
    fn cmp(&self, other: &PartialChain) -> Ordering {
        let by_bound = (self.bound as f32).total_cmp(&(other.bound as f32));
        let by_length = self.parties.len().cmp(&other.parties.len());
        by_bound.then(by_length).then_with(|| other.parties.cmp(&self.parties))
    }
}

impl PartialOrd for PartialChain {
    fn partial_cmp(&self, other: &PartialChain) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PartialChain {
    fn eq(&self, other: &PartialChain) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PartialChain {}
