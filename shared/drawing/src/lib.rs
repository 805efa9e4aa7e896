//! Draws the ownership structure of a customer: as an SVG page for print, or as Mermaid text for a
//! wiki or a ticket.
//!
//! API callers supply the names and labels. This text reaches an SVG only as text nodes, which
//! `quick-xml` escapes. It reaches Mermaid text only inside quoted labels, where all characters
//! except letters, digits, spaces and commas become entity codes.
//!
//! These modules create an SVG:
//!
//! 1. `towers` stacks many similar shareholders to keep rows narrow.
//! 2. `levels` decides which holdings point down, and which point up because they close a circle.
//! 3. `layout` places boxes and towers in rows, and `routes` finds the paths of the lines between
//!    them.
//! 4. `page` adds the title, the parties without holdings and the legend.
//! 5. `svg` writes the page.
#![warn(missing_docs)]

mod canvas;
mod card;
mod geometry;
mod layout;
mod legend;
mod levels;
mod mermaid;
mod model;
mod page;
mod routes;
mod strokes;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod towers;

pub use mermaid::mermaid;
pub use model::{Drawing, Edge, Kind, Node};
pub use svg::svg;
