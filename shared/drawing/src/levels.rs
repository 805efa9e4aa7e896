//! Which way up the structure stands: owners above, owned below, the customer lowest.
#![allow(clippy::indexing_slicing, reason = "the edges name boxes there are")]

use std::collections::HashSet;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{DfsEvent, Reversed, depth_first_search};

pub(super) struct Levels {
    /// By edge: whether it is drawn upwards, because it closes a circle.
    pub(super) rises: Vec<bool>,
    /// By row, from the lowest: the edges between it and the next, and within.
    pub(super) passing: Vec<usize>,
}

/// `edges` are pairs of owner and owned.
pub(super) fn levels(boxes: usize, edges: &[(usize, usize)], customer: Option<usize>) -> Levels {
    let mut graph = DiGraph::<(), ()>::with_capacity(boxes, edges.len());
    (0..boxes).for_each(|_| _ = graph.add_node(()));
    for &(owner, owned) in edges.iter().filter(|(owner, owned)| owner != owned) {
        graph.add_edge(NodeIndex::new(owner), NodeIndex::new(owned), ());
    }
    // From the customer up: what leads back to where the search came from closes a circle.
    let mut closing = HashSet::new();
    let mut owners_first = Vec::with_capacity(boxes);
    let starts = customer.into_iter().chain(0..boxes).map(NodeIndex::new);
    depth_first_search(Reversed(&graph), starts, |event| match event {
        DfsEvent::BackEdge(owned, owner) => _ = closing.insert((owner.index(), owned.index())),
        DfsEvent::Finish(party, _) => owners_first.push(party.index()),
        _ => (),
    });

    let rises: Vec<bool> = edges.iter().map(|edge| closing.contains(edge)).collect();
    let mut below = vec![Vec::new(); boxes];
    for (&(owner, owned), rises) in edges.iter().zip(&rises).filter(|((a, b), _)| a != b) {
        let (upper, lower) = if *rises { (owned, owner) } else { (owner, owned) };
        below[upper].push(lower);
    }
    // As the layout will have it: each right above the highest that it stands above.
    let mut row = vec![0_usize; boxes];
    for &party in owners_first.iter().rev() {
        row[party] = below[party].iter().map(|&lower| row[lower] + 1).max().unwrap_or(0);
    }
    let mut passing = vec![0; boxes];
    for &(owner, owned) in edges {
        let (low, high) = (row[owner].min(row[owned]), row[owner].max(row[owned]));
        passing[low..high.max(low + 1)].iter_mut().for_each(|edges| *edges += 1);
    }
    Levels { rises, passing }
}
