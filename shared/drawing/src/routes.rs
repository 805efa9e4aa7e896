//! The ways of the lines between the boxes: down or up, and sideways only between two rows, each in
//! a lane of its own where several would run together.
#![allow(clippy::indexing_slicing, reason = "bends name boxes there are")]

use std::collections::BTreeMap;

use super::layout::{Layout, Line, Link, Point, Size};

/// A line as the layout has it: where it passes the rows between its ends.
pub(super) struct Bends {
    pub(super) link: Link,
    /// It closes a circle, and leads upwards.
    pub(super) rises: bool,
    pub(super) points: Vec<Point>,
    pub(super) label: Point,
}

/// A line enters a row here.
#[derive(Clone, Copy)]
struct Stop {
    x: f64,
    row: usize,
}

/// From a row to its first lane, and from its last lane to the next row: room for an arrow head.
const CLEAR: f64 = 15.0;
const LANE: f64 = 8.0;
/// Arrow heads side by side are to be told apart.
const APART: f64 = 14.0;

/// Rows get the distance that the lanes between them need.
pub(super) fn routes(boxes: &[Size], centres: &[Point], bends: Vec<Bends>) -> Layout {
    let rows = Rows::of(boxes, centres, &bends);
    let ports = ports(boxes, centres, &bends);
    let stops = |(at, line): (usize, &Bends)| {
        let end = |party: usize| {
            let row = rows.at(centres[party].y);
            ports.get(&(at, party)).map(|&x| Stop { x, row })
        };
        let inner = line.points.iter().map(|point| Stop { x: point.x, row: rows.at(point.y) });
        let (from, to) = (end(line.link.owner), end(line.link.owned));
        from.into_iter().chain(inner).chain(to).collect()
    };
    let all: Vec<Vec<Stop>> = bends.iter().enumerate().map(stops).collect();

    let mut crossings: Vec<Vec<Crossing>> = rows.halves.iter().map(|_| Vec::new()).collect();
    for (line, stops) in all.iter().enumerate() {
        for (leg, pair) in stops.windows(2).enumerate() {
            let (top, bottom) = if pair[0].row < pair[1].row { (0, 1) } else { (1, 0) };
            let (top, bottom) = (pair[top], pair[bottom]);
            if top.x != bottom.x {
                let crossing = Crossing { line, leg, top: top.x, bottom: bottom.x, lane: 0 };
                crossings[top.row].push(crossing);
            }
        }
    }
    let mut middles = Vec::with_capacity(rows.halves.len());
    let mut lanes: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut y = 0.0;
    for (half, crossings) in rows.halves.iter().zip(&mut crossings) {
        middles.push(y + half);
        y += 2.0 * half + CLEAR;
        let most = spread(crossings);
        for crossing in crossings {
            lanes.insert((crossing.line, crossing.leg), y + LANE * crossing.lane as f64);
        }
        y += LANE * most as f64 + CLEAR;
    }

    let line = |(at, stops): (usize, &Vec<Stop>)| {
        let Bends { link, rises, label, .. } = &bends[at];
        let edge = |party: usize, is_top: bool| {
            let half = boxes[party].height / 2.0;
            middles[rows.at(centres[party].y)] + if is_top { -half } else { half }
        };
        let mut points = Vec::with_capacity(2 * stops.len() + 2);
        if let ([first, .., last], true) = (&stops[..], link.owner != link.owned) {
            points.push(Point { x: first.x, y: edge(link.owner, *rises) });
            for (leg, pair) in stops.windows(2).enumerate() {
                if let Some(&y) = lanes.get(&(at, leg)) {
                    points.extend([Point { x: pair[0].x, y }, Point { x: pair[1].x, y }]);
                }
            }
            points.push(Point { x: last.x, y: edge(link.owned, !rises) });
        }
        Line { points, label: Point { x: label.x, y: middles[rows.at(label.y)] } }
    };
    let lines = all.iter().enumerate().map(line).collect();
    let boxes = centres.iter().map(|&Point { x, y }| Point { x, y: middles[rows.at(y)] }).collect();
    Layout { boxes, lines }
}

/// The rows from top to bottom, known by the middle of what stands in them.
struct Rows {
    numbers: BTreeMap<i64, usize>,
    /// Half of the height of each.
    halves: Vec<f64>,
}

impl Rows {
    fn of(boxes: &[Size], centres: &[Point], bends: &[Bends]) -> Rows {
        let boxed = centres.iter().zip(boxes).map(|(centre, size)| (centre.y, size.height));
        let labelled = bends.iter().map(|line| (line.label.y, line.link.label.height));
        let passed = bends.iter().flat_map(|line| line.points.iter().map(|point| (point.y, 0.0)));
        let mut halves: BTreeMap<i64, f64> = BTreeMap::new();
        for (middle, height) in boxed.chain(labelled).chain(passed) {
            let half = halves.entry(Rows::key(middle)).or_default();
            *half = half.max(height / 2.0);
        }
        let numbers = halves.keys().enumerate().map(|(number, key)| (*key, number)).collect();
        Rows { numbers, halves: halves.into_values().collect() }
    }

    /// What stands in one row differs by rounding.
    fn key(middle: f64) -> i64 {
        (middle * 8.0).round() as i64
    }

    fn at(&self, middle: f64) -> usize {
        self.numbers.get(&Rows::key(middle)).copied().unwrap_or_default()
    }
}

/// A line on its way sideways between two rows.
struct Crossing {
    line: usize,
    leg: usize,
    top: f64,
    bottom: f64,
    lane: usize,
}

/// Gives lanes from the top to the bottom, so that lines to one side don't cross each other: of two
/// to the right, the one that comes from further left runs below. Returns the last lane.
fn spread(crossings: &mut [Crossing]) -> usize {
    let leads_left = |crossing: &Crossing| crossing.bottom < crossing.top;
    let order = |crossing: &Crossing| {
        if leads_left(crossing) { crossing.top } else { -crossing.top }
    };
    crossings.sort_by(|a, b| leads_left(a).cmp(&leads_left(b)).then(order(a).total_cmp(&order(b))));
    let span = |crossing: &Crossing| {
        let (left, right) = (crossing.top.min(crossing.bottom), crossing.top.max(crossing.bottom));
        (left - LANE, right + LANE)
    };
    for at in 0..crossings.len() {
        let (before, rest) = crossings.split_at_mut(at);
        let (left, right) = span(&rest[0]);
        let beside = before.iter().filter(|other| {
            let (from, to) = span(other);
            from < right && left < to
        });
        rest[0].lane = beside.map(|other| other.lane + 1).max().unwrap_or(0);
    }
    crossings.iter().map(|crossing| crossing.lane).max().unwrap_or(0)
}

/// By line and box: how far right they meet. Each line has a place of its own, so that arrow heads
/// do not pile up.
fn ports(boxes: &[Size], centres: &[Point], bends: &[Bends]) -> BTreeMap<(usize, usize), f64> {
    let mut sides: BTreeMap<(usize, bool), Vec<(f64, usize)>> = BTreeMap::new();
    for (at, line) in
        bends.iter().enumerate().filter(|(_, line)| line.link.owner != line.link.owned)
    {
        if let (Some(first), Some(last)) = (line.points.first(), line.points.last()) {
            sides.entry((line.link.owner, line.rises)).or_default().push((first.x, at));
            sides.entry((line.link.owned, !line.rises)).or_default().push((last.x, at));
        }
    }
    let mut ports = BTreeMap::new();
    for ((party, _), mut lines) in sides {
        lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // Straight where all lines can be, else evenly around the middle.
        let (middle, half) = (centres[party].x, 0.4 * boxes[party].width);
        let fits = lines.iter().all(|(x, _)| (x - middle).abs() <= half)
            && lines.windows(2).all(|pair| pair[1].0 - pair[0].0 >= APART);
        let gap = (2.0 * half / lines.len() as f64).min(28.0);
        let left = middle - gap * (lines.len() - 1) as f64 / 2.0;
        for (place, (x, at)) in lines.into_iter().enumerate() {
            ports.insert((at, party), if fits { x } else { left + gap * place as f64 });
        }
    }
    ports
}
