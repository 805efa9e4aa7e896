//! Effective ownership: what share of one company belongs to each party, through every layer and
//! through circular holdings.
//!
//! With `W[i][k]` the fraction of company `k` that party `i` holds directly, the effective share of
//! `i` in the company `t` is the sum over all chains of holdings that lead from `i` to `t`:
//! `x = W·e + W²·e + W³·e + …`, with `e` the unit vector of `t`. Where rings of companies make that
//! series infinite, its sum is the solution of the linear system `x = W·e + W·x`, and that is what is
//! computed here: solved, not summed.
//!
//! Source: Brioschi, Buzzacchi, Colombo: "Risk capital financing and the separation of ownership and
//! control in business groups", Journal of Banking & Finance 13 (1989), 747-772, whose "integrated
//! ownership" this is.
#![allow(
    clippy::indexing_slicing,
    reason = "indices are checked where they enter, in `Group::new`"
)]

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

/// A direct holding. Parties are named by their index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    pub owner: usize,
    pub owned: usize,
    /// The fraction held, 0 to 1.
    pub fraction: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// By party: its effective share of the company asked for, 0 to 1. Companies stand in the middle
    /// of chains, so the shares of all parties add up to more than 1; those of the individuals and
    /// the undisclosed share add up to 1, unless a closed ring holds the rest.
    pub shares: Vec<f64>,
    /// The share that no declared owner accounts for, at the company itself or further up.
    pub undisclosed: f64,
    /// Rings of companies that own each other entirely and so belong to nobody: what they hold is
    /// nobody's.
    pub closed_rings: Vec<Vec<usize>>,
}

/// What a ring leaves to owners outside of it is nothing when it is smaller than this: 4 decimals of
/// a percentage are a million times larger.
const NOTHING: f64 = 1e-12;

/// The effective shares in `company`. `is_company` has an entry for every party; holdings of parties
/// beyond it are left out, and several holdings of one owner in one company add up.
pub fn effective(is_company: &[bool], company: usize, holdings: &[Holding]) -> Effective {
    let group = Group::new(is_company.len(), holdings);
    let mut shares = vec![0.0; is_company.len()];
    let mut closed_rings = Vec::new();
    // A party's share follows from the shares of what it owns: `kosaraju_scc` has the owned first.
    for ring in kosaraju_scc(&group.graph) {
        let mut ring: Vec<usize> = ring.into_iter().map(|party| party.index()).collect();
        ring.sort_unstable();
        match group.shares_of(&ring, company, &shares) {
            Some(solved) => {
                ring.iter().zip(solved).for_each(|(&party, share)| shares[party] = share)
            }
            None => closed_rings.push(ring),
        }
    }
    let undisclosed = (0..is_company.len()).filter(|&party| is_company[party]).map(|party| {
        let held = shares[party] + if party == company { 1.0 } else { 0.0 };
        (1.0 - group.disclosed[party]).max(0.0) * held
    });
    Effective { undisclosed: undisclosed.sum(), shares, closed_rings }
}

struct Group {
    graph: DiGraph<(), ()>,
    /// By owner: what it holds, each company once.
    holds: Vec<Vec<(usize, f64)>>,
    /// By company: the fraction that has a declared owner.
    disclosed: Vec<f64>,
}

impl Group {
    fn new(parties: usize, holdings: &[Holding]) -> Group {
        let mut holds: Vec<Vec<(usize, f64)>> = vec![Vec::new(); parties];
        let mut disclosed = vec![0.0; parties];
        for holding in holdings.iter().filter(|h| h.owner < parties && h.owned < parties) {
            disclosed[holding.owned] += holding.fraction;
            match holds[holding.owner].iter_mut().find(|(owned, _)| *owned == holding.owned) {
                Some((_, fraction)) => *fraction += holding.fraction,
                None => holds[holding.owner].push((holding.owned, holding.fraction)),
            }
        }
        let mut graph = DiGraph::new();
        let nodes: Vec<_> = (0..parties).map(|_| graph.add_node(())).collect();
        for (owner, held) in holds.iter().enumerate() {
            for &(owned, fraction) in held.iter().filter(|(_, fraction)| *fraction > 0.0) {
                debug_assert!(fraction <= 1.0 + NOTHING);
                graph.add_edge(nodes[owner], nodes[owned], ());
            }
        }
        Group { graph, holds, disclosed }
    }

    /// The shares of a ring of parties that own each other (or of a single party), from the shares
    /// of what they own outside of it. `None` when the ring is closed.
    fn shares_of(&self, ring: &[usize], company: usize, shares: &[f64]) -> Option<Vec<f64>> {
        // (I - W) x = b, where b is what comes from outside of the ring.
        let size = ring.len();
        let mut system = System { size, matrix: vec![0.0; size * size], right: vec![0.0; size] };
        for (row, &owner) in ring.iter().enumerate() {
            system.matrix[row * size + row] = 1.0;
            for &(owned, fraction) in &self.holds[owner] {
                if owned == company {
                    system.right[row] += fraction;
                }
                match ring.binary_search(&owned) {
                    Ok(column) => system.matrix[row * size + column] -= fraction,
                    Err(_) => system.right[row] += fraction * shares[owned],
                }
            }
        }
        system.solve()
    }
}

struct System {
    size: usize,
    /// Row by row.
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl System {
    /// Gaussian elimination. No pivoting: a column of `I - W` is dominated by its diagonal, as no
    /// more than all of a company is held, so no pivot grows and none but a closed ring's is 0.
    fn solve(mut self) -> Option<Vec<f64>> {
        let size = self.size;
        for pivot in 0..size {
            let (above, below) = self.matrix.split_at_mut((pivot + 1) * size);
            let pivot_row = &above[pivot * size..];
            if pivot_row[pivot] < NOTHING {
                return None;
            }
            for (offset, row) in below.chunks_exact_mut(size).enumerate() {
                let factor = row[pivot] / pivot_row[pivot];
                if factor != 0.0 {
                    for (entry, above) in row[pivot..].iter_mut().zip(&pivot_row[pivot..]) {
                        *entry -= factor * above;
                    }
                    self.right[pivot + 1 + offset] -= factor * self.right[pivot];
                }
            }
        }
        for row in (0..size).rev() {
            let entries = &self.matrix[row * size..(row + 1) * size];
            let known = entries.iter().zip(&self.right).skip(row + 1);
            let known: f64 = known.map(|(entry, solved)| entry * solved).sum();
            self.right[row] = (self.right[row] - known) / entries[row];
        }
        Some(self.right)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMPANY: bool = true;
    const PERSON: bool = false;

    fn holdings(list: &[(usize, usize, f64)]) -> Vec<Holding> {
        list.iter()
            .map(|&(owner, owned, percent)| Holding { owner, owned, fraction: percent / 100.0 })
            .collect()
    }

    /// Party 0 is the company asked for.
    fn check(kinds: &[bool], list: &[(usize, usize, f64)], expected: &[f64], undisclosed: f64) {
        let found = effective(kinds, 0, &holdings(list));
        for (party, expected) in expected.iter().enumerate() {
            let share = 100.0 * found.shares[party];
            assert!((share - expected).abs() < 1e-9, "party {party}: {share} is not {expected}");
        }
        assert!((100.0 * found.undisclosed - undisclosed).abs() < 1e-9, "{found:?}");
        assert!(found.closed_rings.is_empty());
    }

    #[test]
    fn direct() {
        check(&[COMPANY, PERSON, PERSON], &[(1, 0, 60.0), (2, 0, 25.5)], &[0.0, 60.0, 25.5], 14.5);
        check(&[COMPANY], &[], &[0.0], 100.0);
    }

    #[test]
    fn two_layers() {
        // 2 holds half of 1, which holds 80 % of the company.
        let kinds = [COMPANY, COMPANY, PERSON, PERSON];
        check(&kinds, &[(1, 0, 80.0), (2, 1, 50.0), (3, 0, 20.0)], &[0.0, 80.0, 40.0, 20.0], 40.0);
    }

    #[test]
    fn diamond() {
        // 3 reaches the company through 1 and through 2, and holds some of it directly.
        let kinds = [COMPANY, COMPANY, COMPANY, PERSON];
        let list = [(1, 0, 50.0), (2, 0, 30.0), (3, 1, 60.0), (3, 2, 70.0), (3, 0, 10.0)];
        check(&kinds, &list, &[0.0, 50.0, 30.0, 61.0], 39.0);
    }

    #[test]
    fn a_circle_of_halves() {
        // The company and 1 hold half of each other; 2 has the other half of the company, 3 of 1.
        // x2 = 1/2 (1 + x0), x0 = 1/2 x1, x1 = 1/2 (1 + x0): x0 = 1/3, x1 = 2/3.
        let kinds = [COMPANY, COMPANY, PERSON, PERSON];
        let list = [(0, 1, 50.0), (1, 0, 50.0), (2, 0, 50.0), (3, 1, 50.0)];
        check(&kinds, &list, &[100.0 / 3.0, 200.0 / 3.0, 200.0 / 3.0, 100.0 / 3.0], 0.0);
    }

    #[test]
    fn a_company_that_owns_part_of_itself_through_another() {
        // 1 has 80 %; 20 % are with 2, which the company owns: in the end all of it is 1's.
        let list = [(1, 0, 80.0), (2, 0, 20.0), (0, 2, 100.0)];
        check(&[COMPANY, PERSON, COMPANY], &list, &[25.0, 100.0, 25.0], 0.0);
        // The same with shares it holds in itself.
        check(&[COMPANY, PERSON], &[(1, 0, 80.0), (0, 0, 20.0)], &[25.0, 100.0], 0.0);
    }

    #[test]
    fn a_ring_nobody_owns_is_told_and_owns_nothing() {
        // 1 and 2 own each other entirely, and 1 holds 40 % of the company.
        let kinds = [COMPANY, COMPANY, COMPANY, PERSON];
        let list = holdings(&[(1, 0, 40.0), (3, 0, 60.0), (1, 2, 100.0), (2, 1, 100.0)]);
        let found = effective(&kinds, 0, &list);
        assert_eq!(found.closed_rings, [vec![1, 2]]);
        assert_eq!(found.shares, [0.0, 0.0, 0.0, 0.6]);
        assert_eq!(found.undisclosed, 0.0);
    }

    #[test]
    fn what_does_not_lead_to_the_company_has_no_share_in_it() {
        let kinds = [COMPANY, COMPANY, PERSON];
        check(&kinds, &[(0, 1, 100.0), (2, 1, 0.0)], &[0.0, 0.0, 0.0], 100.0);
        assert_eq!(effective(&kinds, 0, &holdings(&[(7, 0, 10.0), (2, 9, 10.0)])).shares, [0.0; 3]);
    }

    /// Up to 200 parties, rings included; of every company at most 95 % is declared, so that the
    /// series of chains converges.
    fn groups() -> impl Strategy<Value = (Vec<bool>, Vec<Holding>)> {
        let parties = prop::collection::vec(prop::bool::weighted(0.6), 1..200);
        parties
            .prop_flat_map(|mut kinds| {
                kinds[0] = COMPANY;
                let count = kinds.len();
                let holding = (0..count, 0..count, 0.0001..1.0f64);
                let list = prop::collection::vec(holding, 0..count * 4);
                (Just(kinds), list)
            })
            .prop_map(|(kinds, list)| {
                let mut list: Vec<Holding> = list
                    .into_iter()
                    .filter(|&(_, owned, _)| kinds[owned])
                    .map(|(owner, owned, fraction)| Holding { owner, owned, fraction })
                    .collect();
                let mut declared = vec![0.0; kinds.len()];
                list.iter().for_each(|holding| declared[holding.owned] += holding.fraction);
                for holding in &mut list {
                    holding.fraction *= 0.95 / declared[holding.owned].max(0.95);
                }
                (kinds, list)
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_solution_is_the_sum_over_all_chains((kinds, list) in groups()) {
            let found = effective(&kinds, 0, &list);
            // W·e, then W·(W·e), and so on, until a step adds nothing.
            let mut step = vec![0.0; kinds.len()];
            let mut sum = vec![0.0; kinds.len()];
            step[0] = 1.0;
            while step.iter().sum::<f64>() > 1e-14 {
                let mut next = vec![0.0; kinds.len()];
                for holding in &list {
                    next[holding.owner] += holding.fraction * step[holding.owned];
                }
                sum.iter_mut().zip(&next).for_each(|(sum, next)| *sum += next);
                step = next;
            }
            for (share, sum) in found.shares.iter().zip(&sum) {
                prop_assert!((share - sum).abs() < 1e-9, "{share} is not {sum}");
            }
            prop_assert!(found.closed_rings.is_empty());
        }

        #[test]
        fn all_of_the_company_belongs_to_somebody((kinds, list) in groups()) {
            let found = effective(&kinds, 0, &list);
            let individuals = found.shares.iter().zip(&kinds).filter(|(_, kind)| !**kind);
            let all = individuals.map(|(share, _)| share).sum::<f64>() + found.undisclosed;
            prop_assert!((all - 1.0).abs() < 1e-9, "{all}");
        }
    }
}
