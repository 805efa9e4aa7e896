//! The drawing as Mermaid text, for a wiki or a ticket.

use std::fmt::Write;

use super::text::clean;
use super::{Drawing, Kind, Node};

const CLASSES: &str = "    classDef individual fill:#e0f2fe,stroke:#075985,color:#111827
    classDef company fill:#f3f4f6,stroke:#374151,color:#111827
    classDef customer fill:#1e3a5f,stroke:#374151,color:#ffffff
    classDef ubo stroke:#b91c1c,stroke-width:4px
";

pub fn mermaid(drawing: &Drawing) -> String {
    let mut text = String::from("flowchart TB\n");
    for (number, node) in drawing.nodes.iter().enumerate() {
        text.push_str(&party(number, node));
    }
    for edge in drawing.edges() {
        let arrow = if edge.is_control_only { "-.->" } else { "-->" };
        let label = match quoted(&edge.label) {
            label if label.is_empty() => label,
            label => format!("|\"{label}\"|"),
        };
        push(&mut text, format_args!("    n{} {arrow}{label} n{}\n", edge.owner, edge.owned));
    }
    text.push_str(CLASSES);
    text
}

fn party(number: usize, node: &Node) -> String {
    let (open, close, class) = match node.kind {
        Kind::Individual => ("(", ")", "individual"),
        Kind::Company => ("[", "]", "company"),
    };
    let class = if node.is_customer { "customer" } else { class };
    let marks = [(node.is_customer, "CUSTOMER"), (node.is_beneficial_owner, "UBO")];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark.to_owned());
    let told = [&node.name].into_iter().chain(&node.details).map(|line| quoted(line));
    let lines: Vec<String> = marks.chain(told).filter(|line| !line.is_empty()).collect();
    let label = if lines.is_empty() { "#160;".to_owned() } else { lines.join("<br/>") };
    let mut text = format!("    n{number}{open}\"{label}\"{close}:::{class}\n");
    if node.is_beneficial_owner {
        push(&mut text, format_args!("    class n{number} ubo\n"));
    }
    text
}

/// Callers' text as it may stand between quotes: only letters, digits, spaces and commas do as they
/// are. The rest are entity codes, which Mermaid reads after everything else, so that a text ends no
/// label and is no directive, no link and no Markdown, as `1. FC Example` would be.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in clean(text).chars() {
        if c.is_alphanumeric() || " ,".contains(c) {
            safe.push(c);
        } else {
            push(&mut safe, format_args!("#{};", u32::from(c)));
        }
        if c == ':' {
            // A joiner without width: `fa:fa-car` would be taken for an icon.
            safe.push_str("#8288;");
        }
    }
    safe
}

/// Writing to a string cannot fail.
fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}
