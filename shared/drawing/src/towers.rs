//! Towers: many who hold nothing but shares in one company stand in pairs along one trunk that leads
//! down to it. Abreast, a hundred shareholders could neither be read nor printed.
#![allow(clippy::indexing_slicing, reason = "the links name boxes there are")]

use std::collections::BTreeMap;

use super::layout::{Layout, Line, Link, Point, Size, layout};

/// So many may stand abreast.
const ABREAST: usize = 4;
/// The pairs of a tower, where there are enough.
const LOWEST: usize = 3;
const GAP: f64 = 14.0;
/// What is seen of a branch on either side of its label.
const BRANCH: f64 = 14.0;

#[derive(Default)]
pub(super) struct Plan {
    pub(super) size: Size,
    /// The middle of every box.
    pub(super) boxes: Vec<Point>,
    /// By link. Of those in a tower it is the branch, which ends at the trunk.
    pub(super) lines: Vec<Line>,
    /// The trunks, each with one of its links.
    pub(super) trunks: Vec<(usize, Vec<Point>)>,
}

pub(super) fn plan(
    boxes: &[Size],
    links: &[Link],
    customer: Option<usize>,
) -> Result<Plan, String> {
    let towers = towers(boxes, links, customer);
    let inner: Vec<usize> = towers.iter().flat_map(|tower| tower.links.iter().copied()).collect();
    let mut in_tower = vec![false; boxes.len()];
    inner.iter().for_each(|&link| in_tower[links[link].owner] = true);
    let free: Vec<usize> = (0..boxes.len()).filter(|&party| !in_tower[party]).collect();
    let outer: Vec<usize> = (0..links.len()).filter(|&at| !in_tower[links[at].owner]).collect();

    // A tower is one box to the layout. Those who own something there are free: no place is 0 by
    // mistake.
    let mut place = vec![0; boxes.len()];
    free.iter().enumerate().for_each(|(at, &party)| place[party] = at);
    let blocks: Vec<Size> = free.iter().map(|&party| boxes[party]).collect();
    let blocks = [blocks, towers.iter().map(|tower| tower.size).collect()].concat();
    let between = outer.iter().map(|&at| {
        let link = links[at];
        Link { owner: place[link.owner], owned: place[link.owned], ..link }
    });
    let trunks = towers.iter().enumerate().map(|(at, tower)| {
        let link = links[tower.links[0]];
        let (owner, owned) = (free.len() + at, place[link.owned]);
        Link { owner, owned, label: Size::default(), ..link }
    });
    let laid_out: Vec<Link> = between.chain(trunks).collect();
    let Layout { boxes: centres, lines } =
        layout(&blocks, &laid_out, customer.map(|party| place[party]))?;

    let mut parties = vec![None; boxes.len()];
    free.iter().zip(&centres).for_each(|(&party, centre)| parties[party] = Some(*centre));
    let mut lines = lines.into_iter();
    let mut by_link: BTreeMap<usize, Line> = outer.into_iter().zip(lines.by_ref()).collect();
    let mut trunks = Vec::new();
    for ((tower, centre), line) in towers.iter().zip(&centres[free.len()..]).zip(lines) {
        let top = tower.stand(*centre, boxes, links, &mut parties, &mut by_link);
        let points = [Point { x: centre.x, y: top }].into_iter().chain(line.points).collect();
        trunks.push((tower.links[0], points));
    }
    let boxes_at = parties.into_iter().flatten().collect();
    let lines = by_link.into_values().collect();
    let mut plan = Plan { size: Size::default(), boxes: boxes_at, lines, trunks };
    plan.begin_at_zero(boxes, links);
    Ok(plan)
}

struct Tower {
    links: Vec<usize>,
    size: Size,
    /// The widest box and the widest label in it.
    widest: f64,
    widest_label: f64,
}

fn towers(boxes: &[Size], links: &[Link], customer: Option<usize>) -> Vec<Tower> {
    let mut degree = vec![0; boxes.len()];
    for link in links {
        degree[link.owner] += 1;
        degree[link.owned] += 1;
    }
    let mut alike: BTreeMap<(usize, bool), Vec<usize>> = BTreeMap::new();
    for (at, link) in links.iter().enumerate() {
        if degree[link.owner] == 1 && customer != Some(link.owner) {
            alike.entry((link.owned, link.is_control_only)).or_default().push(at);
        }
    }
    let many = alike.into_values().filter(|links| links.len() > ABREAST);
    let chunks = many.flat_map(|all| {
        let pairs = all.len().isqrt().max(LOWEST);
        all.chunks(2 * pairs).map(<[usize]>::to_vec).collect::<Vec<_>>()
    });
    chunks.map(|members| Tower::of(members, boxes, links)).collect()
}

impl Tower {
    fn of(members: Vec<usize>, boxes: &[Size], links: &[Link]) -> Tower {
        let largest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
        let widest = largest(&mut members.iter().map(|&at| boxes[links[at].owner].width));
        let widest_label = largest(&mut members.iter().map(|&at| links[at].label.width));
        let heights = members.chunks(2).map(|pair| tallest(pair, boxes, links) + GAP);
        let height = heights.sum::<f64>() - GAP;
        let size = Size { width: 2.0 * (widest + widest_label + 2.0 * BRANCH), height };
        Tower { links: members, size, widest, widest_label }
    }

    /// Puts the members and their branches in place, and says where the trunk begins.
    fn stand(
        &self,
        centre: Point,
        boxes: &[Size],
        links: &[Link],
        parties: &mut [Option<Point>],
        lines: &mut BTreeMap<usize, Line>,
    ) -> f64 {
        let mut top = centre.y - self.size.height / 2.0;
        let mut first = None;
        for pair in self.links.chunks(2) {
            let height = tallest(pair, boxes, links);
            let y = top + height / 2.0;
            first.get_or_insert(y);
            for (&at, side) in pair.iter().zip([-1.0, 1.0]) {
                let party = links[at].owner;
                let label = centre.x + side * (BRANCH + self.widest_label / 2.0);
                let x = label + side * (self.widest_label / 2.0 + BRANCH + self.widest / 2.0);
                let edge = x - side * boxes[party].width / 2.0;
                parties[party] = Some(Point { x, y });
                let points = vec![Point { x: edge, y }, Point { x: centre.x, y }];
                lines.insert(at, Line { points, label: Point { x: label, y } });
            }
            top += height + GAP;
        }
        first.unwrap_or(centre.y)
    }
}

fn tallest(pair: &[usize], boxes: &[Size], links: &[Link]) -> f64 {
    pair.iter().map(|&at| boxes[links[at].owner].height).fold(0.0, f64::max)
}

impl Plan {
    /// The layout has no regard for lines, and some lead around all boxes.
    fn begin_at_zero(&mut self, boxes: &[Size], links: &[Link]) {
        let lines = self.lines.iter().map(|line| &line.points);
        let points = lines.chain(self.trunks.iter().map(|(_, points)| points)).flatten();
        let labels = self.lines.iter().zip(links).map(|(line, link)| (line.label, link.label));
        let all = self.boxes.iter().copied().zip(boxes.iter().copied()).chain(labels);
        let mut bounds: Option<(Point, Point)> = None;
        for (at, size) in all.chain(points.map(|point| (*point, Size::default()))) {
            let (low, high) = bounds.get_or_insert((at, at));
            let (w, h) = (size.width / 2.0, size.height / 2.0);
            *low = Point { x: low.x.min(at.x - w), y: low.y.min(at.y - h) };
            *high = Point { x: high.x.max(at.x + w), y: high.y.max(at.y + h) };
        }
        if let Some((low, high)) = bounds {
            self.size = Size { width: high.x - low.x, height: high.y - low.y };
            self.shift(-low.x, -low.y);
        }
    }

    pub(super) fn shift(&mut self, x: f64, y: f64) {
        let lines = self.lines.iter_mut();
        let lines = lines.flat_map(|line| line.points.iter_mut().chain([&mut line.label]));
        let trunks = self.trunks.iter_mut().flat_map(|(_, points)| points);
        for point in self.boxes.iter_mut().chain(lines).chain(trunks) {
            *point = Point { x: point.x + x, y: point.y + y };
        }
    }
}
