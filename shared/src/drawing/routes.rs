//! The ways of the lines between the boxes.
#![allow(clippy::indexing_slicing, reason = "bends name boxes there are")]

use std::collections::BTreeMap;

use super::layout::{Line, Link, Point, Size};

/// A line as the layout has it: where it passes the rows between its ends.
pub(super) struct Bends {
    pub(super) link: Link,
    /// It closes a circle, and leads upwards.
    pub(super) rises: bool,
    pub(super) points: Vec<Point>,
    pub(super) label: Point,
}

/// The lines pass a row straight, so as to cut no corner of a box in it, and meet a box each at a
/// place of its own, so that arrow heads do not pile up.
pub(super) fn routes(boxes: &[Size], centres: &[Point], bends: Vec<Bends>) -> Vec<Line> {
    // By the middle of a row: half of its height.
    let mut rows: BTreeMap<i64, f64> = BTreeMap::new();
    let boxed = centres.iter().zip(boxes).map(|(centre, size)| (centre.y, size.height));
    let labelled = bends.iter().map(|line| (line.label.y, line.link.label.height));
    for (middle, height) in boxed.chain(labelled) {
        let half = rows.entry(row(middle)).or_default();
        *half = half.max(height / 2.0);
    }

    let ports = ports(boxes, centres, &bends);
    let line = |(edge, line): (usize, Bends)| {
        let mut points = Vec::with_capacity(2 * line.points.len() + 2);
        if let (Some(from), Some(to)) =
            (ports.get(&(edge, line.link.owner)), ports.get(&(edge, line.link.owned)))
        {
            points.push(*from);
            for Point { x, y } in line.points {
                let half = rows.get(&row(y)).copied().unwrap_or_default();
                let half = if line.rises { -half } else { half };
                points.extend([Point { x, y: y - half }, Point { x, y: y + half }]);
            }
            points.push(*to);
        }
        Line { points, label: line.label }
    };
    bends.into_iter().enumerate().map(line).collect()
}

/// The row of that middle: what stands in one row differs by rounding.
fn row(middle: f64) -> i64 {
    (middle * 8.0).round() as i64
}

/// By line and box: where they meet.
fn ports(boxes: &[Size], centres: &[Point], bends: &[Bends]) -> BTreeMap<(usize, usize), Point> {
    let mut sides: BTreeMap<(usize, bool), Vec<(f64, usize)>> = BTreeMap::new();
    for (edge, line) in
        bends.iter().enumerate().filter(|(_, line)| line.link.owner != line.link.owned)
    {
        if let (Some(first), Some(last)) = (line.points.first(), line.points.last()) {
            sides.entry((line.link.owner, line.rises)).or_default().push((first.x, edge));
            sides.entry((line.link.owned, !line.rises)).or_default().push((last.x, edge));
        }
    }
    let mut ports = BTreeMap::new();
    for ((party, is_top), mut lines) in sides {
        lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (Size { width, height }, centre) = (boxes[party], centres[party]);
        let gap = (0.7 * width / lines.len() as f64).min(28.0);
        let left = centre.x - gap * (lines.len() - 1) as f64 / 2.0;
        let y = centre.y + if is_top { -height } else { height } / 2.0;
        for (place, (_, edge)) in lines.into_iter().enumerate() {
            ports.insert((edge, party), Point { x: left + gap * place as f64, y });
        }
    }
    ports
}
