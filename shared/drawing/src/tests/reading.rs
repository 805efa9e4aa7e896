//! An SVG as a program reads it: XML first, then boxes and texts.

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
pub(super) struct Read {
    pub(super) page: Rect,
    /// By the party's id, or by its place when several have the same.
    pub(super) boxes: BTreeMap<String, Rect>,
    pub(super) labels: Vec<Rect>,
    /// Lines by their corners, but those of what a party holds in itself.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    /// Of all elements, in order; of a party first the title.
    pub(super) texts: Vec<String>,
    pub(super) titles: Vec<String>,
    pub(super) elements: Vec<String>,
    pub(super) attributes: Vec<(String, String)>,
}

impl Read {
    pub(super) fn of(svg: &str) -> Read {
        let mut reader = Reader::from_str(svg);
        reader.config_mut().check_end_names = true;
        let (mut read, mut party, mut depth, mut text) = (Read::default(), false, 0, String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => {
                    depth += 1;
                    text.clear();
                    party |= element.name().as_ref() == "g"
                        && attribute(&element, "class").is_some_and(|class| class == "party");
                    read.element(&element, &mut party);
                }
                Event::Empty(element) => read.element(&element, &mut party),
                Event::End(element) => {
                    depth -= 1;
                    match element.name().as_ref() {
                        "text" => read.texts.push(text.clone()),
                        "title" => read.titles.push(text.clone()),
                        _ => (),
                    }
                }
                Event::Text(more) => text += &more,
                Event::GeneralRef(name) => {
                    text += quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                }
                Event::Eof => break,
                other => panic!("{other:?} has no place in a drawing"),
            }
        }
        assert_eq!(depth, 0);
        read
    }

    fn element(&mut self, element: &BytesStart<'_>, party: &mut bool) {
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
            "rect" if *party => {
                // The first rectangle of a party is its box; its title has just been read.
                let title = self.titles.last().unwrap();
                let id = title.split('\n').nth(1).unwrap_or_default().to_owned();
                let id = if self.boxes.contains_key(&id) {
                    format!("{id}#{}", self.boxes.len())
                } else {
                    id
                };
                self.boxes.insert(id, rect);
                *party = false;
            }
            "rect" if attribute(element, "fill-opacity").is_some() => self.labels.push(rect),
            "path" => {
                let way = attribute(element, "d").unwrap();
                if !way.contains('C') {
                    self.lines.push(corners(&way));
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

fn corners(way: &str) -> Vec<(f64, f64)> {
    let numbers = way.split(['M', 'L', 'Q', ' ']).filter(|part| !part.is_empty());
    let numbers: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
    numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

/// A line that leads through a box, or a label that more than its own line leads through.
pub(super) fn crossed(read: &Read) -> Option<Rect> {
    let crosses = |line: &Vec<(f64, f64)>, rect: &Rect| {
        line.windows(2).any(|leg| {
            let ((a, b), (c, d)) = (leg[0], leg[1]);
            let apart = a.max(c) <= rect.x + 1.0
                || a.min(c) >= rect.x + rect.width - 1.0
                || b.max(d) <= rect.y + 1.0
                || b.min(d) >= rect.y + rect.height - 1.0;
            !apart
        })
    };
    let through = |rect: &Rect| read.lines.iter().filter(|line| crosses(line, rect)).count();
    let mut boxes = read.boxes.values().filter(|rect| through(rect) > 0);
    boxes.next().or(read.labels.iter().find(|rect| through(rect) > 1)).copied()
}

/// Two boxes, or a box and a label, or two labels that cover each other; or one that leaves the page.
pub(super) fn overlaps(read: &Read) -> Option<(Rect, Rect)> {
    let all: Vec<Rect> = read.boxes.values().chain(&read.labels).copied().collect();
    let page = read.page;
    for (at, a) in all.iter().enumerate() {
        let (right, bottom) = (a.x + a.width, a.y + a.height);
        if a.x < 0.0 || a.y < 0.0 || right > page.width || bottom > page.height {
            return Some((*a, page));
        }
        // Written with one decimal.
        let apart = |b: &&Rect| {
            right <= b.x + 0.2
                || b.x + b.width <= a.x + 0.2
                || bottom <= b.y + 0.2
                || b.y + b.height <= a.y + 0.2
        };
        if let Some(b) = all[at + 1..].iter().find(|b| !apart(b)) {
            return Some((*a, *b));
        }
    }
    None
}
