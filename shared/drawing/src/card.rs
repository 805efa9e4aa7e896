//! The box of a party.

use std::io;

use super::canvas::{Canvas, Type};
use super::layout::{Point, Size};
use super::text::{clean, width, wrap};
use super::{Kind, Node};

const NAME: Type = Type { size: 13.0, weight: "600", colour: "#111827", anchor: "middle" };
const DETAIL: Type = Type { size: 11.0, weight: "400", colour: "#374151", anchor: "middle" };
const BADGE: Type = Type { size: 10.0, weight: "700", colour: "#ffffff", anchor: "middle" };
const ON_DARK: &str = "#ffffff";
/// The widest that text gets, and the lines of a name and of the details that are shown. All of it
/// is in the title of the box.
const ROOM: f64 = 180.0;
const NAME_LINES: usize = 3;
const DETAIL_LINES: usize = 6;

pub(super) struct Card {
    kind: Kind,
    is_customer: bool,
    is_beneficial_owner: bool,
    badges: Vec<&'static str>,
    name: Vec<String>,
    details: Vec<String>,
    title: String,
    pub(super) size: Size,
}

impl Card {
    pub(super) fn of(node: &Node) -> Card {
        let mut badges = Vec::new();
        if node.is_customer {
            badges.push("CUSTOMER");
        }
        if node.is_beneficial_owner {
            badges.push("UBO");
        }
        let name = wrap(&clean(&node.name), NAME.size, ROOM, NAME_LINES);
        let lines = node.details.iter().map(|detail| clean(detail));
        let mut details: Vec<String> = lines
            .flat_map(|line| wrap(&line, DETAIL.size, ROOM, 2))
            .take(DETAIL_LINES + 1)
            .collect();
        if details.len() > DETAIL_LINES {
            details.truncate(DETAIL_LINES - 1);
            details.push("…".to_owned());
        }
        let told = [&node.name, &node.id].into_iter().chain(&node.details);
        let title = told.map(|text| clean(text)).collect::<Vec<_>>().join("\n");

        let widths = name.iter().map(|line| width(line, NAME.size));
        let widths = widths.chain(details.iter().map(|line| width(line, DETAIL.size)));
        let widest = widths.chain([badges_width(&badges), 90.0]).fold(0.0, f64::max);
        let header = if badges.is_empty() { 0.0 } else { 22.0 };
        let height = 22.0 + header + 17.0 * name.len() as f64 + 15.0 * details.len() as f64;
        let size = Size { width: (widest + 28.0).ceil(), height };
        let Node { kind, is_customer, is_beneficial_owner, .. } = *node;
        Card { kind, is_customer, is_beneficial_owner, badges, name, details, title, size }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, centre: Point) -> io::Result<()> {
        let (x, top) = (centre.x, centre.y - self.size.height / 2.0);
        canvas.open("g", &[("class", "party")])?;
        canvas.title(&self.title)?;
        let corner = (x - self.size.width / 2.0, top);
        let look = frame(self.kind, self.is_customer, self.is_beneficial_owner);
        canvas.rect(corner, (self.size.width, self.size.height), &look)?;

        let mut y = top + 11.0;
        if !self.badges.is_empty() {
            let mut left = x - badges_width(&self.badges) / 2.0;
            for text in &self.badges {
                left += badge(canvas, left, y, text)? + 6.0;
            }
            y += 22.0;
        }
        for line in &self.name {
            y += 17.0;
            canvas.text(x, y - 4.0, self.on(NAME), line)?;
        }
        for line in &self.details {
            y += 15.0;
            canvas.text(x, y - 3.0, self.on(DETAIL), line)?;
        }
        canvas.close("g")
    }

    fn on(&self, look: Type) -> Type {
        Type { colour: if self.is_customer { ON_DARK } else { look.colour }, ..look }
    }
}

/// The look of a box: round for an individual, dark for the customer, a thick red border for a
/// beneficial owner.
pub(super) fn frame(
    kind: Kind,
    is_customer: bool,
    is_beneficial_owner: bool,
) -> [(&'static str, &'static str); 4] {
    let (round, fill, stroke) = match kind {
        Kind::Individual => ("20", "#e0f2fe", "#075985"),
        Kind::Company => ("2", "#f3f4f6", "#374151"),
    };
    let fill = if is_customer { "#1e3a5f" } else { fill };
    let (stroke, thick) = if is_beneficial_owner { (RED, "3.5") } else { (stroke, "1.3") };
    [("rx", round), ("fill", fill), ("stroke", stroke), ("stroke-width", thick)]
}

const RED: &str = "#b91c1c";

/// A badge by its top left corner; its width.
pub(super) fn badge(canvas: &mut Canvas, left: f64, top: f64, text: &str) -> io::Result<f64> {
    let wide = badge_width(text);
    let fill = if text == "UBO" { RED } else { "#475569" };
    let look = [("rx", "3"), ("fill", fill), ("stroke", "#ffffff"), ("stroke-width", "1")];
    canvas.rect((left, top), (wide, 17.0), &look)?;
    canvas.text(left + wide / 2.0, top + 12.2, BADGE, text)?;
    Ok(wide)
}

fn badge_width(text: &str) -> f64 {
    width(text, BADGE.size) + 12.0
}

fn badges_width(badges: &[&str]) -> f64 {
    badges.iter().map(|text| badge_width(text) + 6.0).sum::<f64>() - 6.0
}
