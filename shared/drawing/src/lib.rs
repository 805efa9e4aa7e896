//! Draws the ownership structure of a customer: as an SVG page for print, or as Mermaid text for a
//! wiki or a ticket.
//!
//! Names and labels are text that API callers supply. They reach an SVG only as text nodes, which
//! `quick-xml` escapes, and Mermaid text only as entity codes inside quoted labels.
//!
//! An SVG is made in these steps:
//!
//! 1. `levels` decides which holdings point down and which close a circle and point up.
//! 2. `layout` places the boxes in rows, and `routes` leads the lines between them.
//! 3. `towers` stacks many similar shareholders, so that a row stays narrow.
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
