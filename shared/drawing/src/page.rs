//! Everything of a drawing and its place on the page.
#![allow(clippy::indexing_slicing, reason = "`Drawing::edges` names parties there are")]

use super::Drawing;
use super::card::Card;
use super::layout::{Line, Link, Point, Size};
use super::legend;
use super::text::{clean, width, wrap};
use super::towers::plan;

pub(super) const MARGIN: f64 = 32.0;
pub(super) const TITLE_SIZE: f64 = 20.0;
pub(super) const TITLE_LINE: f64 = 28.0;
pub(super) const LABEL_SIZE: f64 = 12.0;
const NARROWEST: f64 = 640.0;
const GAP: f64 = 30.0;

pub(super) struct Page {
    pub(super) size: Size,
    pub(super) title: String,
    pub(super) title_lines: Vec<String>,
    pub(super) boxes: Vec<Placed>,
    pub(super) lines: Vec<Labelled>,
    /// The trunks of towers, and whether they are of control only.
    pub(super) trunks: Vec<(Vec<Point>, bool)>,
    /// Where the heading of the parties without a holding stands.
    pub(super) rest: Option<f64>,
    pub(super) legend: f64,
}

pub(super) struct Placed {
    pub(super) card: Card,
    pub(super) centre: Point,
}

pub(super) struct Labelled {
    pub(super) line: Line,
    pub(super) text: String,
    pub(super) size: Size,
    pub(super) is_control_only: bool,
    /// For what a party holds in itself: the middle of the right side of its box.
    pub(super) from_side: Option<Point>,
}

impl Page {
    pub(super) fn of(drawing: &Drawing) -> Result<Page, String> {
        let edges = drawing.edges();
        let mut stands: Vec<bool> = drawing.nodes.iter().map(|node| node.is_customer).collect();
        for edge in &edges {
            stands[edge.owner] = true;
            stands[edge.owned] = true;
        }
        // Parties without a holding would only widen the rows.
        let cards = drawing.nodes.iter().map(Card::of).zip(&stands);
        let (held, rest): (Vec<_>, Vec<_>) = cards.partition(|(_, stands)| **stands);
        let place: Vec<usize> = stands
            .iter()
            .scan(0, |next, stands| {
                *next += usize::from(*stands);
                Some(next.saturating_sub(1))
            })
            .collect();
        let customer = drawing.nodes.iter().position(|node| node.is_customer);
        let labels: Vec<(String, Size)> = edges.iter().map(|edge| label(&edge.label)).collect();
        let links: Vec<Link> = edges
            .iter()
            .zip(&labels)
            .map(|(edge, (_, label))| Link {
                owner: place[edge.owner],
                owned: place[edge.owned],
                label: *label,
                is_control_only: edge.is_control_only,
            })
            .collect();
        let sizes: Vec<Size> = held.iter().map(|(card, _)| card.size).collect();
        let mut plan = plan(&sizes, &links, customer.map(|at| place[at]))?;
        let size = plan.size;

        let wide = size.width.max(NARROWEST);
        let title = clean(&drawing.title);
        let title_lines = wrap(&title, TITLE_SIZE, wide, 2);
        let left = MARGIN + (wide - size.width) / 2.0;
        let top = MARGIN + TITLE_LINE * title_lines.len() as f64 + 14.0;
        plan.shift(left, top);

        let mut boxes: Vec<Placed> = held
            .into_iter()
            .zip(plan.boxes)
            .map(|((card, _), centre)| Placed { card, centre })
            .collect();
        let lines = links.iter().zip(plan.lines).zip(labels).map(|((link, line), (text, size))| {
            let Placed { card, centre } = &boxes[link.owner];
            let side = Point { x: centre.x + card.size.width / 2.0, y: centre.y };
            let from_side = (link.owner == link.owned).then_some(side);
            Labelled { line, text, size, is_control_only: link.is_control_only, from_side }
        });
        let lines = lines.collect();
        let trunks = plan.trunks.into_iter();
        let trunks = trunks.map(|(at, points)| (points, links[at].is_control_only)).collect();

        let mut bottom = top + size.height;
        let heading = (!rest.is_empty()).then_some(bottom + GAP);
        if let Some(heading) = heading {
            let rest = rest.into_iter().map(|(card, _)| card);
            bottom = shelve(rest.collect(), heading + 16.0, wide, &mut boxes);
        }
        let legend = bottom + GAP;
        let height = legend + legend::height(wide) + MARGIN;
        let size = Size { width: wide + 2.0 * MARGIN, height };
        Ok(Page { size, title, title_lines, boxes, lines, trunks, rest: heading, legend })
    }
}

fn label(text: &str) -> (String, Size) {
    let text = wrap(&clean(text), LABEL_SIZE, 170.0, 1).concat();
    let size = Size { width: width(&text, LABEL_SIZE) + 8.0, height: 18.0 };
    (text, size)
}

/// Boxes in rows from `top`; where the last row ends.
fn shelve(cards: Vec<Card>, top: f64, wide: f64, boxes: &mut Vec<Placed>) -> f64 {
    let (mut x, mut y, mut tallest) = (0.0, top, 0.0);
    for card in cards {
        let Size { width, height } = card.size;
        if x > 0.0 && x + width > wide {
            (x, y, tallest) = (0.0, y + tallest + GAP / 2.0, 0.0);
        }
        let centre = Point { x: MARGIN + x + width / 2.0, y: y + height / 2.0 };
        boxes.push(Placed { card, centre });
        x += width + GAP / 2.0;
        tallest = f64::max(tallest, height);
    }
    y + tallest
}
