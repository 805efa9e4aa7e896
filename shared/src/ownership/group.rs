//! Converts a declared structure to places and fractions.
#![expect(
    clippy::indexing_slicing,
    reason = "`Places` only gives out places of parties, and all lists have an entry per party"
)]

use std::cmp::Reverse;
use std::collections::HashMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::effective::Holding;
use crate::model::organization::{Party, PartyKind, Relationship, Structure};
use crate::model::percentage::Percentage;
use crate::model::value::PartyId;

/// Place of the customer in every list of places. The parties follow from place 1.
pub(super) const CUSTOMER: usize = 0;

/// Looks up places by party id.
pub(super) struct Places<'a>(HashMap<&'a PartyId, usize>);

impl<'a> Places<'a> {
    pub(super) fn of(structure: &'a Structure) -> Places<'a> {
        let parties = structure.parties.iter().enumerate();
        Places(parties.map(|(index, party)| (&party.party_id, index + 1)).collect())
    }

    /// Returns the place of the party with this id. The id `self` refers to the customer.
    ///
    /// # Panics
    /// If the structure has no such party.
    #[expect(clippy::expect_used, reason = "a silently ignored owner would falsify the result")]
    pub(super) fn at(&self, id: &PartyId) -> usize {
        if id.is_customer() {
            return CUSTOMER;
        }
        let place = self.0.get(id).copied();
        place.expect("a relationship names parties of its structure, because input is validated")
    }
}

/// A declared structure that uses places instead of party ids and fractions instead of percentages.
pub(super) struct Group<'a> {
    structure: &'a Structure,
    /// For each place: whether it is a company.
    pub(super) is_company: Vec<bool>,
    /// Direct holdings of shares, as fractions. They add up to at most 1 in every company.
    pub(super) holdings: Vec<Holding>,
    /// Direct holdings of votes, as fractions. They add up to at most 1 in every company.
    pub(super) votes: Vec<Holding>,
    /// Control by other means than shares or votes, as pairs of owner and owned.
    pub(super) controls: Vec<(usize, usize)>,
    /// Companies for which more than 100 % of the shares or votes are declared. Validation accepts
    /// up to 100.01 %, because declared percentages are rounded.
    pub(super) over_declared: Vec<usize>,
}

impl<'a> Group<'a> {
    pub(super) fn of(structure: &'a Structure, customer_is_company: bool) -> Group<'a> {
        let places = Places::of(structure);
        let kinds = structure.parties.iter().map(|party| party.kind == PartyKind::Company);
        let is_company: Vec<bool> = std::iter::once(customer_is_company).chain(kinds).collect();
        let (mut holdings, mut votes, mut controls) = (Vec::new(), Vec::new(), Vec::new());
        for relationship in &structure.relationships {
            let (owner, owned) = (places.at(&relationship.owner), places.at(&relationship.owned));
            holdings.extend(holding(owner, owned, relationship.percentage));
            votes.extend(holding(owner, owned, relationship.votes()));
            if relationship.control {
                controls.push((owner, owned));
            }
        }
        let mut over_declared = limit_to_100_percent(&mut holdings, is_company.len());
        over_declared.extend(limit_to_100_percent(&mut votes, is_company.len()));
        over_declared.sort_unstable();
        over_declared.dedup();
        Group { structure, is_company, holdings, votes, controls, over_declared }
    }

    /// Returns the number of places: the parties and the customer.
    pub(super) fn len(&self) -> usize {
        self.is_company.len()
    }

    /// Returns the party at a place, or `None` for the customer.
    pub(super) fn party(&self, place: usize) -> Option<&'a Party> {
        let index = place.checked_sub(1)?;
        Some(&self.structure.parties[index])
    }

    /// Iterates over all parties with their places. The customer is not a party.
    pub(super) fn parties(&self) -> impl Iterator<Item = (usize, &'a Party)> + '_ {
        self.structure.parties.iter().enumerate().map(|(index, party)| (index + 1, party))
    }

    /// Iterates over the parties that are individuals, with their places.
    pub(super) fn individuals(&self) -> impl Iterator<Item = (usize, &'a Party)> + '_ {
        self.parties().filter(|(_, party)| party.kind == PartyKind::Individual)
    }

    /// Returns the id that the structure uses for a place: `self` for the customer.
    pub(super) fn id(&self, place: usize) -> String {
        match self.party(place) {
            Some(party) => party.party_id.as_str().to_owned(),
            None => "self".to_owned(),
        }
    }

    /// Returns the declared relationship of an owner with the customer itself, if there is one.
    pub(super) fn direct(&self, owner: &Party) -> Option<&'a Relationship> {
        let mut relationships = self.structure.relationships.iter();
        relationships.find(|relationship| {
            relationship.owned.is_customer() && relationship.owner == owner.party_id
        })
    }

    /// Finds the rings of companies that hold shares in each other, the largest ring first. A
    /// company that holds shares in itself is a ring of one.
    pub(super) fn rings(&self) -> Vec<Vec<usize>> {
        let mut graph = DiGraph::<(), ()>::new();
        let nodes: Vec<_> = self.is_company.iter().map(|_| graph.add_node(())).collect();
        for holding in &self.holdings {
            graph.add_edge(nodes[holding.owner], nodes[holding.owned], ());
        }
        let mut rings: Vec<Vec<usize>> = kosaraju_scc(&graph)
            .into_iter()
            .filter(|ring| {
                ring.len() > 1 || ring.iter().any(|&node| graph.contains_edge(node, node))
            })
            .map(|ring| ring.into_iter().map(|node| node.index()).collect())
            .collect();
        for ring in &mut rings {
            ring.sort_unstable();
        }
        rings.sort_by_key(|ring| (Reverse(ring.len()), ring.first().copied()));
        rings
    }

    /// Returns whether the customer holds shares or votes in the party at a place, or controls the
    /// party by other means. Indirect holdings do not count.
    pub(super) fn is_held_by_customer(&self, place: usize) -> bool {
        self.links().any(|link| link == (CUSTOMER, place))
    }

    /// Returns, for each place, whether shares, votes or control lead from it to the customer.
    pub(super) fn upstream_of_customer(&self) -> Vec<bool> {
        let mut owners: Vec<Vec<usize>> = vec![Vec::new(); self.len()];
        for (owner, owned) in self.links() {
            owners[owned].push(owner);
        }
        let mut is_upstream = vec![false; self.len()];
        let mut open = vec![CUSTOMER];
        while let Some(place) = open.pop() {
            for &owner in &owners[place] {
                if !is_upstream[owner] {
                    is_upstream[owner] = true;
                    open.push(owner);
                }
            }
        }
        is_upstream
    }

    /// Iterates over all holdings of shares and votes and all control by other means, as pairs of
    /// owner and owned.
    fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let held = self.holdings.iter().chain(&self.votes).map(|held| (held.owner, held.owned));
        held.chain(self.controls.iter().copied())
    }
}

/// Creates a holding. Returns `None` if the percentage is absent or zero.
fn holding(owner: usize, owned: usize, percentage: Option<Percentage>) -> Option<Holding> {
    let percentage = percentage.filter(|percentage| percentage.units() > 0)?;
    Some(Holding { owner, owned, fraction: percentage.fraction() })
}

/// Scales the holdings in each company down to a total of 100 % if they add up to more. Returns the
/// companies whose declared total is above 100 % by more than a rounding error.
fn limit_to_100_percent(holdings: &mut [Holding], places: usize) -> Vec<usize> {
    let mut sums = vec![0.0; places];
    for holding in holdings.iter() {
        sums[holding.owned] += holding.fraction;
    }
    for holding in holdings.iter_mut() {
        let sum = sums[holding.owned];
        if sum > 1.0 {
            holding.fraction /= sum;
        }
    }
    // An excess below half of the smallest unit (0.0001 %) was not declared: it is a rounding error
    // of adding doubles.
    let is_over = |sum: f64| sum > 1.0 + 5e-7;
    (0..places).filter(|&company| is_over(sums[company])).collect()
}
