//! Writes SVG elements with `quick-xml`. Caller-supplied text is written only as text nodes.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

/// An SVG document in progress.
pub(crate) struct Canvas {
    writer: Writer<Vec<u8>>,
}

/// Font and alignment of a text.
#[derive(Clone, Copy)]
pub(crate) struct TextStyle {
    /// Font size in pixels.
    pub(crate) size: f64,
    /// CSS font weight.
    pub(crate) weight: &'static str,
    pub(crate) colour: &'static str,
    /// SVG `text-anchor`: `start` if the text begins at its `x`, `middle` if it is centred there.
    pub(crate) anchor: &'static str,
}

impl Canvas {
    pub(crate) fn new() -> Canvas {
        Canvas { writer: Writer::new_with_indent(Vec::new(), b' ', 1) }
    }

    /// Opens an element that contains others. [`Canvas::close`] must follow.
    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        let element = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.writer.write_event(Event::Start(element))
    }

    /// Closes the innermost open element, which must have this name.
    pub(crate) fn close(&mut self, name: &str) -> io::Result<()> {
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    /// Writes an element without content.
    pub(crate) fn shape(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        let element = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.writer.write_event(Event::Empty(element))
    }

    /// Gives the open element a title, which browsers show as a tooltip and screen readers read.
    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        self.writer.create_element("title").write_text_content(BytesText::new(text)).map(drop)
    }

    /// Writes one line of text. `y` is its baseline.
    pub(crate) fn text(&mut self, x: f64, y: f64, style: TextStyle, text: &str) -> io::Result<()> {
        let element = self.writer.create_element("text").with_attributes([
            ("x", number(x).as_str()),
            ("y", number(y).as_str()),
            ("font-size", number(style.size).as_str()),
            ("font-weight", style.weight),
            ("fill", style.colour),
            ("text-anchor", style.anchor),
        ]);
        element.write_text_content(BytesText::new(text)).map(drop)
    }

    /// Draws a rectangle whose top left corner is `(x, y)`. `look` contains the other attributes.
    pub(crate) fn rect(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        look: &[(&str, &str)],
    ) -> io::Result<()> {
        let numbers = [number(x), number(y), number(width), number(height)];
        let names = ["x", "y", "width", "height"];
        let position = names.into_iter().zip(numbers.iter().map(String::as_str));
        let attributes: Vec<_> = position.chain(look.iter().copied()).collect();
        self.shape("rect", &attributes)
    }

    /// Returns the finished document.
    pub(crate) fn finish(self) -> Result<String, std::string::FromUtf8Error> {
        String::from_utf8(self.writer.into_inner())
    }
}

/// Formats a coordinate with at most one decimal, because a tenth of a pixel is precise enough.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
