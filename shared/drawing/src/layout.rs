//! Rows of boxes and the ways of the lines between them, by `dagre`.
#![allow(clippy::indexing_slicing, reason = "the edges name boxes there are")]

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, Ranker};

use super::levels::levels;
use super::routes::{Bends, routes};

#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A holding to lay out: its ends are indices of boxes.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) owner: usize,
    pub(super) owned: usize,
    pub(super) label: Size,
    pub(super) is_control_only: bool,
}

pub(super) struct Line {
    /// From the owner to the owned. Empty for what a party holds in itself.
    pub(super) points: Vec<Point>,
    /// The middle of the label.
    pub(super) label: Point,
}

/// Points have no common zero yet, and may be negative.
pub(super) struct Layout {
    /// The middle of every box.
    pub(super) boxes: Vec<Point>,
    pub(super) lines: Vec<Line>,
}

/// The most lines between one row and the next, and between all: the time of a layout grows with the
/// square of both. At the limit it is a second of a whole core, and the drawing is as wide as a street.
const MOST_PASSING: usize = 600;
const MOST_PASSING_IN_ALL: usize = 2_000;

pub(super) fn layout(
    boxes: &[Size],
    links: &[Link],
    customer: Option<usize>,
) -> Result<Layout, String> {
    let ends: Vec<_> = links.iter().map(|link| (link.owner, link.owned)).collect();
    let levels = levels(boxes.len(), &ends, customer);
    let most = levels.passing.iter().max().copied().unwrap_or(0);
    if most > MOST_PASSING || levels.passing.iter().sum::<usize>() > MOST_PASSING_IN_ALL {
        return Err("the structure has too many holdings between its layers".to_owned());
    }

    let options = GraphOptions { directed: true, multigraph: true, compound: false };
    let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(options);
    for (at, &Size { width, height }) in boxes.iter().enumerate() {
        graph.set_node(at.to_string(), Some(NodeLabel { width, height, ..Default::default() }));
    }
    let name = |at: usize| {
        let Link { owner, owned, .. } = links[at];
        let (above, below) = if levels.rises[at] { (owned, owner) } else { (owner, owned) };
        (above.to_string(), below.to_string(), at.to_string())
    };
    for (at, link) in links.iter().enumerate() {
        let (above, below, key) = name(at);
        let Size { width, height } = link.label;
        let label = EdgeLabel { width, height, labelpos: LabelPos::Center, ..Default::default() };
        graph.set_edge(above, below, Some(label), Some(&key));
    }
    // How far apart rows stand is decided with the lines. The other rankers search, and nothing bounds their search.
    let ranker = Ranker::LongestPath;
    let options =
        LayoutOptions { nodesep: 22.0, edgesep: 14.0, ranksep: 40.0, ranker, ..Default::default() };
    dagre::layout(&mut graph, Some(options));

    let unplaced = || "a party or a holding found no place".to_owned();
    let at = |x: Option<f64>, y: Option<f64>| Some(Point { x: x?, y: y? });
    let centres: Option<Vec<Point>> = (0..boxes.len())
        .map(|party| graph.node(&party.to_string()).and_then(|node| at(node.x, node.y)))
        .collect();
    let centres = centres.ok_or_else(unplaced)?;
    let mut bends = Vec::with_capacity(links.len());
    for (index, link) in links.iter().enumerate() {
        let (above, below, key) = name(index);
        let found = graph.edge(&above, &below, Some(&key)).ok_or_else(unplaced)?;
        // Its first and last points are where it meets the boxes, which is decided here.
        let inner = found.points.len().saturating_sub(2);
        let inner = found.points.iter().skip(1).take(inner);
        let mut points: Vec<Point> = inner.map(|point| Point { x: point.x, y: point.y }).collect();
        let rises = levels.rises[index];
        if rises {
            points.reverse();
        }
        // An edge without a label is given no place for one.
        let label = at(found.x, found.y).or(points.first().copied()).ok_or_else(unplaced)?;
        bends.push(Bends { link: *link, rises, points, label });
    }
    Ok(routes(boxes, &centres, bends))
}
