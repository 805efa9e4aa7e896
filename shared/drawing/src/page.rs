//! Lays out the page: collects everything that a drawing shows, with its position.
#![expect(clippy::indexing_slicing, reason = "`Drawing::valid_edges` refer to nodes that exist")]

use std::collections::HashMap;

use crate::card::Card;
use crate::geometry::{Line, Link, Point, Size};
use crate::legend;
use crate::model::Drawing;
use crate::text::{clean, width, wrap};
use crate::towers::{Trunk, plan};

/// Space around the content of the page.
pub(crate) const MARGIN: f64 = 32.0;
pub(crate) const TITLE_SIZE: f64 = 20.0;
pub(crate) const TITLE_LINE: f64 = 28.0;
pub(crate) const LABEL_SIZE: f64 = 12.0;
const MAX_TITLE_LINES: usize = 2;
const MAX_LABEL_WIDTH: f64 = 170.0;
/// Minimum width of the content, in pixels.
const MIN_WIDTH: f64 = 640.0;
/// Vertical distance between the parts of the page.
const GAP: f64 = 30.0;

/// The content of a page, with positions in pixels.
pub(crate) struct Page {
    pub(crate) size: Size,
    pub(crate) title: String,
    pub(crate) title_lines: Vec<String>,
    pub(crate) boxes: Vec<PlacedCard>,
    pub(crate) lines: Vec<LabelledLine>,
    /// For each tower, the corners of its trunk, and whether the trunk shows control without
    /// shares.
    pub(crate) trunks: Vec<(Vec<Point>, bool)>,
    /// Baseline of the heading above the parties without holdings. `None` if there are no such
    /// parties.
    pub(crate) unconnected_heading: Option<f64>,
    /// Vertical position of the top of the legend.
    pub(crate) legend: f64,
}

pub(crate) struct PlacedCard {
    pub(crate) card: Card,
    pub(crate) centre: Point,
}

pub(crate) struct LabelledLine {
    pub(crate) line: Line,
    pub(crate) text: String,
    /// Size of the label.
    pub(crate) size: Size,
    pub(crate) is_control_only: bool,
    /// Middle of the right side of the box, if the party holds itself. `None` for other lines.
    pub(crate) loop_start: Option<Point>,
}

impl Page {
    /// Lays out a drawing. All positions are relative to the top left corner of the page.
    ///
    /// # Errors
    /// Returns an error text for the API caller if the structure is too large or cannot be placed.
    pub(crate) fn new(drawing: &Drawing) -> Result<Page, String> {
        let edges = drawing.valid_edges();
        let mut is_connected: Vec<bool> =
            drawing.nodes.iter().map(|node| node.is_customer).collect();
        for edge in &edges {
            is_connected[edge.owner] = true;
            is_connected[edge.owned] = true;
        }
        // Parties without holdings are placed below the others, because they would only widen the
        // rows.
        let (connected, unconnected): (Vec<usize>, Vec<usize>) =
            (0..drawing.nodes.len()).partition(|&party| is_connected[party]);
        let card = |&party: &usize| Card::new(&drawing.nodes[party]);
        let (cards, unconnected): (Vec<Card>, Vec<Card>) =
            (connected.iter().map(card).collect(), unconnected.iter().map(card).collect());

        let place: HashMap<usize, usize> =
            connected.into_iter().enumerate().map(|(place, party)| (party, place)).collect();
        let labels: Vec<(String, Size)> = edges.iter().map(|edge| label(&edge.label)).collect();
        let links: Vec<Link> = edges
            .iter()
            .zip(&labels)
            .map(|(edge, (_, label))| Link {
                owner: place[&edge.owner],
                owned: place[&edge.owned],
                label: *label,
                is_control_only: edge.is_control_only,
            })
            .collect();
        let customer = drawing.nodes.iter().position(|node| node.is_customer);
        let sizes: Vec<Size> = cards.iter().map(|card| card.size).collect();
        let mut plan = plan(&sizes, &links, customer.map(|party| place[&party]))?;
        let plan_size = plan.size;

        let content_width = plan_size.width.max(MIN_WIDTH);
        let title = clean(&drawing.title);
        let title_lines = wrap(&title, TITLE_SIZE, content_width, MAX_TITLE_LINES);
        let left = MARGIN + (content_width - plan_size.width) / 2.0;
        let top = MARGIN + TITLE_LINE * title_lines.len() as f64 + 14.0;
        plan.shift(left, top);

        let mut boxes: Vec<PlacedCard> = cards
            .into_iter()
            .zip(plan.boxes)
            .map(|(card, centre)| PlacedCard { card, centre })
            .collect();
        let lines = links
            .iter()
            .zip(plan.lines)
            .zip(labels)
            .map(|((link, line), (text, size))| {
                let PlacedCard { card, centre } = &boxes[link.owner];
                let side = Point { x: centre.x + card.size.width / 2.0, y: centre.y };
                let loop_start = (link.owner == link.owned).then_some(side);
                LabelledLine { line, text, size, is_control_only: link.is_control_only, loop_start }
            })
            .collect();
        let trunks = plan
            .trunks
            .into_iter()
            .map(|Trunk { link, points }| (points, links[link].is_control_only))
            .collect();

        let mut bottom = top + plan_size.height;
        let unconnected_heading = (!unconnected.is_empty()).then_some(bottom + GAP);
        if let Some(heading) = unconnected_heading {
            bottom = place_in_rows(unconnected, heading + 16.0, content_width, &mut boxes);
        }
        let legend = bottom + GAP;
        let height = legend + legend::height(content_width) + MARGIN;
        let size = Size { width: content_width + 2.0 * MARGIN, height };
        Ok(Page { size, title, title_lines, boxes, lines, trunks, unconnected_heading, legend })
    }
}

/// Cuts the label of an edge to one line and measures it.
fn label(text: &str) -> (String, Size) {
    let text = wrap(&clean(text), LABEL_SIZE, MAX_LABEL_WIDTH, 1).concat();
    let size = Size { width: width(&text, LABEL_SIZE) + 8.0, height: 18.0 };
    (text, size)
}

/// Adds cards to `boxes` in rows. The first row begins at the vertical position `top`. Returns the
/// bottom of the last row.
fn place_in_rows(cards: Vec<Card>, top: f64, width: f64, boxes: &mut Vec<PlacedCard>) -> f64 {
    let (mut x, mut y, mut row_height) = (0.0, top, 0.0);
    for card in cards {
        let size = card.size;
        if x > 0.0 && x + size.width > width {
            (x, y, row_height) = (0.0, y + row_height + GAP / 2.0, 0.0);
        }
        let centre = Point { x: MARGIN + x + size.width / 2.0, y: y + size.height / 2.0 };
        boxes.push(PlacedCard { card, centre });
        x += size.width + GAP / 2.0;
        row_height = f64::max(row_height, size.height);
    }
    y + row_height
}
