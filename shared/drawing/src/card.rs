//! Draws the box of a party.

use std::io;

use crate::canvas::{Canvas, TextStyle};
use crate::geometry::{Point, Size};
use crate::model::{Kind, Node};
use crate::text::{clean, width, wrap};

const NAME: TextStyle =
    TextStyle { size: 13.0, weight: "600", colour: "#111827", anchor: "middle" };
const DETAIL: TextStyle =
    TextStyle { size: 11.0, weight: "400", colour: "#374151", anchor: "middle" };
const BADGE: TextStyle =
    TextStyle { size: 10.0, weight: "700", colour: "#ffffff", anchor: "middle" };
/// Text colour on the dark box of the customer.
const ON_DARK: &str = "#ffffff";
/// Colour of the border and of the badge of a beneficial owner.
const RED: &str = "#b91c1c";

/// Maximum width of a line of text. The tooltip of the box has the full text.
const MAX_TEXT_WIDTH: f64 = 180.0;
const MAX_NAME_LINES: usize = 3;
/// Maximum number of lines for one detail.
const MAX_LINES_PER_DETAIL: usize = 2;
/// Maximum number of lines for all details together.
const MAX_DETAIL_LINES: usize = 6;

const MIN_CONTENT_WIDTH: f64 = 90.0;
/// Sum of the space to the left and to the right of the content of a box.
const SIDE_PADDING: f64 = 28.0;
/// Space above the content of a box, and also below it.
const PADDING: f64 = 11.0;
const BADGE_ROW: f64 = 22.0;
const NAME_LINE: f64 = 17.0;
const DETAIL_LINE: f64 = 15.0;
const BADGE_GAP: f64 = 6.0;

/// A mark above the name of a party.
#[derive(Clone, Copy)]
pub(crate) enum Badge {
    Customer,
    BeneficialOwner,
}

impl Badge {
    fn text(self) -> &'static str {
        match self {
            Badge::Customer => "CUSTOMER",
            Badge::BeneficialOwner => "UBO",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Badge::Customer => "#475569",
            Badge::BeneficialOwner => RED,
        }
    }

    fn width(self) -> f64 {
        width(self.text(), BADGE.size) + 12.0
    }

    /// Draws the badge with its top left corner at `(left, top)`.
    pub(crate) fn draw(self, canvas: &mut Canvas, left: f64, top: f64) -> io::Result<()> {
        let width = self.width();
        let look =
            [("rx", "3"), ("fill", self.colour()), ("stroke", "#ffffff"), ("stroke-width", "1")];
        canvas.rect((left, top), (width, 17.0), &look)?;
        canvas.text(left + width / 2.0, top + 12.2, BADGE, self.text())
    }
}

/// The box of a party, with its text broken into lines.
pub(crate) struct Card {
    kind: Kind,
    is_customer: bool,
    is_beneficial_owner: bool,
    badges: Vec<Badge>,
    name: Vec<String>,
    details: Vec<String>,
    title: String,
    pub(crate) size: Size,
}

impl Card {
    pub(crate) fn new(node: &Node) -> Card {
        let Node { kind, is_customer, is_beneficial_owner, .. } = *node;
        let mut badges = Vec::new();
        if is_customer {
            badges.push(Badge::Customer);
        }
        if is_beneficial_owner {
            badges.push(Badge::BeneficialOwner);
        }
        let name = wrap(&clean(&node.name), NAME.size, MAX_TEXT_WIDTH, MAX_NAME_LINES);
        let details = detail_lines(&node.details);
        let title_lines = [&node.name, &node.id].into_iter().chain(&node.details);
        let title = title_lines.map(|text| clean(text)).collect::<Vec<_>>().join("\n");

        let name_widths = name.iter().map(|line| width(line, NAME.size));
        let detail_widths = details.iter().map(|line| width(line, DETAIL.size));
        let content_width = name_widths
            .chain(detail_widths)
            .chain([badges_width(&badges), MIN_CONTENT_WIDTH])
            .fold(0.0, f64::max);
        let badge_row = if badges.is_empty() { 0.0 } else { BADGE_ROW };
        let height = 2.0 * PADDING
            + badge_row
            + NAME_LINE * name.len() as f64
            + DETAIL_LINE * details.len() as f64;
        let size = Size { width: (content_width + SIDE_PADDING).ceil(), height };
        Card { kind, is_customer, is_beneficial_owner, badges, name, details, title, size }
    }

    /// Draws the box with its badges and text, centred at `centre`.
    pub(crate) fn draw(&self, canvas: &mut Canvas, centre: Point) -> io::Result<()> {
        let (x, top) = (centre.x, centre.y - self.size.height / 2.0);
        canvas.open("g", &[("class", "party")])?;
        canvas.title(&self.title)?;
        let corner = (x - self.size.width / 2.0, top);
        let look = frame(self.kind, self.is_customer, self.is_beneficial_owner);
        canvas.rect(corner, (self.size.width, self.size.height), &look)?;

        let mut y = top + PADDING;
        if !self.badges.is_empty() {
            let mut left = x - badges_width(&self.badges) / 2.0;
            for badge in &self.badges {
                badge.draw(canvas, left, y)?;
                left += badge.width() + BADGE_GAP;
            }
            y += BADGE_ROW;
        }
        for line in &self.name {
            y += NAME_LINE;
            canvas.text(x, y - 4.0, self.readable(NAME), line)?;
        }
        for line in &self.details {
            y += DETAIL_LINE;
            canvas.text(x, y - 3.0, self.readable(DETAIL), line)?;
        }
        canvas.close("g")
    }

    /// Adapts the colour of a text to the background of the box.
    fn readable(&self, style: TextStyle) -> TextStyle {
        if self.is_customer { TextStyle { colour: ON_DARK, ..style } } else { style }
    }
}

/// Breaks the details into lines. If there are more than `MAX_DETAIL_LINES`, the last line is an
/// ellipsis.
fn detail_lines(details: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = details
        .iter()
        .flat_map(|detail| wrap(&clean(detail), DETAIL.size, MAX_TEXT_WIDTH, MAX_LINES_PER_DETAIL))
        .take(MAX_DETAIL_LINES + 1)
        .collect();
    if lines.len() > MAX_DETAIL_LINES {
        lines.truncate(MAX_DETAIL_LINES - 1);
        lines.push("…".to_owned());
    }
    lines
}

fn badges_width(badges: &[Badge]) -> f64 {
    badges.iter().map(|badge| badge.width() + BADGE_GAP).sum::<f64>() - BADGE_GAP
}

/// Returns the attributes of a box. The box has round corners for an individual, is dark for the
/// customer, and has a thick red border for a beneficial owner.
pub(crate) fn frame(
    kind: Kind,
    is_customer: bool,
    is_beneficial_owner: bool,
) -> [(&'static str, &'static str); 4] {
    let (radius, fill, stroke) = match kind {
        Kind::Individual => ("20", "#e0f2fe", "#075985"),
        Kind::Company => ("2", "#f3f4f6", "#374151"),
    };
    let fill = if is_customer { "#1e3a5f" } else { fill };
    let (stroke, width) = if is_beneficial_owner { (RED, "3.5") } else { (stroke, "1.3") };
    [("rx", radius), ("fill", fill), ("stroke", stroke), ("stroke-width", width)]
}
