//! Routes the lines between the boxes.
//!
//! A line runs vertically through rows. It runs sideways only between two rows. Sideways pieces
//! that would overlap get separate lanes, and the distance between two rows grows with the number
//! of lanes.
#![expect(clippy::indexing_slicing, reason = "bends refer to boxes by valid indices")]

use std::collections::BTreeMap;

use crate::geometry::{Layout, Line, Link, Point, Size};

/// Distance between a row and its nearest lane. It leaves room for an arrow head.
const CLEARANCE: f64 = 15.0;
/// Vertical distance between two lanes.
const LANE: f64 = 8.0;
/// Smallest distance at which two arrow heads can be distinguished.
const ARROW_DISTANCE: f64 = 14.0;
/// Maximum distance between two lines that are spread evenly along a box.
const MAX_PORT_DISTANCE: f64 = 28.0;

/// The path of a link as the layout of `dagre` gives it.
pub(crate) struct Bends {
    pub(crate) link: Link,
    /// Whether the line leads upwards, because it closes a cycle.
    pub(crate) is_upward: bool,
    /// Points where the line crosses the rows between its ends, starting at the owner. Never empty.
    pub(crate) points: Vec<Point>,
    /// Centre of the label.
    pub(crate) label: Point,
}

/// A point where a line passes through a row.
#[derive(Clone, Copy)]
struct Stop {
    x: f64,
    row: usize,
}

/// Index of a line, and index of its leg. Leg `n` leads from stop `n` to stop `n + 1`.
type Leg = (usize, usize);

/// Horizontal position at which a line meets the box of a party, by line and party.
type Ports = BTreeMap<(usize, usize), f64>;

/// Routes every line, and moves the rows apart to make room for the lanes between them.
pub(crate) fn routes(boxes: &[Size], centres: &[Point], bends: Vec<Bends>) -> Layout {
    let rows = Rows::of(boxes, centres, &bends);
    let ports = ports(boxes, centres, &bends);
    let stops: Vec<Vec<Stop>> = bends
        .iter()
        .enumerate()
        .map(|(index, line)| stops(index, line, centres, &rows, &ports))
        .collect();
    let heights = Heights::of(&rows, crossings(&stops, &rows));

    let lines = bends.iter().zip(&stops).enumerate().map(|(index, (line, stops))| {
        let Bends { link, is_upward, label, .. } = line;
        let points = if link.owner == link.owned {
            Vec::new()
        } else {
            let edge_of = |party: usize, is_top: bool| {
                let half = boxes[party].height / 2.0;
                heights.middles[rows.at(centres[party].y)] + if is_top { -half } else { half }
            };
            let (start, end) = (edge_of(link.owner, *is_upward), edge_of(link.owned, !is_upward));
            heights.corners(index, stops, start, end)
        };
        Line { points, label: Point { x: label.x, y: heights.middles[rows.at(label.y)] } }
    });
    let boxes = centres.iter().map(|&Point { x, y }| Point { x, y: heights.middles[rows.at(y)] });
    Layout { boxes: boxes.collect(), lines: lines.collect() }
}

/// Lists the stops of a line at its ends and at the rows between them, from the owner to the owned
/// party. A line from a box to itself has no stops at its ends.
fn stops(index: usize, line: &Bends, centres: &[Point], rows: &Rows, ports: &Ports) -> Vec<Stop> {
    let end = |party: usize| {
        let row = rows.at(centres[party].y);
        ports.get(&(index, party)).map(|&x| Stop { x, row })
    };
    let inner = line.points.iter().map(|point| Stop { x: point.x, row: rows.at(point.y) });
    let (start, end) = (end(line.link.owner), end(line.link.owned));
    start.into_iter().chain(inner).chain(end).collect()
}

/// The rows, numbered from top to bottom. A row is identified by the vertical position of its
/// centre, rounded by [`Rows::key`].
struct Rows {
    numbers: BTreeMap<i64, usize>,
    /// Half the height of each row.
    half_heights: Vec<f64>,
}

impl Rows {
    fn of(boxes: &[Size], centres: &[Point], bends: &[Bends]) -> Rows {
        let boxed = centres.iter().zip(boxes).map(|(centre, size)| (centre.y, size.height));
        let labels = bends.iter().map(|line| (line.label.y, line.link.label.height));
        let points = bends.iter().flat_map(|line| line.points.iter().map(|point| (point.y, 0.0)));
        let mut half_heights: BTreeMap<i64, f64> = BTreeMap::new();
        for (middle, height) in boxed.chain(labels).chain(points) {
            let half = half_heights.entry(Rows::key(middle)).or_default();
            *half = half.max(height / 2.0);
        }
        let numbers = half_heights.keys().enumerate().map(|(number, key)| (*key, number)).collect();
        Rows { numbers, half_heights: half_heights.into_values().collect() }
    }

    /// Converts a vertical position to eighths of a pixel. Rounding is necessary, because the
    /// positions within one row differ by small errors.
    fn key(middle: f64) -> i64 {
        (middle * 8.0).round() as i64
    }

    /// Returns the number of the row whose centre has the vertical position `middle`.
    fn at(&self, middle: f64) -> usize {
        self.numbers[&Rows::key(middle)]
    }
}

/// A leg that leads sideways in the gap between two rows.
struct Crossing {
    leg: Leg,
    /// Horizontal position where the leg leaves the upper row.
    top: f64,
    /// Horizontal position where the leg reaches the lower row.
    bottom: f64,
    lane: usize,
}

impl Crossing {
    fn leads_left(&self) -> bool {
        self.bottom < self.top
    }

    /// Returns the horizontal range in which no other crossing may use the same lane.
    fn span(&self) -> (f64, f64) {
        (self.top.min(self.bottom) - LANE, self.top.max(self.bottom) + LANE)
    }
}

/// Lists the crossings in the gap below each row, with all lanes set to 0.
fn crossings(stops: &[Vec<Stop>], rows: &Rows) -> Vec<Vec<Crossing>> {
    let mut crossings: Vec<Vec<Crossing>> = rows.half_heights.iter().map(|_| Vec::new()).collect();
    for (line, stops) in stops.iter().enumerate() {
        for (leg, pair) in stops.windows(2).enumerate() {
            let (upper, lower) =
                if pair[0].row < pair[1].row { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            if upper.x != lower.x {
                let leg = (line, leg);
                crossings[upper.row].push(Crossing { leg, top: upper.x, bottom: lower.x, lane: 0 });
            }
        }
    }
    crossings
}

/// Vertical positions of rows and lanes.
struct Heights {
    /// Vertical middle of each row.
    middles: Vec<f64>,
    /// Vertical position of the lane of each leg that leads sideways.
    lanes: BTreeMap<Leg, f64>,
}

impl Heights {
    fn of(rows: &Rows, crossings: Vec<Vec<Crossing>>) -> Heights {
        let mut middles = Vec::with_capacity(rows.half_heights.len());
        let mut lanes = BTreeMap::new();
        let mut y = 0.0;
        for (half, mut crossings) in rows.half_heights.iter().zip(crossings) {
            middles.push(y + half);
            y += 2.0 * half + CLEARANCE;
            let last_lane = assign_lanes(&mut crossings);
            for crossing in crossings {
                lanes.insert(crossing.leg, y + LANE * crossing.lane as f64);
            }
            y += LANE * last_lane as f64 + CLEARANCE;
        }
        Heights { middles, lanes }
    }

    /// Returns the corners of a line from the vertical position `start` to the vertical position
    /// `end`.
    fn corners(&self, line: usize, stops: &[Stop], start: f64, end: f64) -> Vec<Point> {
        let (first, last) = (stops[0], stops[stops.len() - 1]);
        let mut points = Vec::with_capacity(2 * stops.len() + 2);
        points.push(Point { x: first.x, y: start });
        for (leg, pair) in stops.windows(2).enumerate() {
            if let Some(&y) = self.lanes.get(&(line, leg)) {
                points.extend([Point { x: pair[0].x, y }, Point { x: pair[1].x, y }]);
            }
        }
        points.push(Point { x: last.x, y: end });
        points
    }
}

/// Assigns lanes from top to bottom, so that lines that lead to the same side do not cross. If two
/// lines lead right, the line that starts further left gets the lower lane. If two lines lead left,
/// the line that starts further right gets the lower lane. Crossings that do not overlap may share
/// a lane. Returns the number of the last lane.
fn assign_lanes(crossings: &mut [Crossing]) -> usize {
    let order = |crossing: &Crossing| {
        if crossing.leads_left() { crossing.top } else { -crossing.top }
    };
    crossings
        .sort_by(|a, b| a.leads_left().cmp(&b.leads_left()).then(order(a).total_cmp(&order(b))));
    for index in 0..crossings.len() {
        let (before, rest) = crossings.split_at_mut(index);
        let (left, right) = rest[0].span();
        let overlapping = before.iter().filter(|other| {
            let (from, to) = other.span();
            from < right && left < to
        });
        rest[0].lane = overlapping.map(|other| other.lane + 1).max().unwrap_or(0);
    }
    crossings.iter().map(|crossing| crossing.lane).max().unwrap_or(0)
}

/// Determines the position at which each line meets each of its boxes. Lines meet a side of a box
/// at different positions, so arrow heads do not overlap.
fn ports(boxes: &[Size], centres: &[Point], bends: &[Bends]) -> Ports {
    let mut sides: BTreeMap<(usize, bool), Vec<(f64, usize)>> = BTreeMap::new();
    for (index, line) in bends.iter().enumerate() {
        let Bends { link, is_upward, points, .. } = line;
        if link.owner != link.owned {
            let (first, last) = (points[0], points[points.len() - 1]);
            sides.entry((link.owner, *is_upward)).or_default().push((first.x, index));
            sides.entry((link.owned, !is_upward)).or_default().push((last.x, index));
        }
    }
    let mut ports = BTreeMap::new();
    for ((party, _), mut lines) in sides {
        lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // The lines stay straight if every line at this side of the box can be straight. Otherwise
        // they are spread evenly around the middle of the box.
        let (middle, half) = (centres[party].x, 0.4 * boxes[party].width);
        let can_be_straight = lines.iter().all(|(x, _)| (x - middle).abs() <= half)
            && lines.windows(2).all(|pair| pair[1].0 - pair[0].0 >= ARROW_DISTANCE);
        let distance = (2.0 * half / lines.len() as f64).min(MAX_PORT_DISTANCE);
        let left = middle - distance * (lines.len() - 1) as f64 / 2.0;
        for (place, (x, index)) in lines.into_iter().enumerate() {
            let port = if can_be_straight { x } else { left + distance * place as f64 };
            ports.insert((index, party), port);
        }
    }
    ports
}
