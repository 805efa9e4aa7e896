//! Checks that caller-supplied text stays text, and that any graph can be drawn.

use proptest::prelude::*;

use super::parsed::{ParsedSvg, crossed, overlapping};
use crate::text::{clean, width, wrap};
use crate::{Drawing, Edge, Kind, Node, mermaid, svg};

const HOSTILE: [&str; 19] = [
    "<script>alert(1)</script>",
    "\"",
    "'",
    "&",
    "&lt;&#x3c;&amp;",
    "]]>",
    "<![CDATA[x]]>",
    "-->",
    "<!-- x",
    "\" onload=\"alert(1)",
    "a\u{0}b\u{1}c\u{b}\u{7f}\u{85}\u{fffe}\u{ffff}",
    "\u{202e}elgooG\u{2066}\u{2069}",
    "👩‍👩‍👧‍👦🏽 family",
    "\"]:::x; click n0 href \"javascript:alert(1)\"",
    "1. www.example.com - fa:fa-car",
    "%%{init: {\"securityLevel\": \"loose\"}}%%",
    "`**md** ![x](http://x)`",
    "a\nend\n  n0 --> n1\r\nsubgraph x",
    "#quot;#35;ﬂ°°60¶ß",
];

fn drawing_of(text: &str) -> Drawing {
    let node = |is_customer| Node {
        id: text.to_owned(),
        name: text.to_owned(),
        kind: Kind::Individual,
        is_customer,
        details: vec![text.to_owned(), text.to_owned()],
        is_beneficial_owner: true,
    };
    let edge = Edge { owner: 1, owned: 0, label: text.to_owned(), is_control_only: true };
    Drawing { title: text.to_owned(), nodes: vec![node(true), node(false)], edges: vec![edge] }
}

/// Checks that an SVG contains only allowed elements and attributes, that no boxes overlap, and
/// that no line crosses a box.
fn check(svg: &ParsedSvg) {
    let allowed = ["svg", "g", "title", "text", "rect", "path", "polygon"];
    for name in &svg.elements {
        assert!(allowed.contains(&name.as_str()), "{name}");
    }
    for (key, value) in &svg.attributes {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || " .,-#:/&;".contains(c);
        assert!(!key.starts_with("on") && value.chars().all(is_allowed), "{key}={value}");
    }
    assert_eq!(overlapping(svg), None);
    assert_eq!(crossed(svg), None);
}

/// Checks that caller-supplied text appears only between quotes and is escaped there.
fn check_mermaid(text: &str) {
    for line in text.lines() {
        let parts: Vec<&str> = line.split('"').collect();
        assert!(parts.len() == 1 || parts.len() == 3, "{line}");
        for (index, part) in parts.iter().enumerate() {
            if index % 2 == 1 {
                let label = part.replace("<br/>", "");
                let is_escaped = |c: char| c.is_alphanumeric() || " ,#;".contains(c);
                assert!(label.chars().all(is_escaped), "{line}");
            } else if !part.contains("classDef") {
                let is_syntax = |c: char| c.is_ascii_alphanumeric() || " .-()[]|:>".contains(c);
                assert!(part.chars().all(is_syntax), "{line}");
                assert!(!part.contains("click") && !part.contains("subgraph"), "{line}");
            }
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let wide = "W".repeat(200);
    for text in HOSTILE.into_iter().chain([wide.as_str()]) {
        let parsed = ParsedSvg::new(&svg(&drawing_of(text)).unwrap());
        check(&parsed);
        let cleaned = clean(text);
        assert_eq!(parsed.titles[0], cleaned);
        assert_eq!(parsed.titles[1], [&cleaned[..]; 4].join("\n"));
        check_mermaid(&mermaid(&drawing_of(&cleaned)));
    }
}

#[test]
fn characters_that_cannot_be_shown_are_dropped() {
    assert_eq!(clean(HOSTILE[10]), "abc");
    assert_eq!(clean("\u{202e}abc\u{2066}\u{2069}\u{202a} "), "abc");
    assert_eq!(clean(" a\t\n b\u{2028}c"), "a b c");
    assert_eq!(clean("Zoë 张伟 فاطمة 👩‍👧"), "Zoë 张伟 فاطمة 👩‍👧");
}

#[test]
fn long_names_are_wrapped_and_then_cut() {
    assert_eq!(wrap("Short Ltd", 13.0, 190.0, 3), ["Short Ltd"]);
    let lines = wrap(&"W".repeat(200), 13.0, 190.0, 3);
    assert_eq!(lines.len(), 3);
    assert!(lines[2].ends_with('…'));
    assert!(lines.iter().all(|line| width(line, 13.0) <= 190.0));
    assert_eq!(wrap("one two three", 10.0, 45.0, 2), ["one two", "three"]);
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
        "[ -~]{0,60}",
    ]
}

/// Generates arbitrary graphs of up to 23 parties, including cycles, parallel edges, parties that
/// hold shares in themselves, parties without edges, and edges to parties that do not exist.
fn drawings() -> impl Strategy<Value = Drawing> {
    let node = (texts(), texts(), prop::bool::ANY, prop::bool::weighted(0.1), prop::bool::ANY);
    let node = (node, prop::collection::vec(texts(), 0..4)).prop_map(
        |((id, name, company, is_customer, is_beneficial_owner), details)| {
            let kind = if company { Kind::Company } else { Kind::Individual };
            Node { id, name, kind, is_customer, details, is_beneficial_owner }
        },
    );
    prop::collection::vec(node, 0..24).prop_flat_map(|nodes| {
        let parties = nodes.len() + 1;
        let edge = (0..parties, 0..parties, texts(), prop::bool::ANY);
        let edge = edge.prop_map(|(owner, owned, label, is_control_only)| Edge {
            owner,
            owned,
            label,
            is_control_only,
        });
        let edges = prop::collection::vec(edge, 0..40);
        (texts(), Just(nodes), edges).prop_map(|(title, nodes, edges)| Drawing {
            title,
            nodes,
            edges,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_structure_can_be_drawn(drawing in drawings()) {
        let text = svg(&drawing).unwrap();
        let parsed = ParsedSvg::new(&text);
        check(&parsed);
        prop_assert_eq!(parsed.boxes.len(), drawing.nodes.len());
        // The layout names its helper points with a counter that is never reset. The result must
        // not depend on the counter.
        prop_assert_eq!(svg(&drawing).unwrap(), text);
        check_mermaid(&mermaid(&drawing));
    }
}
