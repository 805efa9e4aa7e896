//! Decides which holdings are drawn downwards and which upwards, and counts the lines between rows.
//! Owners are above the companies that they own. Only a holding that closes a cycle points upwards.
#![expect(clippy::indexing_slicing, reason = "edges refer to boxes by valid indices")]

use std::collections::HashSet;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{DfsEvent, Reversed, depth_first_search};

/// Directions of all edges, and the number of edges in each gap between two rows.
pub(crate) struct Levels {
    /// For each edge: whether it is drawn upwards, because it closes a cycle.
    pub(crate) is_upward: Vec<bool>,
    /// For each row, from the lowest: the number of edges that pass the gap above it. An edge from
    /// a box to itself counts for the gap above its row.
    pub(crate) edges_above: Vec<usize>,
}

/// Determines the direction of every edge and the number of edges in every gap. `edges` are pairs
/// of owner and owned.
pub(crate) fn levels(boxes: usize, edges: &[(usize, usize)], customer: Option<usize>) -> Levels {
    let mut graph = DiGraph::<(), ()>::with_capacity(boxes, edges.len());
    for _ in 0..boxes {
        graph.add_node(());
    }
    for &(owner, owned) in edges.iter().filter(|(owner, owned)| owner != owned) {
        graph.add_edge(NodeIndex::new(owner), NodeIndex::new(owned), ());
    }
    // The search starts at the customer, and then at each box that it has not visited. It follows
    // holdings up to their owners. An edge that leads back to a party on the current search path
    // closes a cycle.
    let mut closing_edges = HashSet::new();
    let mut owners_first = Vec::with_capacity(boxes);
    let starts = customer.into_iter().chain(0..boxes).map(NodeIndex::new);
    depth_first_search(Reversed(&graph), starts, |event| match event {
        DfsEvent::BackEdge(owned, owner) => {
            closing_edges.insert((owner.index(), owned.index()));
        }
        DfsEvent::Finish(party, _) => owners_first.push(party.index()),
        _ => (),
    });

    let is_upward: Vec<bool> = edges.iter().map(|edge| closing_edges.contains(edge)).collect();
    let mut boxes_below = vec![Vec::new(); boxes];
    for (&(owner, owned), is_upward) in edges.iter().zip(&is_upward) {
        if owner != owned {
            let (upper, lower) = if *is_upward { (owned, owner) } else { (owner, owned) };
            boxes_below[upper].push(lower);
        }
    }
    // This loop assigns rows as the ranker of the layout (`LongestPath`) does: a box is one row
    // above the highest box below it.
    let mut row = vec![0_usize; boxes];
    for &party in owners_first.iter().rev() {
        row[party] = boxes_below[party].iter().map(|&lower| row[lower] + 1).max().unwrap_or(0);
    }
    let mut edges_above = vec![0; boxes];
    for &(owner, owned) in edges {
        let (low, high) = (row[owner].min(row[owned]), row[owner].max(row[owned]));
        for edges in &mut edges_above[low..high.max(low + 1)] {
            *edges += 1;
        }
    }
    Levels { is_upward, edges_above }
}
