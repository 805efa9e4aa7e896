//! Stacks shareholders into towers.
//!
//! If many parties hold shares only in the same company, they are drawn in pairs along a trunk that
//! leads down to the company. A hundred shareholders side by side could neither be read nor
//! printed.
#![expect(clippy::indexing_slicing, reason = "links refer to boxes by valid indices")]

use std::collections::{BTreeMap, HashMap};

use crate::geometry::{Layout, Line, Link, Point, Size};
use crate::layout::{NOT_PLACED, layout};

/// Maximum number of similar shareholders that are drawn side by side. More shareholders form
/// towers.
const MAX_SIDE_BY_SIDE: usize = 4;
/// Minimum number of pairs in a tower. The last tower of a company may have fewer.
const MIN_PAIRS: usize = 3;
/// Vertical distance between two pairs.
const GAP: f64 = 14.0;
/// Length of the visible part of a branch on either side of its label.
const BRANCH: f64 = 14.0;

/// Positions of the boxes and lines of a structure, with towers.
pub(crate) struct Plan {
    pub(crate) size: Size,
    /// Centre of every box.
    pub(crate) boxes: Vec<Point>,
    /// Path of every link. The path of a member of a tower is its branch, which ends at the trunk.
    pub(crate) lines: Vec<Line>,
    /// Trunks of all towers.
    pub(crate) trunks: Vec<Trunk>,
}

/// The line that leads from a tower to the company below it.
pub(crate) struct Trunk {
    /// Index of one of the links that the trunk bundles. All of these links have the same `owned`
    /// and the same `is_control_only`.
    pub(crate) link: usize,
    pub(crate) points: Vec<Point>,
}

/// Places boxes and links. The top left corner of the result is the origin.
///
/// # Errors
/// Returns an error text for the API caller if the structure is too large or cannot be placed.
pub(crate) fn plan(
    boxes: &[Size],
    links: &[Link],
    customer: Option<usize>,
) -> Result<Plan, String> {
    let towers = towers(boxes, links, customer);
    let mut is_in_tower = vec![false; boxes.len()];
    for &link in towers.iter().flat_map(|tower| &tower.links) {
        is_in_tower[links[link].owner] = true;
    }
    let free_boxes: Vec<usize> = (0..boxes.len()).filter(|&party| !is_in_tower[party]).collect();
    let free_links: Vec<usize> =
        (0..links.len()).filter(|&link| !is_in_tower[links[link].owner]).collect();

    // The layout gets one block for each free box, followed by one block for each tower. A member
    // of a tower has only one link and is not the customer, so all other links connect free boxes.
    let block: HashMap<usize, usize> =
        free_boxes.iter().enumerate().map(|(block, &party)| (party, block)).collect();
    let mut blocks: Vec<Size> = free_boxes.iter().map(|&party| boxes[party]).collect();
    blocks.extend(towers.iter().map(|tower| tower.size));
    let mut block_links: Vec<Link> = free_links
        .iter()
        .map(|&link| {
            let link = links[link];
            Link { owner: block[&link.owner], owned: block[&link.owned], ..link }
        })
        .collect();
    block_links.extend(towers.iter().enumerate().map(|(number, tower)| {
        let link = links[tower.links[0]];
        let (owner, owned) = (free_boxes.len() + number, block[&link.owned]);
        Link { owner, owned, label: Size::default(), ..link }
    }));
    let Layout { boxes: centres, lines: mut free_lines } =
        layout(&blocks, &block_links, customer.map(|party| block[&party]))?;

    let (free_centres, tower_centres) = centres.split_at(free_boxes.len());
    let trunk_lines = free_lines.split_off(free_links.len());
    let mut places = Places {
        boxes: free_boxes.into_iter().zip(free_centres.iter().copied()).collect(),
        lines: free_links.into_iter().zip(free_lines).collect(),
    };
    let mut trunks = Vec::new();
    for ((tower, &centre), line) in towers.iter().zip(tower_centres).zip(trunk_lines) {
        let start = tower.place_members(centre, boxes, links, &mut places);
        let points = std::iter::once(start).chain(line.points).collect();
        trunks.push(Trunk { link: tower.links[0], points });
    }
    if places.boxes.len() != boxes.len() || places.lines.len() != links.len() {
        return Err(NOT_PLACED.to_owned());
    }
    let mut plan = Plan {
        size: Size::default(),
        boxes: places.boxes.into_values().collect(),
        lines: places.lines.into_values().collect(),
        trunks,
    };
    plan.move_to_origin(boxes, links);
    Ok(plan)
}

/// Positions of boxes and links that have already been placed, by index.
struct Places {
    /// Centres of boxes.
    boxes: BTreeMap<usize, Point>,
    lines: BTreeMap<usize, Line>,
}

/// A stack of shareholders that hold only the same company.
struct Tower {
    /// Index of each shareholder's link.
    links: Vec<usize>,
    size: Size,
    /// Width of the widest box.
    box_width: f64,
    /// Width of the widest label.
    label_width: f64,
}

/// Finds the shareholders to stack: groups of more than [`MAX_SIDE_BY_SIDE`] parties that hold the
/// same company in the same way, and have no other link. The customer is never stacked.
fn towers(boxes: &[Size], links: &[Link], customer: Option<usize>) -> Vec<Tower> {
    let mut link_count = vec![0; boxes.len()];
    for link in links {
        link_count[link.owner] += 1;
        link_count[link.owned] += 1;
    }
    let mut similar: BTreeMap<(usize, bool), Vec<usize>> = BTreeMap::new();
    for (index, link) in links.iter().enumerate() {
        if link_count[link.owner] == 1 && customer != Some(link.owner) {
            similar.entry((link.owned, link.is_control_only)).or_default().push(index);
        }
    }
    let mut towers = Vec::new();
    for group in similar.into_values().filter(|group| group.len() > MAX_SIDE_BY_SIDE) {
        let pairs = group.len().isqrt().max(MIN_PAIRS);
        for members in group.chunks(2 * pairs) {
            towers.push(Tower::new(members.to_vec(), boxes, links));
        }
    }
    towers
}

impl Tower {
    fn new(members: Vec<usize>, boxes: &[Size], links: &[Link]) -> Tower {
        let box_widths = members.iter().map(|&link| boxes[links[link].owner].width);
        let box_width = box_widths.fold(0.0, f64::max);
        let label_width = members.iter().map(|&link| links[link].label.width).fold(0.0, f64::max);
        let heights = members.chunks(2).map(|pair| tallest(pair, boxes, links) + GAP);
        let height = heights.sum::<f64>() - GAP;
        let size = Size { width: 2.0 * (box_width + label_width + 2.0 * BRANCH), height };
        Tower { links: members, size, box_width, label_width }
    }

    /// Places the members of a tower and their branches. Returns the start of the trunk, which is
    /// at the branches of the first pair.
    fn place_members(
        &self,
        centre: Point,
        boxes: &[Size],
        links: &[Link],
        places: &mut Places,
    ) -> Point {
        let top = centre.y - self.size.height / 2.0;
        let first_pair = &self.links[..self.links.len().min(2)];
        let trunk_start = top + tallest(first_pair, boxes, links) / 2.0;
        let mut pair_top = top;
        for pair in self.links.chunks(2) {
            let height = tallest(pair, boxes, links);
            let y = pair_top + height / 2.0;
            for (&link, side) in pair.iter().zip([-1.0, 1.0]) {
                let party = links[link].owner;
                let label = centre.x + side * (BRANCH + self.label_width / 2.0);
                let x = label + side * (self.label_width / 2.0 + BRANCH + self.box_width / 2.0);
                let edge = x - side * boxes[party].width / 2.0;
                places.boxes.insert(party, Point { x, y });
                let points = vec![Point { x: edge, y }, Point { x: centre.x, y }];
                places.lines.insert(link, Line { points, label: Point { x: label, y } });
            }
            pair_top += height + GAP;
        }
        Point { x: centre.x, y: trunk_start }
    }
}

fn tallest(pair: &[usize], boxes: &[Size], links: &[Link]) -> f64 {
    pair.iter().map(|&link| boxes[links[link].owner].height).fold(0.0, f64::max)
}

impl Plan {
    /// Computes the size of the plan and moves its top left corner to the origin. The bounds
    /// include lines, because some lines lead around all boxes and the layout does not count them.
    fn move_to_origin(&mut self, boxes: &[Size], links: &[Link]) {
        let lines = self.lines.iter().map(|line| &line.points);
        let points = lines.chain(self.trunks.iter().map(|trunk| &trunk.points)).flatten();
        let labels = self.lines.iter().zip(links).map(|(line, link)| (line.label, link.label));
        let parts = self
            .boxes
            .iter()
            .copied()
            .zip(boxes.iter().copied())
            .chain(labels)
            .chain(points.map(|point| (*point, Size::default())));
        let mut bounds: Option<(Point, Point)> = None;
        for (centre, size) in parts {
            let (low, high) = bounds.get_or_insert((centre, centre));
            let (w, h) = (size.width / 2.0, size.height / 2.0);
            *low = Point { x: low.x.min(centre.x - w), y: low.y.min(centre.y - h) };
            *high = Point { x: high.x.max(centre.x + w), y: high.y.max(centre.y + h) };
        }
        if let Some((low, high)) = bounds {
            self.size = Size { width: high.x - low.x, height: high.y - low.y };
            self.shift(-low.x, -low.y);
        }
    }

    /// Moves all boxes and lines to the right by `x` and down by `y`.
    pub(crate) fn shift(&mut self, x: f64, y: f64) {
        let line_points =
            self.lines.iter_mut().flat_map(|line| line.points.iter_mut().chain([&mut line.label]));
        let trunk_points = self.trunks.iter_mut().flat_map(|trunk| &mut trunk.points);
        for point in self.boxes.iter_mut().chain(line_points).chain(trunk_points) {
            *point = Point { x: point.x + x, y: point.y + y };
        }
    }
}
