//! The ownership structure of a customer as a drawing: an SVG to print, or Mermaid text to paste.
//!
//! Names are the callers' text. They reach a drawing only as text nodes that `quick-xml` escapes, or
//! as entity codes in quoted Mermaid labels.

mod canvas;
mod card;
mod layout;
mod legend;
mod levels;
mod mermaid;
mod page;
mod routes;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod towers;

pub use mermaid::mermaid;
pub use svg::svg;

/// What is drawn of a customer's organization.
#[cfg_attr(test, derive(Clone, Debug))]
pub struct Drawing {
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[cfg_attr(test, derive(Clone, Debug))]
pub struct Node {
    /// The party's id, or `self` for the customer.
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// The company the drawing is about.
    pub is_customer: bool,
    /// Small lines under the name: country, roles, share in all.
    pub details: Vec<String>,
    pub is_beneficial_owner: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Kind {
    Individual,
    Company,
}

/// Parties are named by their index; an edge of a party that is not there is left out.
#[cfg_attr(test, derive(Clone, Debug))]
pub struct Edge {
    pub owner: usize,
    pub owned: usize,
    /// `25 %`, `10 % (votes 40 %)`, `control`.
    pub label: String,
    /// Control without shares.
    pub is_control_only: bool,
}

impl Drawing {
    fn edges(&self) -> Vec<&Edge> {
        let parties = self.nodes.len();
        self.edges.iter().filter(|edge| edge.owner < parties && edge.owned < parties).collect()
    }
}
