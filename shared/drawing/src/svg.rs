//! Writes a drawing as SVG. The SVG has no scripts, no style sheets and no external references.

use std::io;

use crate::canvas::{Canvas, TextStyle, number};
use crate::geometry::Point;
use crate::legend;
use crate::model::Drawing;
use crate::page::{LABEL_SIZE, LabelledLine, MARGIN, Page, TITLE_LINE, TITLE_SIZE};
use crate::strokes::{CONTROL, arrow_head, path, stroke};

const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif";
const TITLE: TextStyle =
    TextStyle { size: TITLE_SIZE, weight: "600", colour: "#111827", anchor: "start" };
const HEADING: TextStyle =
    TextStyle { size: 13.0, weight: "600", colour: "#374151", anchor: "start" };
const LABEL: TextStyle =
    TextStyle { size: LABEL_SIZE, weight: "600", colour: "#111827", anchor: "middle" };

/// Writes a drawing as an SVG document of one page.
///
/// The same drawing always gives the same text.
///
/// # Errors
/// Returns an error text for the API caller, without personal data, in these cases:
/// - the structure has too many holdings between its layers to be laid out in reasonable time;
/// - the layout does not place every party and holding;
/// - the document cannot be written.
pub fn svg(drawing: &Drawing) -> Result<String, String> {
    let page = Page::new(drawing)?;
    let mut canvas = Canvas::new();
    page.draw(&mut canvas).map_err(|_| not_written())?;
    canvas.finish().map_err(|_| not_written())
}

fn not_written() -> String {
    "the drawing could not be written; request text/vnd.mermaid or application/json instead"
        .to_owned()
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
        if let Some(y) = self.unconnected_heading {
            canvas.text(MARGIN, y, HEADING, "Parties without holdings")?;
        }
        let corner = Point { x: MARGIN, y: self.legend };
        legend::draw(canvas, corner, self.size.width - 2.0 * MARGIN)?;
        canvas.close("svg")
    }
}

impl LabelledLine {
    fn draw(&self, canvas: &mut Canvas) -> io::Result<()> {
        match self.loop_start {
            None => stroke(canvas, &self.line.points, self.is_control_only),
            Some(start) => self.draw_loop(canvas, start),
        }
    }

    /// Draws the line of a party that holds itself: a curve that leaves the box on the right,
    /// extends to the label and returns to the box.
    fn draw_loop(&self, canvas: &mut Canvas, Point { x, y }: Point) -> io::Result<()> {
        // A cubic Bézier curve reaches three quarters of the way to its control points.
        let reach = (self.line.label.x - self.size.width / 2.0 - 2.0 - x) / 0.75;
        let control = number(x + reach.max(10.0));
        let (out, back) = (number(y - 9.0), number(y + 9.0));
        let data = format!("M{0} {out}C{control} {out} {control} {back} {0} {back}", number(x));
        path(canvas, &data, self.is_control_only)?;
        arrow_head(canvas, Point { x, y: y + 9.0 }, (-1.0, 0.0), self.is_control_only)
    }

    /// Draws the label on a white rectangle, so it is readable where lines cross.
    fn draw_label(&self, canvas: &mut Canvas) -> io::Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        let (Point { x, y }, size) = (self.line.label, self.size);
        let corner = (x - size.width / 2.0, y - size.height / 2.0);
        let look = [("rx", "4"), ("fill", "#ffffff"), ("fill-opacity", "0.92")];
        canvas.rect(corner, (size.width, size.height), &look)?;
        let colour = if self.is_control_only { CONTROL } else { LABEL.colour };
        canvas.text(x, y + 4.2, TextStyle { colour, ..LABEL }, &self.text)
    }
}
