//! What the shapes and lines of a drawing mean.

use std::io;

use super::Kind;
use super::canvas::{Canvas, Type};
use super::card::{badge, frame};
use super::layout::Point;
use super::page::MARGIN;
use super::svg::{arrow_head, stroke};
use super::text::width;

const TEXT: Type = Type { size: 12.0, weight: "400", colour: "#374151", anchor: "start" };
const SAMPLE: f64 = 44.0;
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

/// The top left corner of every item from the top left of the legend, on a page that wide.
fn places(wide: f64) -> [(f64, f64); ITEMS.len()] {
    let (mut x, mut y) = (0.0, 14.0);
    ITEMS.map(|(_, text)| {
        let width = SAMPLE + 8.0 + width(text, TEXT.size) + 20.0;
        if x > 0.0 && x + width > wide {
            (x, y) = (0.0, y + ROW);
        }
        let place = (x, y);
        x += width;
        place
    })
}

pub(super) fn height(wide: f64) -> f64 {
    places(wide).iter().map(|(_, y)| y + ROW).fold(0.0, f64::max)
}

pub(super) fn draw(canvas: &mut Canvas, top: f64, wide: f64) -> io::Result<()> {
    canvas.open("g", &[("class", "legend")])?;
    canvas.rect((MARGIN, top), (wide, 1.0), &[("fill", "#d1d5db")])?;
    for ((sample, text), (x, y)) in ITEMS.into_iter().zip(places(wide)) {
        let (x, y) = (MARGIN + x, top + y);
        match sample {
            Sample::Box { kind, is_customer, is_beneficial_owner } => {
                let mut look = frame(kind, is_customer, is_beneficial_owner);
                if kind == Kind::Individual {
                    look[0] = ("rx", "10");
                }
                canvas.rect((x + 2.0, y), (SAMPLE - 4.0, 24.0), &look)?;
                if is_beneficial_owner {
                    badge(canvas, x + 5.0, y + 3.5, "UBO")?;
                }
            }
            Sample::Line { is_control_only } => {
                let middle = y + 12.0;
                let ends = [Point { x, y: middle }, Point { x: x + SAMPLE, y: middle }];
                stroke(canvas, &ends, is_control_only)?;
                arrow_head(canvas, ends[1], (1.0, 0.0), is_control_only)?;
            }
        }
        canvas.text(x + SAMPLE + 8.0, y + 16.0, TEXT, text)?;
    }
    canvas.close("g")
}
