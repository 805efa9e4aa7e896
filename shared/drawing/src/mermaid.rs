//! Writes a drawing as Mermaid text, for a wiki or a ticket.

use crate::model::{Drawing, Edge, Kind, Node};
use crate::text::clean;

const CLASSES: &str = "    classDef individual fill:#e0f2fe,stroke:#075985,color:#111827
    classDef company fill:#f3f4f6,stroke:#374151,color:#111827
    classDef customer fill:#1e3a5f,stroke:#374151,color:#ffffff
    classDef ubo stroke:#b91c1c,stroke-width:4px
";

/// Writes a drawing as a Mermaid flowchart, with owners at the top.
///
/// The same drawing always gives the same text. The text does not contain the title.
pub fn mermaid(drawing: &Drawing) -> String {
    let mut text = String::from("flowchart TB\n");
    for (number, node) in drawing.nodes.iter().enumerate() {
        text.push_str(&node_lines(number, node));
    }
    for edge in drawing.valid_edges() {
        text.push_str(&edge_line(edge));
    }
    text.push_str(CLASSES);
    text
}

fn node_lines(number: usize, node: &Node) -> String {
    let (open, close, kind_class) = match node.kind {
        Kind::Individual => ("(", ")", "individual"),
        Kind::Company => ("[", "]", "company"),
    };
    let class = if node.is_customer { "customer" } else { kind_class };
    let mut lines = Vec::new();
    if node.is_customer {
        lines.push("CUSTOMER".to_owned());
    }
    if node.is_beneficial_owner {
        lines.push("UBO".to_owned());
    }
    lines.extend([&node.name].into_iter().chain(&node.details).map(|line| escape(line)));
    lines.retain(|line| !line.is_empty());
    let label = if lines.is_empty() { "#160;".to_owned() } else { lines.join("<br/>") };
    let mut text = format!("    n{number}{open}\"{label}\"{close}:::{class}\n");
    if node.is_beneficial_owner {
        text.push_str(&format!("    class n{number} ubo\n"));
    }
    text
}

fn edge_line(edge: &Edge) -> String {
    let arrow = if edge.is_control_only { "-.->" } else { "-->" };
    let text = escape(&edge.label);
    let label = if text.is_empty() { text } else { format!("|\"{text}\"|") };
    format!("    n{} {arrow}{label} n{}\n", edge.owner, edge.owned)
}

/// Escapes caller-supplied text for use between double quotes.
///
/// Letters, digits, spaces and commas are kept. All other characters become entity codes, which
/// Mermaid decodes last. The text therefore cannot end a label, and Mermaid does not read it as a
/// directive, as a link or as Markdown. (`1. FC Example` would be a Markdown list.)
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        if c.is_alphanumeric() || " ,".contains(c) {
            escaped.push(c);
        } else {
            escaped.push_str(&format!("#{};", u32::from(c)));
        }
        if c == ':' {
            // This entity code is a word joiner, which has no width. Without the word joiner,
            // Mermaid reads `fa:fa-car` as an icon.
            escaped.push_str("#8288;");
        }
    }
    escaped
}
