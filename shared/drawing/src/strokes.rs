//! Draws lines with round corners, and arrow heads.

use std::fmt::Write;
use std::io;

use crate::canvas::{Canvas, number};
use crate::geometry::Point;

/// Colour of a line that shows shares or votes.
pub(crate) const SHARES: &str = "#374151";
/// Colour of a line that shows control without shares or votes.
pub(crate) const CONTROL: &str = "#6d28d9";
/// Maximum radius of a round corner. Short segments get a smaller radius.
const CORNER_RADIUS: f64 = 7.0;
const ARROW_LENGTH: f64 = 10.0;
const ARROW_HALF_WIDTH: f64 = 4.5;

/// Draws a line along `points`, with an arrow head at the last point. A line that ends horizontally
/// gets no arrow head: it is the branch of a tower and ends at the trunk.
///
/// # Errors
/// Fails if there are fewer than two points, or if the canvas cannot be written.
pub(crate) fn stroke(
    canvas: &mut Canvas,
    points: &[Point],
    is_control_only: bool,
) -> io::Result<()> {
    let ([first, ..], [.., before_last, last]) = (points, points) else {
        return Err(io::Error::other("a line must have at least two points"));
    };
    let mut data = format!("M{} {}", number(first.x), number(first.y));
    for corner in points.windows(3) {
        let [from, corner, to] = corner else { continue };
        let (start, end) = (round_from(*corner, *from), round_from(*corner, *to));
        let (x, y) = (number(corner.x), number(corner.y));
        write!(data, "L{} {}", number(start.x), number(start.y)).map_err(io::Error::other)?;
        write!(data, "Q{x} {y} {} {}", number(end.x), number(end.y)).map_err(io::Error::other)?;
    }
    write!(data, "L{} {}", number(last.x), number(last.y)).map_err(io::Error::other)?;
    path(canvas, &data, is_control_only)?;
    if before_last.y == last.y {
        return Ok(());
    }
    let direction = (0.0, (last.y - before_last.y).signum());
    arrow_head(canvas, *last, direction, is_control_only)
}

/// Returns the point where the rounding of a corner begins on the way to `other`. The point `other`
/// is straight above, below or to the side of the corner.
fn round_from(corner: Point, other: Point) -> Point {
    let part = |distance: f64| (distance / 2.0).clamp(-CORNER_RADIUS, CORNER_RADIUS);
    Point { x: corner.x + part(other.x - corner.x), y: corner.y + part(other.y - corner.y) }
}

/// Draws a path from SVG path data. The path is dashed if it shows control without shares.
pub(crate) fn path(canvas: &mut Canvas, data: &str, is_control_only: bool) -> io::Result<()> {
    let (stroke, dashes) = if is_control_only { (CONTROL, "7 4") } else { (SHARES, "none") };
    canvas.shape(
        "path",
        &[
            ("d", data),
            ("fill", "none"),
            ("stroke", stroke),
            ("stroke-width", "1.4"),
            ("stroke-dasharray", dashes),
        ],
    )
}

/// Draws an arrow head whose tip is at `tip`. The direction `(dx, dy)` has the length 1 and runs
/// along an axis.
pub(crate) fn arrow_head(
    canvas: &mut Canvas,
    tip: Point,
    (dx, dy): (f64, f64),
    is_control_only: bool,
) -> io::Result<()> {
    let corner = |side: f64| {
        let x = tip.x - ARROW_LENGTH * dx + side * ARROW_HALF_WIDTH * dy;
        let y = tip.y - ARROW_LENGTH * dy + side * ARROW_HALF_WIDTH * dx;
        format!("{},{}", number(x), number(y))
    };
    let points = format!("{},{} {} {}", number(tip.x), number(tip.y), corner(1.0), corner(-1.0));
    let fill = if is_control_only { CONTROL } else { SHARES };
    canvas.shape("polygon", &[("points", &points), ("fill", fill)])
}
