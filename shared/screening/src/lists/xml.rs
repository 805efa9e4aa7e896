//! Reads XML files one record at a time. A record becomes a small tree, and everything outside of
//! records is streamed.
//!
//! The reader is safe for hostile files. It refuses a document type, so entities cannot expand. It
//! limits the depth of nesting, the number of attributes and the size of a record. An element that
//! is still open at the end of the file reveals that the file was cut off.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::Refused;
use super::input::{MAX_RECORD, Meter};
use super::sniff::{DOCTYPE, Source, read_error};
use super::text::clean;

/// Maximum depth of nesting. The deepest real list has 12 levels.
const MAX_DEPTH: usize = 64;

/// Maximum number of attributes of an element. The largest number in a real list is 16.
const MAX_ATTRIBUTES: usize = 256;

/// Estimated memory in bytes that a node takes in addition to its text. It counts towards the
/// maximum size of a record.
const NODE_OVERHEAD: u64 = 128;

/// An element with its content.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Name of the element without its namespace.
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// Returns the value of an attribute, or an empty string if it does not exist.
    pub(super) fn attribute(&self, name: &str) -> &str {
        let attribute = self.attributes.iter().find(|(key, _)| key == name);
        attribute.map_or("", |(_, value)| value)
    }

    /// Returns the text directly inside the element.
    pub(super) fn text(&self) -> String {
        clean(&self.text)
    }

    /// Returns all children with this name.
    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the first child with this name.
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the text of the first child with this name, or an empty string if there is none.
    pub(super) fn text_of(&self, name: &str) -> String {
        self.child(name).map_or_else(String::new, Node::text)
    }
}

/// A record of a list.
pub(super) struct Record {
    /// Line on which the record begins, counted from 1.
    pub(super) line: u64,
    /// The record, or the reason why it must be skipped.
    pub(super) node: Result<Node, String>,
}

/// The records of a file.
pub(super) struct Records<'a> {
    name: String,
    reader: Reader<Meter<Box<dyn BufRead + 'a>>>,
    buffer: Vec<u8>,
    /// Names of the elements that are records.
    record_names: &'static [&'static str],
    /// Number of elements that are open.
    depth: usize,
    has_root: bool,
    root_attributes: HashMap<String, String>,
}

/// An event of the XML reader, reduced to the parts that matter here.
enum Step {
    Open(Node),
    Close,
    Text(String),
    Other,
    End,
}

impl<'a> Records<'a> {
    /// Reads the elements in `record_names` from a file of at most `max_bytes` bytes.
    pub(super) fn new(
        source: Source<'a>,
        record_names: &'static [&'static str],
        max_bytes: u64,
    ) -> Records<'a> {
        let mut reader = Reader::from_reader(Meter::new(source.read, max_bytes));
        reader.config_mut().expand_empty_elements = true;
        Records {
            name: source.name,
            reader,
            buffer: Vec::new(),
            record_names,
            depth: 0,
            has_root: false,
            root_attributes: HashMap::new(),
        }
    }

    /// Returns an attribute of the root element, or `None` if it is missing or empty. All
    /// attributes are missing before the first call of [`Records::next`].
    pub(super) fn root_attribute(&self, name: &str) -> Option<String> {
        self.root_attributes.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Returns the next record, or `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Refused> {
        loop {
            let line = self.reader.get_ref().line();
            match self.step()? {
                (Step::Open(node), fault) if self.record_names.contains(&node.name.as_str()) => {
                    let node = self.record(node, fault)?;
                    return Ok(Some(Record { line, node }));
                }
                (Step::Open(node), _) if self.depth == 1 => {
                    self.has_root = true;
                    self.root_attributes = node.attributes.into_iter().collect();
                }
                (Step::End, _) => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads the rest of a record whose start tag is `first`. The inner error is the reason to skip
    /// the record. A record that is too large is read to its end but not stored.
    #[expect(clippy::expect_used, reason = "the loop returns when it closes the first element")]
    fn record(
        &mut self,
        first: Node,
        first_fault: Option<String>,
    ) -> Result<Result<Node, String>, Refused> {
        let mut open = vec![first];
        let mut fault = first_fault;
        let mut size = 0;
        loop {
            let (step, step_fault) = self.step()?;
            fault = fault.or(step_fault);
            match step {
                Step::Open(node) => {
                    let attributes = node.attributes.iter().map(|(k, v)| k.len() + v.len());
                    size += NODE_OVERHEAD + attributes.sum::<usize>() as u64;
                    open.push(node);
                }
                Step::Text(text) => {
                    size += text.len() as u64;
                    if size <= MAX_RECORD {
                        let node = open.last_mut().expect("the record is open until it returns");
                        node.text.push_str(&text);
                    }
                }
                Step::Close => {
                    let node = open.pop().expect("the record is open until it returns");
                    match open.last_mut() {
                        Some(parent) if size <= MAX_RECORD => parent.children.push(node),
                        Some(_) => {}
                        None if size > MAX_RECORD => {
                            return Ok(Err(format!(
                                "the record is longer than {MAX_RECORD} bytes"
                            )));
                        }
                        None => return Ok(fault.map_or(Ok(node), Err)),
                    }
                }
                Step::Other => {}
                Step::End => return Err(self.refuse(CUT_OFF)),
            }
        }
    }

    fn refuse(&self, reason: impl Into<String>) -> Refused {
        Refused::new(&self.name, self.reader.get_ref().line(), reason)
    }

    /// Reads the next event. Also returns a fault of the event, which is the reason to skip the
    /// record around it.
    fn step(&mut self) -> Result<(Step, Option<String>), Refused> {
        self.reader.get_mut().start_record();
        self.buffer.clear();
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => return Err(self.refuse(read_error(&error))),
            Err(error) => return Err(self.refuse(malformed(&error))),
        };
        let mut fault = None;
        let step = match event {
            Event::Start(start) => match read_node(&start) {
                Ok((node, attribute_fault)) => {
                    fault = attribute_fault;
                    self.depth += 1;
                    Step::Open(node)
                }
                Err(reason) => return Err(self.refuse(reason)),
            },
            Event::End(_) => match self.depth.checked_sub(1) {
                Some(depth) => {
                    self.depth = depth;
                    Step::Close
                }
                None => return Err(self.refuse(malformed(&"an end tag has no start tag"))),
            },
            Event::Text(text) => Step::Text(text.xml10_content().into_owned()),
            Event::CData(text) => Step::Text(text.xml10_content().into_owned()),
            Event::GeneralRef(reference) => match resolve(&reference) {
                Ok(text) => Step::Text(text),
                Err(reason) => {
                    fault = Some(reason);
                    Step::Other
                }
            },
            Event::DocType(_) => return Err(self.refuse(DOCTYPE)),
            Event::Decl(declaration) => match check_encoding(&declaration) {
                Ok(()) => Step::Other,
                Err(reason) => return Err(self.refuse(reason)),
            },
            Event::Eof if self.depth > 0 => return Err(self.refuse(CUT_OFF)),
            Event::Eof if !self.has_root => {
                return Err(self.refuse("the file is not XML; download it again"));
            }
            Event::Eof => Step::End,
            _ => Step::Other,
        };
        if self.depth > MAX_DEPTH {
            let reason = format!(
                "elements are nested more than {MAX_DEPTH} deep; check that the file is a watchlist"
            );
            return Err(self.refuse(reason));
        }
        Ok((step, fault))
    }
}

const CUT_OFF: &str = "the file is cut off; download it again";

fn malformed(error: &impl std::fmt::Display) -> String {
    format!("the file is not well-formed XML: {error}; download it again")
}

/// Reads a start tag. Also returns a fault in its attributes, which is the reason to skip the
/// record. The error is the reason to refuse the file.
fn read_node(start: &BytesStart<'_>) -> Result<(Node, Option<String>), String> {
    let mut node = Node { name: start.local_name().as_ref().to_owned(), ..Node::default() };
    let mut fault = None;
    // The check for duplicate attributes is off, because it takes quadratic time. `Node::attribute`
    // returns the first of several attributes with the same name.
    for attribute in start.attributes().with_checks(false) {
        if node.attributes.len() == MAX_ATTRIBUTES {
            return Err(format!(
                "an element has more than {MAX_ATTRIBUTES} attributes; \
                 check that the file is a watchlist"
            ));
        }
        let attribute = attribute.map_err(|error| malformed(&error))?;
        let name = attribute.key.local_name().as_ref().to_owned();
        match attribute.normalized_value(XmlVersion::Implicit1_0) {
            Ok(value) => node.attributes.push((name, clean(&value))),
            Err(error) => fault = Some(format!("an attribute cannot be read: {error}")),
        }
    }
    Ok((node, fault))
}

/// Resolves a reference to a character or to one of the predefined entities. The error is the
/// reason to skip the record.
fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    let name = reference.xml10_content();
    let text = match reference.resolve_char_ref() {
        Ok(Some(c)) => Some(c.to_string()),
        Ok(None) => quick_xml::escape::resolve_xml_entity(&name).map(str::to_owned),
        Err(_) => None,
    };
    text.ok_or_else(|| format!("the reference &{name}; is not defined"))
}

/// Checks that an XML declaration states UTF-8, its subset US-ASCII, or no encoding. The error is
/// the reason to refuse the file.
fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), String> {
    match declaration.encoding() {
        Some(Ok(name)) if !matches!(&*name.to_ascii_lowercase(), "utf-8" | "us-ascii") => {
            Err(format!("the encoding is {name}; convert the file to UTF-8"))
        }
        _ => Ok(()),
    }
}
