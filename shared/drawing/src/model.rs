//! Defines the input of a drawing: parties and the holdings between them.

/// An ownership structure to draw.
#[cfg_attr(test, derive(Clone, Debug))]
pub struct Drawing {
    /// Heading of the page, and the accessible name of the SVG.
    pub title: String,
    /// The parties. An [`Edge`] refers to them by their index in this list.
    pub nodes: Vec<Node>,
    /// The holdings and other means of control.
    pub edges: Vec<Edge>,
}

/// A party, drawn as a box.
#[cfg_attr(test, derive(Clone, Debug))]
pub struct Node {
    /// Id of the party, or `self` for the customer. Shown only in the tooltip of the box.
    pub id: String,
    /// Name of the party. A long name is wrapped and then cut; the tooltip shows the full name.
    pub name: String,
    /// Whether the party is an individual or a company.
    pub kind: Kind,
    /// Whether the party is the customer that the drawing is about.
    pub is_customer: bool,
    /// Small lines under the name: country, roles, effective share.
    pub details: Vec<String>,
    /// Whether the box carries the mark of a beneficial owner (UBO).
    pub is_beneficial_owner: bool,
}

/// Kind of a party, which determines the shape and colour of its box.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Kind {
    /// A natural person: a blue box with round corners.
    Individual,
    /// A legal entity: a grey box with square corners.
    Company,
}

/// A holding of one party in another, or control without a holding. Drawn as a line with an arrow.
///
/// An edge whose `owner` or `owned` is not an index of [`Drawing::nodes`] is left out.
#[cfg_attr(test, derive(Clone, Debug))]
pub struct Edge {
    /// Index of the party that holds or controls.
    pub owner: usize,
    /// Index of the party that is held or controlled. It may equal `owner`.
    pub owned: usize,
    /// Text on the line, such as `25 %`, `10 % (votes 40 %)` or `control`.
    pub label: String,
    /// Whether the owner controls without holding shares or votes. Such a line is dashed.
    pub is_control_only: bool,
}

impl Drawing {
    /// Returns the edges whose ends are both in `nodes`.
    pub(crate) fn valid_edges(&self) -> Vec<&Edge> {
        let parties = self.nodes.len();
        self.edges.iter().filter(|edge| edge.owner < parties && edge.owned < parties).collect()
    }
}
