//! The chains of holdings that lead from a party to the customer, those that carry the most first.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::Holding;
use super::group::CUSTOMER;

/// How many chains are told of one party.
const MOST_CHAINS: usize = 10;
/// How many beginnings of chains are looked at: enough for the first ten of any real structure, and
/// a bound where chains are too many to count.
const MOST_STEPS: usize = 2_000;

/// Holdings, ready to be followed towards the customer.
pub(super) struct Chains {
    /// By owner: what it holds, and how much of it.
    holds: Vec<Vec<(usize, f64)>>,
    /// By party: what its best chain carries; 0 when none leads to the customer.
    best: Vec<f64>,
    /// By party: the length of its shortest chain.
    shortest: Vec<Option<u32>>,
}

/// A beginning of a chain, by what it can carry at the best.
struct Beginning {
    promise: f64,
    carried: f64,
    parties: Vec<usize>,
}

impl Chains {
    pub(super) fn of(holdings: &[Holding], parties: usize) -> Chains {
        let mut holds: Vec<Vec<(usize, f64)>> = vec![Vec::new(); parties];
        let mut owners: Vec<Vec<(usize, f64)>> = vec![Vec::new(); parties];
        for &Holding { owner, owned, fraction } in holdings {
            // The customer's holdings lead away from it.
            if let Some(held) = holds.get_mut(owner).filter(|_| owner != CUSTOMER) {
                held.push((owned, fraction));
            }
            if let Some(owners) = owners.get_mut(owned) {
                owners.push((owner, fraction));
            }
        }
        let best = best(&owners);
        let shortest = shortest(&owners);
        Chains { holds, best, shortest }
    }

    /// The number of holdings between a party and the customer, by the shortest way; 1 is direct.
    pub(super) fn layers(&self, party: usize) -> Option<u32> {
        self.shortest.get(party).copied().flatten()
    }

    /// The chains of a party that carry the most, each with the fraction it carries. No party
    /// comes twice in one of them, so in a ring they add up to less than the effective share.
    pub(super) fn from(&self, party: usize) -> Vec<(Vec<usize>, f64)> {
        let best = |party: usize| self.best.get(party).copied().unwrap_or(0.0);
        let mut found = Vec::new();
        let mut open = BinaryHeap::from([Beginning {
            promise: best(party),
            carried: 1.0,
            parties: vec![party],
        }]);
        for _ in 0..MOST_STEPS {
            let Some(Beginning { carried, parties, .. }) = open.pop() else { break };
            let Some(&last) = parties.last() else { break };
            if last == CUSTOMER {
                found.push((parties, carried));
                if found.len() == MOST_CHAINS {
                    break;
                }
                continue;
            }
            for &(owned, fraction) in self.holds.get(last).into_iter().flatten() {
                if best(owned) > 0.0 && !parties.contains(&owned) {
                    let carried = carried * fraction;
                    let mut parties = parties.clone();
                    parties.push(owned);
                    open.push(Beginning { promise: carried * best(owned), carried, parties });
                }
            }
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.len().cmp(&b.0.len())));
        found
    }
}

/// Dijkstra's algorithm from the customer up, over products of fractions.
fn best(owners: &[Vec<(usize, f64)>]) -> Vec<f64> {
    let mut best = vec![0.0; owners.len()];
    let start = Beginning { promise: 1.0, carried: 1.0, parties: vec![CUSTOMER] };
    let mut open = BinaryHeap::from([start]);
    while let Some(Beginning { carried, parties, .. }) = open.pop() {
        let Some(&place) = parties.last() else { continue };
        match best.get_mut(place) {
            Some(known) if *known == 0.0 => *known = carried,
            _ => continue,
        }
        for &(owner, fraction) in owners.get(place).into_iter().flatten() {
            let carried = carried * fraction;
            if carried > 0.0 {
                open.push(Beginning { promise: carried, carried, parties: vec![owner] });
            }
        }
    }
    best
}

fn shortest(owners: &[Vec<(usize, f64)>]) -> Vec<Option<u32>> {
    let mut shortest = vec![None; owners.len()];
    let mut open = VecDeque::from([(CUSTOMER, 0)]);
    while let Some((place, layers)) = open.pop_front() {
        for &(owner, _) in owners.get(place).into_iter().flatten() {
            if let Some(known) = shortest.get_mut(owner).filter(|known| known.is_none()) {
                *known = Some(layers + 1);
                open.push_back((owner, layers + 1));
            }
        }
    }
    shortest
}

impl Ord for Beginning {
    /// Of equal promise, the longer beginning is the greater one: it comes to an end before the
    /// others are followed. What differs by the last bits of a double is equal.
    fn cmp(&self, other: &Beginning) -> Ordering {
        let by_promise = (self.promise as f32).total_cmp(&(other.promise as f32));
        let by_length = self.parties.len().cmp(&other.parties.len());
        by_promise.then(by_length).then_with(|| other.parties.cmp(&self.parties))
    }
}

impl PartialOrd for Beginning {
    fn partial_cmp(&self, other: &Beginning) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Beginning {
    fn eq(&self, other: &Beginning) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Beginning {}
