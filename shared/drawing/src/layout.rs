//! Places boxes in rows and determines where lines pass between the boxes, with the layered layout
//! of `dagre`.
#![expect(clippy::indexing_slicing, reason = "links refer to boxes by valid indices")]

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, Ranker};

use crate::geometry::{Layout, Link, Point, Size};
use crate::levels::{Levels, levels};
use crate::routes::{Bends, routes};

/// Maximum number of lines that pass between one row and the next.
///
/// The time of a layout grows with the square of this limit and of `MAX_LINES_IN_ALL_GAPS`. At
/// these limits a layout takes one second of CPU time, and the drawing is several metres wide.
const MAX_LINES_PER_GAP: usize = 600;
/// Maximum number of lines between rows, summed over all gaps.
const MAX_LINES_IN_ALL_GAPS: usize = 2_000;

/// Error text for a layout without a position for a box or a link.
pub(crate) const NOT_PLACED: &str =
    "a party or holding could not be placed; request text/vnd.mermaid or application/json instead";

/// Lays out boxes and the links between them.
///
/// # Errors
/// Returns an error text for the API caller if the structure has too many lines, or if `dagre` does
/// not place a box or a link.
pub(crate) fn layout(
    boxes: &[Size],
    links: &[Link],
    customer: Option<usize>,
) -> Result<Layout, String> {
    let ends: Vec<(usize, usize)> = links.iter().map(|link| (link.owner, link.owned)).collect();
    let Levels { is_upward, edges_above } = levels(boxes.len(), &ends, customer);
    let most = edges_above.iter().max().copied().unwrap_or(0);
    if most > MAX_LINES_PER_GAP || edges_above.iter().sum::<usize>() > MAX_LINES_IN_ALL_GAPS {
        let reason = "the structure has too many holdings between its layers; request \
                      text/vnd.mermaid or application/json instead";
        return Err(reason.to_owned());
    }

    let graph_options = GraphOptions { directed: true, multigraph: true, compound: false };
    let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(graph_options);
    for (party, &Size { width, height }) in boxes.iter().enumerate() {
        graph.set_node(party.to_string(), Some(NodeLabel { width, height, ..Default::default() }));
    }
    for (index, link) in links.iter().enumerate() {
        let EdgeId { above, below, key } = EdgeId::new(index, link, is_upward[index]);
        let Size { width, height } = link.label;
        let label = EdgeLabel { width, height, labelpos: LabelPos::Center, ..Default::default() };
        graph.set_edge(above, below, Some(label), Some(&key));
    }
    // `ranksep` is provisional, because `routes` later sets the distance between rows. The ranker
    // is `LongestPath`, because the loops of the other rankers do not limit their iterations.
    let ranker = Ranker::LongestPath;
    let layout_options =
        LayoutOptions { nodesep: 22.0, edgesep: 14.0, ranksep: 40.0, ranker, ..Default::default() };
    dagre::layout(&mut graph, Some(layout_options));

    let centres: Vec<Point> = (0..boxes.len())
        .map(|party| graph.node(&party.to_string()).and_then(|node| point(node.x, node.y)))
        .collect::<Option<_>>()
        .ok_or(NOT_PLACED)?;
    let mut bends = Vec::with_capacity(links.len());
    for (index, link) in links.iter().enumerate() {
        let id = EdgeId::new(index, link, is_upward[index]);
        let edge = graph.edge(&id.above, &id.below, Some(&id.key)).ok_or(NOT_PLACED)?;
        bends.push(bends_of(link, edge, is_upward[index]).ok_or(NOT_PLACED)?);
    }
    Ok(routes(boxes, &centres, bends))
}

/// Identifies the edge of a link in the graph of `dagre`.
struct EdgeId {
    above: String,
    below: String,
    /// Index of the link, which distinguishes parallel edges.
    key: String,
}

impl EdgeId {
    fn new(index: usize, link: &Link, is_upward: bool) -> EdgeId {
        let Link { owner, owned, .. } = *link;
        let (above, below) = if is_upward { (owned, owner) } else { (owner, owned) };
        EdgeId { above: above.to_string(), below: below.to_string(), key: index.to_string() }
    }
}

/// Reads the path of a link from the layout. Returns `None` if the layout has no points between the
/// ends of the link.
fn bends_of(link: &Link, edge: &EdgeLabel, is_upward: bool) -> Option<Bends> {
    // The line meets the boxes at its first and last points. `routes` replaces these two points.
    let inner_count = edge.points.len().saturating_sub(2);
    let inner = edge.points.iter().skip(1).take(inner_count);
    let mut points: Vec<Point> = inner.map(|point| Point { x: point.x, y: point.y }).collect();
    if is_upward {
        points.reverse();
    }
    // `dagre` gives an edge with an empty label no position for the label.
    let first = points.first().copied()?;
    let label = point(edge.x, edge.y).unwrap_or(first);
    Some(Bends { link: *link, is_upward, points, label })
}

fn point(x: Option<f64>, y: Option<f64>) -> Option<Point> {
    Some(Point { x: x?, y: y? })
}
