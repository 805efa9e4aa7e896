//! XML, record by record: a record becomes a small tree, everything else streams past.
//!
//! No document type, so no entity can expand; nesting and the size of a record are bounded, and an
//! element that is still open at the end of the file tells that the file was cut off.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::Refused;
use super::input::{MAX_RECORD, Meter};
use super::sniff::{Source, unreadable};
use super::text::clean;

/// The deepest real list has twelve.
const MAX_DEPTH: usize = 64;

/// The fullest real element has sixteen.
const MAX_ATTRIBUTES: usize = 256;

/// What a node costs beside its text.
const NODE: u64 = 128;

/// An element with what is in it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Without its namespace.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// The attribute, empty if there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        clean(&self.text)
    }

    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child, empty if there is none.
    pub(super) fn text_of(&self, name: &str) -> String {
        self.child(name).map(Node::text).unwrap_or_default()
    }
}

/// A record, or why it can't be read, with the line on which it begins.
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) node: Result<Node, String>,
}

/// The records of a file.
pub(super) struct Records<'a> {
    name: String,
    reader: Reader<Meter<Box<dyn BufRead + 'a>>>,
    buffer: Vec<u8>,
    /// The elements that are records.
    records: &'static [&'static str],
    depth: usize,
    begun: bool,
    /// Of the root element.
    root: HashMap<String, String>,
}

enum Step {
    Open(Node),
    Close,
    Text(String),
    Other,
    End,
}

impl<'a> Records<'a> {
    pub(super) fn new(
        source: Source<'a>,
        records: &'static [&'static str],
        limit: u64,
    ) -> Records<'a> {
        let mut reader = Reader::from_reader(Meter::new(source.read, limit));
        reader.config_mut().expand_empty_elements = true;
        Records {
            name: source.name,
            reader,
            buffer: Vec::new(),
            records,
            depth: 0,
            begun: false,
            root: HashMap::new(),
        }
    }

    /// An attribute of the root element, once the first record was read.
    pub(super) fn root(&self, attribute: &str) -> Option<String> {
        self.root.get(attribute).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn next(&mut self) -> Result<Option<Record>, Refused> {
        loop {
            let line = self.reader.get_ref().line();
            match self.step()? {
                (Step::Open(node), bad) if self.records.contains(&node.name.as_str()) => {
                    let node = self.record(node, bad)?;
                    return Ok(Some(Record { line, node }));
                }
                (Step::Open(node), _) if self.depth == 1 => {
                    self.begun = true;
                    self.root = node.attributes.into_iter().collect();
                }
                (Step::End, _) => return Ok(None),
                _ => {}
            }
        }
    }

    /// The rest of a record. One that is too large is read past, not kept.
    fn record(
        &mut self,
        first: Node,
        bad: Option<String>,
    ) -> Result<Result<Node, String>, Refused> {
        let mut open = vec![first];
        let mut fault = bad;
        let mut size = 0;
        loop {
            let (step, bad) = self.step()?;
            fault = fault.or(bad);
            match step {
                Step::Open(node) => {
                    let attributes = node.attributes.iter().map(|(k, v)| k.len() + v.len());
                    size += NODE + attributes.sum::<usize>() as u64;
                    open.push(node);
                }
                Step::Text(text) => {
                    size += text.len() as u64;
                    if let Some(node) = open.last_mut().filter(|_| size <= MAX_RECORD) {
                        node.text.push_str(&text);
                    }
                }
                Step::Close => {
                    let Some(node) = open.pop() else { continue };
                    match open.last_mut() {
                        Some(parent) if size <= MAX_RECORD => parent.children.push(node),
                        Some(_) => {}
                        None if size > MAX_RECORD => {
                            return Ok(Err(format!("is longer than {MAX_RECORD} bytes")));
                        }
                        None => return Ok(fault.map_or(Ok(node), Err)),
                    }
                }
                Step::Other => {}
                Step::End => return Err(self.refuse("is cut off")),
            }
        }
    }

    fn refuse(&self, why: impl Into<String>) -> Refused {
        Refused::new(&self.name, self.reader.get_ref().line(), why)
    }

    /// The next event, and what in it makes its record bad.
    fn step(&mut self) -> Result<(Step, Option<String>), Refused> {
        self.reader.get_mut().mark();
        self.buffer.clear();
        let mut bad = None;
        let event = self.reader.read_event_into(&mut self.buffer);
        let step = match event {
            Ok(Event::Start(start)) => match node(&start) {
                Ok((node, fault)) => {
                    bad = fault;
                    self.depth += 1;
                    Step::Open(node)
                }
                Err(why) => return Err(self.refuse(why)),
            },
            Ok(Event::End(_)) => {
                self.depth = self.depth.saturating_sub(1);
                Step::Close
            }
            Ok(Event::Text(text)) => Step::Text(text.xml10_content().into_owned()),
            Ok(Event::CData(text)) => Step::Text(text.xml10_content().into_owned()),
            Ok(Event::GeneralRef(reference)) => {
                let name = reference.xml10_content();
                let found = match reference.resolve_char_ref() {
                    Ok(Some(c)) => Some(c.to_string()),
                    Ok(None) => quick_xml::escape::resolve_xml_entity(&name).map(str::to_owned),
                    Err(_) => None,
                };
                if found.is_none() {
                    bad = Some(format!("holds &{name};, which means nothing"));
                }
                Step::Text(found.unwrap_or_default())
            }
            Ok(Event::DocType(_)) => return Err(self.refuse("has a DOCTYPE; no list has one")),
            Ok(Event::Decl(declaration)) => {
                let utf8 =
                    |name: &str| matches!(name.to_ascii_lowercase().as_str(), "utf-8" | "us-ascii");
                match declaration.encoding() {
                    Some(Ok(name)) if !utf8(&name) => {
                        let why = format!("is written in {name}; UTF-8 is read");
                        return Err(self.refuse(why));
                    }
                    _ => Step::Other,
                }
            }
            Ok(Event::Eof) if self.depth > 0 => return Err(self.refuse("is cut off")),
            Ok(Event::Eof) if !self.begun => return Err(self.refuse("is not XML")),
            Ok(Event::Eof) => Step::End,
            Ok(_) => Step::Other,
            Err(quick_xml::Error::Io(error)) => {
                let why = unreadable(&error);
                return Err(self.refuse(why));
            }
            Err(error) => {
                let why = format!("is not well-formed XML: {error}");
                return Err(self.refuse(why));
            }
        };
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(format!("nests deeper than {MAX_DEPTH} elements")));
        }
        Ok((step, bad))
    }
}

/// An element, and what in its attributes can't be read.
fn node(start: &BytesStart<'_>) -> Result<(Node, Option<String>), String> {
    let mut node = Node { name: start.local_name().as_ref().to_owned(), ..Node::default() };
    let mut bad = None;
    // The check for duplicates is quadratic; of two the first counts.
    for attribute in start.attributes().with_checks(false) {
        if node.attributes.len() == MAX_ATTRIBUTES {
            return Err(format!("has an element of more than {MAX_ATTRIBUTES} attributes"));
        }
        let attribute = attribute.map_err(|error| format!("is not well-formed XML: {error}"))?;
        let name = attribute.key.local_name().as_ref().to_owned();
        match attribute.normalized_value(XmlVersion::Implicit1_0) {
            Ok(value) => node.attributes.push((name, clean(&value))),
            Err(error) => bad = Some(format!("has an attribute that can't be read: {error}")),
        }
    }
    Ok((node, bad))
}
