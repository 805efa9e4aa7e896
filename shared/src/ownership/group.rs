//! A declared structure as numbers: parties by index, the customer as number 0.

use std::collections::HashMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::Holding;
use crate::model::organization::{Party, PartyKind, Relationship, Structure};
use crate::model::percentage::Percentage;
use crate::model::value::PartyId;

/// The customer's place.
pub(super) const CUSTOMER: usize = 0;

pub(super) struct Group<'a> {
    structure: &'a Structure,
    pub(super) is_company: Vec<bool>,
    /// What is held of the shares, and of the votes.
    pub(super) holdings: Vec<Holding>,
    pub(super) votes: Vec<Holding>,
    /// Who controls whom by other means.
    pub(super) controls: Vec<(usize, usize)>,
    /// Companies of which more than all is declared, within what rounding may add.
    pub(super) over_declared: Vec<usize>,
}

impl<'a> Group<'a> {
    pub(super) fn of(structure: &'a Structure, is_company: bool) -> Group<'a> {
        let parties = structure.parties.iter();
        let index: HashMap<&PartyId, usize> =
            parties.clone().enumerate().map(|(i, party)| (&party.party_id, i + 1)).collect();
        let place = |id: &PartyId| match id.is_customer() {
            true => Some(CUSTOMER),
            false => index.get(id).copied(),
        };
        let kinds = parties.map(|party| party.kind == PartyKind::Company);
        let mut group = Group {
            structure,
            is_company: std::iter::once(is_company).chain(kinds).collect(),
            holdings: Vec::new(),
            votes: Vec::new(),
            controls: Vec::new(),
            over_declared: Vec::new(),
        };
        for relationship in &structure.relationships {
            let ends = place(&relationship.owner).zip(place(&relationship.owned));
            let Some((owner, owned)) = ends else { continue };
            let holding = |held: Option<Percentage>| {
                let held = held.filter(|held| held.units() > 0)?;
                Some(Holding { owner, owned, fraction: held.fraction() })
            };
            group.holdings.extend(holding(relationship.percentage));
            group.votes.extend(holding(relationship.votes()));
            if relationship.control {
                group.controls.push((owner, owned));
            }
        }
        let over = at_most_all(&mut group.holdings, group.is_company.len());
        let over_votes = at_most_all(&mut group.votes, group.is_company.len());
        group.over_declared.extend(over);
        group.over_declared.extend(over_votes);
        group.over_declared.sort_unstable();
        group.over_declared.dedup();
        group
    }

    /// How many there are, the customer among them.
    pub(super) fn len(&self) -> usize {
        self.is_company.len()
    }

    /// `None` is the customer.
    pub(super) fn party(&self, place: usize) -> Option<&'a Party> {
        self.structure.parties.get(place.checked_sub(1)?)
    }

    pub(super) fn is_individual(&self, place: usize) -> bool {
        self.is_company.get(place) == Some(&false)
    }

    /// As the structure calls it.
    pub(super) fn id(&self, place: usize) -> String {
        self.party(place)
            .map_or_else(|| "self".to_owned(), |party| party.party_id.as_str().to_owned())
    }

    pub(super) fn individuals(&self) -> impl Iterator<Item = (usize, &'a Party)> + '_ {
        let parties = self.structure.parties.iter().enumerate().map(|(i, party)| (i + 1, party));
        parties.filter(|(_, party)| party.kind == PartyKind::Individual)
    }

    /// The relationship of an owner with the customer itself.
    pub(super) fn direct(&self, owner: &Party) -> Option<&'a Relationship> {
        let relationships = self.structure.relationships.iter();
        let mut direct = relationships.filter(|relationship| relationship.owned.is_customer());
        direct.find(|relationship| relationship.owner == owner.party_id)
    }

    /// Rings of companies that hold each other, the largest first; a company that holds itself is one.
    pub(super) fn rings(&self) -> Vec<Vec<usize>> {
        let mut graph = DiGraph::<(), ()>::new();
        let nodes: Vec<_> = self.is_company.iter().map(|_| graph.add_node(())).collect();
        let node = |place: usize| nodes.get(place).copied();
        for holding in &self.holdings {
            if let Some((owner, owned)) = node(holding.owner).zip(node(holding.owned)) {
                graph.add_edge(owner, owned, ());
            }
        }
        let mut rings: Vec<Vec<usize>> = kosaraju_scc(&graph)
            .into_iter()
            .filter(|ring| ring.len() > 1 || ring.iter().any(|&one| graph.contains_edge(one, one)))
            .map(|ring| ring.into_iter().map(|one| one.index()).collect())
            .collect();
        rings.iter_mut().for_each(|ring| ring.sort_unstable());
        rings.sort_by_key(|ring| (std::cmp::Reverse(ring.len()), ring.first().copied()));
        rings
    }

    /// Whether the customer itself holds or controls it.
    pub(super) fn is_held_by_customer(&self, place: usize) -> bool {
        let held = self.holdings.iter().chain(&self.votes).map(|held| (held.owner, held.owned));
        let mut held = held.chain(self.controls.iter().copied());
        held.any(|held| held == (CUSTOMER, place))
    }

    /// Everyone from whom shares, votes or control lead to the customer.
    pub(super) fn behind_customer(&self) -> Vec<bool> {
        let mut owners: Vec<Vec<usize>> = vec![Vec::new(); self.len()];
        let held = self.holdings.iter().chain(&self.votes).map(|held| (held.owner, held.owned));
        for (owner, owned) in held.chain(self.controls.iter().copied()) {
            if let Some(owners) = owners.get_mut(owned) {
                owners.push(owner);
            }
        }
        let mut behind = vec![false; self.len()];
        let mut open = vec![CUSTOMER];
        while let Some(place) = open.pop() {
            for &owner in owners.get(place).into_iter().flatten() {
                if let Some(seen) = behind.get_mut(owner).filter(|seen| !**seen) {
                    *seen = true;
                    open.push(owner);
                }
            }
        }
        behind
    }
}

/// Scales what is declared of a company down to all of it, and tells where that was needed.
fn at_most_all(holdings: &mut [Holding], parties: usize) -> Vec<usize> {
    let mut sums = vec![0.0; parties];
    for holding in holdings.iter() {
        if let Some(sum) = sums.get_mut(holding.owned) {
            *sum += holding.fraction;
        }
    }
    // Less than half of the smallest unit is not what was declared but how a double holds it.
    let over = |sum: &&f64| **sum > 1.0 + 5e-7;
    for holding in holdings.iter_mut() {
        if let Some(sum) = sums.get(holding.owned).filter(|sum| **sum > 1.0) {
            holding.fraction /= sum;
        }
    }
    sums.iter().enumerate().filter(|(_, sum)| over(sum)).map(|(company, _)| company).collect()
}
