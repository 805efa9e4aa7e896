//! The drawing as SVG, without a script, a style sheet or anything from elsewhere.

use std::fmt::Write;
use std::io;

use super::canvas::{Canvas, Type, number};
use super::layout::Point;
use super::page::{LABEL_SIZE, Labelled, MARGIN, Page, TITLE_LINE, TITLE_SIZE};
use super::{Drawing, legend};

const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif";
const TITLE: Type = Type { size: TITLE_SIZE, weight: "600", colour: "#111827", anchor: "start" };
const HEADING: Type = Type { size: 13.0, weight: "600", colour: "#374151", anchor: "start" };
const LABEL: Type = Type { size: LABEL_SIZE, weight: "600", colour: "#111827", anchor: "middle" };
/// The radius of corners.
const ROUND: f64 = 7.0;
const SHARES: &str = "#374151";
const CONTROL: &str = "#6d28d9";

/// The error says why there is no drawing, without personal data.
pub fn svg(drawing: &Drawing) -> Result<String, String> {
    let page = Page::of(drawing)?;
    let mut canvas = Canvas::new();
    page.draw(&mut canvas).map_err(|_| "the drawing could not be written".to_owned())?;
    canvas.finish().map_err(|_| "the drawing could not be written".to_owned())
}

impl Page {
    fn draw(&self, canvas: &mut Canvas) -> io::Result<()> {
        let (width, height) = (number(self.size.width), number(self.size.height));
        canvas.open(
            "svg",
            &[
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("width", &width),
                ("height", &height),
                ("viewBox", &format!("0 0 {width} {height}")),
                ("role", "img"),
                ("font-family", FONTS),
            ],
        )?;
        canvas.title(&self.title)?;
        canvas.rect((0.0, 0.0), (self.size.width, self.size.height), &[("fill", "#ffffff")])?;
        for (line, text) in self.title_lines.iter().enumerate() {
            let y = MARGIN + 20.0 + TITLE_LINE * line as f64;
            canvas.text(MARGIN, y, TITLE, text)?;
        }
        for line in &self.lines {
            line.draw(canvas)?;
        }
        for (points, is_control_only) in &self.trunks {
            stroke(canvas, points, *is_control_only)?;
        }
        for placed in &self.boxes {
            placed.card.draw(canvas, placed.centre)?;
        }
        for line in &self.lines {
            line.draw_label(canvas)?;
        }
        if let Some(y) = self.rest {
            canvas.text(MARGIN, y, HEADING, "Parties without a holding")?;
        }
        legend::draw(canvas, self.legend, self.size.width - 2.0 * MARGIN)?;
        canvas.close("svg")
    }
}

impl Labelled {
    fn draw(&self, canvas: &mut Canvas) -> io::Result<()> {
        let Some(Point { x, y }) = self.from_side else {
            return stroke(canvas, &self.line.points, self.is_control_only);
        };
        // A curve gets three quarters of the way to where its handles are.
        let reach = (self.line.label.x - self.size.width / 2.0 - 2.0 - x) / 0.75;
        let handle = number(x + reach.max(10.0));
        let (out, back) = (number(y - 9.0), number(y + 9.0));
        let way = format!("M{0} {out}C{handle} {out} {handle} {back} {0} {back}", number(x));
        path(canvas, &way, self.is_control_only)?;
        arrow_head(canvas, Point { x, y: y + 9.0 }, (-1.0, 0.0), self.is_control_only)
    }

    /// On white, so that it can be read where lines cross.
    fn draw_label(&self, canvas: &mut Canvas) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let (Point { x, y }, size) = (self.line.label, self.size);
        let corner = (x - size.width / 2.0, y - size.height / 2.0);
        let look = [("rx", "4"), ("fill", "#ffffff"), ("fill-opacity", "0.92")];
        canvas.rect(corner, (size.width, size.height), &look)?;
        let colour = if self.is_control_only { CONTROL } else { LABEL.colour };
        canvas.text(x, y + 4.2, Type { colour, ..LABEL }, &self.text)
    }
}

/// A line along `points` with round corners, and an arrow where it arrives. The branch of a tower has
/// none: it is level, and ends in the trunk.
pub(super) fn stroke(
    canvas: &mut Canvas,
    points: &[Point],
    is_control_only: bool,
) -> io::Result<()> {
    let (Some(first), [.., before, last]) = (points.first(), points) else { return Ok(()) };
    let mut way = format!("M{} {}", number(first.x), number(first.y));
    for corner in points.windows(3) {
        let [from, at, to] = corner else { continue };
        let (start, end) = (towards(*at, *from), towards(*at, *to));
        let (x, y) = (number(at.x), number(at.y));
        write!(way, "L{} {}", number(start.x), number(start.y)).map_err(io::Error::other)?;
        write!(way, "Q{x} {y} {} {}", number(end.x), number(end.y)).map_err(io::Error::other)?;
    }
    write!(way, "L{} {}", number(last.x), number(last.y)).map_err(io::Error::other)?;
    path(canvas, &way, is_control_only)?;
    if before.y == last.y {
        return Ok(());
    }
    arrow_head(canvas, *last, (0.0, (last.y - before.y).signum()), is_control_only)
}

/// Where a corner at `at` begins on the way to `other`, along an axis.
fn towards(at: Point, other: Point) -> Point {
    let part = |distance: f64| (distance / 2.0).clamp(-ROUND, ROUND);
    Point { x: at.x + part(other.x - at.x), y: at.y + part(other.y - at.y) }
}

fn path(canvas: &mut Canvas, way: &str, is_control_only: bool) -> io::Result<()> {
    let stroke = if is_control_only { CONTROL } else { SHARES };
    let dashes = if is_control_only { "7 4" } else { "none" };
    canvas.shape(
        "path",
        &[
            ("d", way),
            ("fill", "none"),
            ("stroke", stroke),
            ("stroke-width", "1.4"),
            ("stroke-dasharray", dashes),
        ],
    )
}

/// Its tip, and the direction it points in, of length 1 along an axis.
pub(super) fn arrow_head(
    canvas: &mut Canvas,
    tip: Point,
    (dx, dy): (f64, f64),
    is_control_only: bool,
) -> io::Result<()> {
    let corner = |side: f64| {
        let x = tip.x - 10.0 * dx + side * 4.5 * dy;
        let y = tip.y - 10.0 * dy + side * 4.5 * dx;
        format!("{},{}", number(x), number(y))
    };
    let points = format!("{},{} {} {}", number(tip.x), number(tip.y), corner(1.0), corner(-1.0));
    let fill = if is_control_only { CONTROL } else { SHARES };
    canvas.shape("polygon", &[("points", &points), ("fill", fill)])
}
