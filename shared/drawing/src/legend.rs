//! Draws the legend, which explains the shapes and lines of a drawing.

use std::io;

use crate::canvas::{Canvas, TextStyle};
use crate::card::{Badge, frame};
use crate::geometry::Point;
use crate::model::Kind;
use crate::strokes::{arrow_head, stroke};
use crate::text::width;

const TEXT: TextStyle = TextStyle { size: 12.0, weight: "400", colour: "#374151", anchor: "start" };
/// Width of a sample box or line.
const SAMPLE: f64 = 44.0;
/// Distance between a sample and its text.
const TEXT_GAP: f64 = 8.0;
/// Distance between a text and the next sample.
const ITEM_GAP: f64 = 20.0;
/// Height of a row of items.
const ROW: f64 = 34.0;

#[derive(Clone, Copy)]
enum Sample {
    Box { kind: Kind, is_customer: bool, is_beneficial_owner: bool },
    Line { is_control_only: bool },
}

const fn plain(kind: Kind) -> Sample {
    Sample::Box { kind, is_customer: false, is_beneficial_owner: false }
}

const ITEMS: [(Sample, &str); 6] = [
    (plain(Kind::Individual), "Individual"),
    (plain(Kind::Company), "Company"),
    (
        Sample::Box { kind: Kind::Individual, is_customer: false, is_beneficial_owner: true },
        "Beneficial owner (UBO)",
    ),
    (
        Sample::Box { kind: Kind::Company, is_customer: true, is_beneficial_owner: false },
        "Customer",
    ),
    (Sample::Line { is_control_only: false }, "holds shares in"),
    (Sample::Line { is_control_only: true }, "controls without shares"),
];

/// Returns the top left corner of every item, relative to the top left corner of the legend. Items
/// that do not fit into `legend_width` start a new row.
fn item_corners(legend_width: f64) -> [Point; ITEMS.len()] {
    let (mut x, mut y) = (0.0, 14.0);
    ITEMS.map(|(_, text)| {
        let width = SAMPLE + TEXT_GAP + width(text, TEXT.size) + ITEM_GAP;
        if x > 0.0 && x + width > legend_width {
            (x, y) = (0.0, y + ROW);
        }
        let corner = Point { x, y };
        x += width;
        corner
    })
}

/// Returns the height of a legend of this width.
pub(crate) fn height(legend_width: f64) -> f64 {
    item_corners(legend_width).iter().map(|corner| corner.y + ROW).fold(0.0, f64::max)
}

/// Draws the legend with its top left corner at `corner`.
pub(crate) fn draw(canvas: &mut Canvas, corner: Point, legend_width: f64) -> io::Result<()> {
    canvas.open("g", &[("class", "legend")])?;
    canvas.rect((corner.x, corner.y), (legend_width, 1.0), &[("fill", "#d1d5db")])?;
    for ((sample, text), item) in ITEMS.into_iter().zip(item_corners(legend_width)) {
        let item = Point { x: corner.x + item.x, y: corner.y + item.y };
        sample.draw(canvas, item)?;
        canvas.text(item.x + SAMPLE + TEXT_GAP, item.y + 16.0, TEXT, text)?;
    }
    canvas.close("g")
}

impl Sample {
    /// Draws the sample with its top left corner at `(x, y)`.
    fn draw(self, canvas: &mut Canvas, Point { x, y }: Point) -> io::Result<()> {
        match self {
            Sample::Box { kind, is_customer, is_beneficial_owner } => {
                let mut look = frame(kind, is_customer, is_beneficial_owner);
                if kind == Kind::Individual {
                    // The radius of a full-sized box is too large for a sample.
                    look[0] = ("rx", "10");
                }
                canvas.rect((x + 2.0, y), (SAMPLE - 4.0, 24.0), &look)?;
                if is_beneficial_owner {
                    Badge::BeneficialOwner.draw(canvas, x + 5.0, y + 3.5)?;
                }
                Ok(())
            }
            Sample::Line { is_control_only } => {
                let middle = y + 12.0;
                let (start, end) = (Point { x, y: middle }, Point { x: x + SAMPLE, y: middle });
                stroke(canvas, &[start, end], is_control_only)?;
                arrow_head(canvas, end, (1.0, 0.0), is_control_only)
            }
        }
    }
}
