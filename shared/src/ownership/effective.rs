//! Effective ownership: the share of one company that belongs to each party, through any number of
//! layers and through circular holdings.
//!
//! Let `W[i][k]` be the fraction of company `k` that party `i` holds directly, and `e` the unit
//! vector of the company `t`. The effective share of `i` in `t` is the sum over all chains of
//! holdings that lead from `i` to `t`: `x = W·e + W²·e + W³·e + …`. Rings of companies make this
//! series infinite. Its sum is the solution of the linear system `x = W·e + W·x`, and this module
//! solves that system.
//!
//! Source: Brioschi, Buzzacchi, Colombo: "Risk capital financing and the separation of ownership
//! and control in business groups", Journal of Banking & Finance 13 (1989), 747-772. The paper
//! calls effective ownership "integrated ownership".
#![allow(
    clippy::indexing_slicing,
    reason = "`HoldingGraph::new` leaves out holdings of parties that do not exist"
)]

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

/// A direct holding of a party in a company. Party and company are given by their index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    /// Index of the party that holds.
    pub owner: usize,
    /// Index of the company that is held.
    pub owned: usize,
    /// Fraction of the company that is held, 0 to 1.
    pub fraction: f64,
}

/// Result of [`effective`]: the effective ownership of one company.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// Effective share of every party, 0 to 1.
    ///
    /// The shares of all parties can add up to more than 1, because a company in the middle of a
    /// chain is counted in addition to its owners. The shares of the individuals and the
    /// undisclosed share add up to 1, unless a closed ring holds a share.
    pub shares: Vec<f64>,
    /// Share that no declared owner accounts for, 0 to 1. It includes undisclosed owners of the
    /// company itself and of companies that hold shares in it.
    pub undisclosed: f64,
    /// Rings of companies that own each other entirely. Their holdings are not attributed to any
    /// owner.
    pub closed_rings: Vec<Vec<usize>>,
}

/// A ring is closed if owners outside of the ring hold less than this fraction of it. The smallest
/// declared holding, a percentage with 4 decimals, is a million times larger.
const CLOSED: f64 = 1e-12;

/// Computes the effective shares in `company`.
///
/// `is_company` has an entry for every party. Holdings of parties without an entry are left out.
/// Several holdings of one owner in one company add up.
pub fn effective(is_company: &[bool], company: usize, holdings: &[Holding]) -> Effective {
    let graph = HoldingGraph::new(is_company.len(), holdings);
    let mut shares = vec![0.0; is_company.len()];
    let mut closed_rings = Vec::new();
    // The share of a party follows from the shares of the companies that it owns. `kosaraju_scc`
    // lists a company before its owners.
    for component in kosaraju_scc(&graph.graph) {
        let mut ring: Vec<usize> = component.into_iter().map(|party| party.index()).collect();
        ring.sort_unstable();
        match graph.shares_of(&ring, company, &shares) {
            Some(solution) => {
                for (&party, share) in ring.iter().zip(solution) {
                    shares[party] = share;
                }
            }
            None => closed_rings.push(ring),
        }
    }
    let undisclosed = (0..is_company.len()).filter(|&party| is_company[party]).map(|party| {
        let share = if party == company { shares[party] + 1.0 } else { shares[party] };
        (1.0 - graph.disclosed[party]).max(0.0) * share
    });
    Effective { undisclosed: undisclosed.sum(), shares, closed_rings }
}

struct HoldingGraph {
    graph: DiGraph<(), ()>,
    /// By owner: the companies that it holds, each once, with the total fraction.
    holds: Vec<Vec<(usize, f64)>>,
    /// By company: the fraction that has a declared owner.
    disclosed: Vec<f64>,
}

impl HoldingGraph {
    fn new(parties: usize, holdings: &[Holding]) -> HoldingGraph {
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
                debug_assert!(fraction <= 1.0 + CLOSED);
                graph.add_edge(nodes[owner], nodes[owned], ());
            }
        }
        HoldingGraph { graph, holds, disclosed }
    }

    /// Computes the effective shares of the members of a ring. `shares` must already contain the
    /// effective shares of the companies outside of the ring that members own. A party that is in
    /// no ring is passed as a ring of one. Returns `None` if the ring is closed.
    fn shares_of(&self, ring: &[usize], company: usize, shares: &[f64]) -> Option<Vec<f64>> {
        // The system is (I - W) x = b. W contains the holdings within the ring. The vector b
        // contains the direct holdings in `company`, and the shares through companies outside of
        // the ring.
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

/// A system of linear equations.
struct System {
    /// Number of equations and unknowns.
    size: usize,
    /// Coefficients, row by row.
    matrix: Vec<f64>,
    /// Right-hand sides.
    right: Vec<f64>,
}

impl System {
    /// Solves the system by Gaussian elimination. Returns `None` if a pivot is zero, up to
    /// `CLOSED`.
    ///
    /// Pivoting is not needed: at most 100 % of a company is held, so the diagonal of `I - W`
    /// dominates every column. Pivots therefore do not grow, and only a closed ring has a pivot of
    /// zero.
    fn solve(mut self) -> Option<Vec<f64>> {
        let size = self.size;
        for pivot in 0..size {
            let (above, below) = self.matrix.split_at_mut((pivot + 1) * size);
            let pivot_row = &above[pivot * size..];
            if pivot_row[pivot] < CLOSED {
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
            let solved = entries.iter().zip(&self.right).skip(row + 1);
            let sum: f64 = solved.map(|(entry, value)| entry * value).sum();
            self.right[row] = (self.right[row] - sum) / entries[row];
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

    /// Checks the effective shares in party 0 and the undisclosed share, all in percent.
    fn check(kinds: &[bool], list: &[(usize, usize, f64)], expected: &[f64], undisclosed: f64) {
        let result = effective(kinds, 0, &holdings(list));
        for (party, expected) in expected.iter().enumerate() {
            let share = 100.0 * result.shares[party];
            assert!((share - expected).abs() < 1e-9, "party {party}: {share} is not {expected}");
        }
        assert!((100.0 * result.undisclosed - undisclosed).abs() < 1e-9, "{result:?}");
        assert!(result.closed_rings.is_empty());
    }

    #[test]
    fn direct_holdings_are_the_shares() {
        check(&[COMPANY, PERSON, PERSON], &[(1, 0, 60.0), (2, 0, 25.5)], &[0.0, 60.0, 25.5], 14.5);
        check(&[COMPANY], &[], &[0.0], 100.0);
    }

    #[test]
    fn two_layers_multiply() {
        // Party 2 holds half of party 1, which holds 80 % of the company.
        let kinds = [COMPANY, COMPANY, PERSON, PERSON];
        check(&kinds, &[(1, 0, 80.0), (2, 1, 50.0), (3, 0, 20.0)], &[0.0, 80.0, 40.0, 20.0], 40.0);
    }

    #[test]
    fn a_diamond_adds_up_its_chains() {
        // Party 3 holds the company through 1 and through 2, and holds some of it directly.
        let kinds = [COMPANY, COMPANY, COMPANY, PERSON];
        let list = [(1, 0, 50.0), (2, 0, 30.0), (3, 1, 60.0), (3, 2, 70.0), (3, 0, 10.0)];
        check(&kinds, &list, &[0.0, 50.0, 30.0, 61.0], 39.0);
    }

    #[test]
    fn a_circle_of_halves_is_solved() {
        // The company and party 1 hold half of each other. Party 2 has the other half of the
        // company, and party 3 has the other half of party 1.
        let kinds = [COMPANY, COMPANY, PERSON, PERSON];
        let list = [(0, 1, 50.0), (1, 0, 50.0), (2, 0, 50.0), (3, 1, 50.0)];
        check(&kinds, &list, &[100.0 / 3.0, 200.0 / 3.0, 200.0 / 3.0, 100.0 / 3.0], 0.0);
    }

    #[test]
    fn a_company_that_owns_part_of_itself_through_another() {
        // Party 1 has 80 %. Party 2 has 20 %, and the company owns party 2. In the end, the whole
        // company belongs to party 1.
        let list = [(1, 0, 80.0), (2, 0, 20.0), (0, 2, 100.0)];
        check(&[COMPANY, PERSON, COMPANY], &list, &[25.0, 100.0, 25.0], 0.0);
        // The same result, with shares that the company holds in itself.
        check(&[COMPANY, PERSON], &[(1, 0, 80.0), (0, 0, 20.0)], &[25.0, 100.0], 0.0);
    }

    #[test]
    fn a_closed_ring_is_reported_and_owns_nothing() {
        // Parties 1 and 2 own each other entirely, and party 1 holds 40 % of the company.
        let kinds = [COMPANY, COMPANY, COMPANY, PERSON];
        let list = holdings(&[(1, 0, 40.0), (3, 0, 60.0), (1, 2, 100.0), (2, 1, 100.0)]);
        let result = effective(&kinds, 0, &list);
        assert_eq!(result.closed_rings, [vec![1, 2]]);
        assert_eq!(result.shares, [0.0, 0.0, 0.0, 0.6]);
        assert_eq!(result.undisclosed, 0.0);
    }

    #[test]
    fn holdings_that_do_not_lead_to_the_company_give_no_share() {
        let kinds = [COMPANY, COMPANY, PERSON];
        check(&kinds, &[(0, 1, 100.0), (2, 1, 0.0)], &[0.0, 0.0, 0.0], 100.0);
        assert_eq!(effective(&kinds, 0, &holdings(&[(7, 0, 10.0), (2, 9, 10.0)])).shares, [0.0; 3]);
    }

    /// Generates groups of 1 to 199 parties, with rings. At most 95 % of every company is declared,
    /// so the series of chains converges.
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
                for holding in &list {
                    declared[holding.owned] += holding.fraction;
                }
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
            let result = effective(&kinds, 0, &list);
            // Adds W·e, W·(W·e) and so on, until a step adds almost nothing.
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
            for (share, sum) in result.shares.iter().zip(&sum) {
                prop_assert!((share - sum).abs() < 1e-9, "{share} is not {sum}");
            }
            prop_assert!(result.closed_rings.is_empty());
        }

        #[test]
        fn individuals_and_the_undisclosed_share_add_up_to_one((kinds, list) in groups()) {
            let result = effective(&kinds, 0, &list);
            let individuals = result.shares.iter().zip(&kinds).filter(|(_, kind)| !**kind);
            let sum = individuals.map(|(share, _)| share).sum::<f64>() + result.undisclosed;
            prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
    }
}
