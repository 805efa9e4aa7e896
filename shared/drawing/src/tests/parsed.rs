//! Reads an SVG back: parses the XML and collects boxes, labels, lines and texts.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Default)]
pub(super) struct ParsedSvg {
    pub(super) page: Rect,
    /// Boxes by the id of the party. A repeated id gets a suffix.
    pub(super) boxes: BTreeMap<String, Rect>,
    pub(super) labels: Vec<Rect>,
    /// Corners of every line, except the loops of parties that hold themselves.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    /// Content of all `text` elements, in order.
    pub(super) texts: Vec<String>,
    /// Content of all `title` elements, in order.
    pub(super) titles: Vec<String>,
    /// Names of all elements.
    pub(super) elements: Vec<String>,
    /// Names and values of all attributes.
    pub(super) attributes: Vec<(String, String)>,
}

impl ParsedSvg {
    pub(super) fn new(svg: &str) -> ParsedSvg {
        let mut reader = Reader::from_str(svg);
        reader.config_mut().check_end_names = true;
        let mut parsed = ParsedSvg::default();
        let (mut expects_box, mut depth, mut text) = (false, 0, String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => {
                    depth += 1;
                    text.clear();
                    expects_box |= element.name().as_ref() == "g"
                        && attribute(&element, "class").is_some_and(|class| class == "party");
                    parsed.element(&element, &mut expects_box);
                }
                Event::Empty(element) => parsed.element(&element, &mut expects_box),
                Event::End(element) => {
                    depth -= 1;
                    match element.name().as_ref() {
                        "text" => parsed.texts.push(text.clone()),
                        "title" => parsed.titles.push(text.clone()),
                        _ => (),
                    }
                }
                Event::Text(more) => text += &more,
                Event::GeneralRef(name) => {
                    text += quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                }
                Event::Eof => break,
                other => panic!("{other:?} must not be in a drawing"),
            }
        }
        assert_eq!(depth, 0);
        parsed
    }

    /// Records an element. `expects_box` is true between the start of a party and its box.
    fn element(&mut self, element: &BytesStart<'_>, expects_box: &mut bool) {
        let name = element.name().as_ref().to_owned();
        for attribute in element.attributes() {
            let attribute = attribute.unwrap();
            let key = attribute.key.as_ref().to_owned();
            self.attributes.push((key, attribute.value.into_owned()));
        }
        let number =
            |key| attribute(element, key).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        let rect = Rect {
            x: number("x"),
            y: number("y"),
            width: number("width"),
            height: number("height"),
        };
        match name.as_str() {
            "svg" => self.page = rect,
            "rect" if *expects_box => {
                // The title of a party directly precedes its box. The second line of the title is
                // the id.
                let title = self.titles.last().unwrap();
                let mut id = title.split('\n').nth(1).unwrap().to_owned();
                if self.boxes.contains_key(&id) {
                    id = format!("{id}#{}", self.boxes.len());
                }
                self.boxes.insert(id, rect);
                *expects_box = false;
            }
            "rect" if attribute(element, "fill-opacity").is_some() => self.labels.push(rect),
            "path" => {
                let data = attribute(element, "d").unwrap();
                let is_loop = data.contains('C');
                if !is_loop {
                    self.lines.push(corners(&data));
                }
            }
            _ => (),
        }
        self.elements.push(name);
    }
}

fn attribute(element: &BytesStart<'_>, key: &str) -> Option<String> {
    let attribute = element.try_get_attribute(key).unwrap()?;
    Some(attribute.value.into_owned())
}

/// Reads the corners of a line from SVG path data.
fn corners(data: &str) -> Vec<(f64, f64)> {
    let numbers = data.split(['M', 'L', 'Q', ' ']).filter(|part| !part.is_empty());
    let numbers: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
    numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Returns a box that a line runs through, or a label that more than one line runs through. The
/// line that a label belongs to may run through the label.
pub(super) fn crossed(svg: &ParsedSvg) -> Option<Rect> {
    let line_count = |rect: &Rect| svg.lines.iter().filter(|line| runs_through(line, rect)).count();
    let mut boxes = svg.boxes.values().filter(|rect| line_count(rect) > 0);
    boxes.next().or(svg.labels.iter().find(|rect| line_count(rect) > 1)).copied()
}

fn runs_through(line: &[(f64, f64)], rect: &Rect) -> bool {
    line.windows(2).any(|leg| {
        let ((a, b), (c, d)) = (leg[0], leg[1]);
        let is_apart = a.max(c) <= rect.x + 1.0
            || a.min(c) >= rect.x + rect.width - 1.0
            || b.max(d) <= rect.y + 1.0
            || b.min(d) >= rect.y + rect.height - 1.0;
        !is_apart
    })
}

/// Returns two boxes or labels that overlap, or a box or label that extends beyond the page, paired
/// with the page. Returns `None` if there is neither.
pub(super) fn overlapping(svg: &ParsedSvg) -> Option<(Rect, Rect)> {
    let rects: Vec<Rect> = svg.boxes.values().chain(&svg.labels).copied().collect();
    let page = svg.page;
    for (index, a) in rects.iter().enumerate() {
        let (right, bottom) = (a.x + a.width, a.y + a.height);
        if a.x < 0.0 || a.y < 0.0 || right > page.width || bottom > page.height {
            return Some((*a, page));
        }
        // Numbers are written with one decimal, so two rounding errors can add up to 0.2.
        let is_apart = |b: &&Rect| {
            right <= b.x + 0.2
                || b.x + b.width <= a.x + 0.2
                || bottom <= b.y + 0.2
                || b.y + b.height <= a.y + 0.2
        };
        if let Some(b) = rects[index + 1..].iter().find(|b| !is_apart(b)) {
            return Some((*a, *b));
        }
    }
    None
}
