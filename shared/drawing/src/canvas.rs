//! SVG elements, written by `quick-xml`. Callers' text goes in as text nodes and nothing else.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

pub(super) struct Canvas {
    writer: Writer<Vec<u8>>,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) weight: &'static str,
    pub(super) colour: &'static str,
    /// `start` or `middle`.
    pub(super) anchor: &'static str,
}

impl Canvas {
    pub(super) fn new() -> Canvas {
        Canvas { writer: Writer::new_with_indent(Vec::new(), b' ', 1) }
    }

    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        let element = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.writer.write_event(Event::Start(element))
    }

    pub(super) fn close(&mut self, name: &str) -> io::Result<()> {
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    pub(super) fn shape(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        let element = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.writer.write_event(Event::Empty(element))
    }

    /// What a reader is told of the element this stands in, when it is pointed at or read aloud.
    pub(super) fn title(&mut self, text: &str) -> io::Result<()> {
        self.writer.create_element("title").write_text_content(BytesText::new(text)).map(drop)
    }

    pub(super) fn text(&mut self, x: f64, y: f64, look: Type, text: &str) -> io::Result<()> {
        let element = self.writer.create_element("text").with_attributes([
            ("x", number(x).as_str()),
            ("y", number(y).as_str()),
            ("font-size", number(look.size).as_str()),
            ("font-weight", look.weight),
            ("fill", look.colour),
            ("text-anchor", look.anchor),
        ]);
        element.write_text_content(BytesText::new(text)).map(drop)
    }

    /// A rectangle by its top left corner, with the attributes that make its look.
    pub(super) fn rect(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        look: &[(&str, &str)],
    ) -> io::Result<()> {
        let place = [number(x), number(y), number(width), number(height)];
        let names = ["x", "y", "width", "height"];
        let place = names.into_iter().zip(place.iter().map(String::as_str));
        let attributes: Vec<_> = place.chain(look.iter().copied()).collect();
        self.shape("rect", &attributes)
    }

    pub(super) fn finish(self) -> Result<String, std::string::FromUtf8Error> {
        String::from_utf8(self.writer.into_inner())
    }
}

/// A coordinate: a tenth of a pixel is enough.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
