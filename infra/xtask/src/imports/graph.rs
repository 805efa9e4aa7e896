//! Finds the neighbouring modules that use each other, and the cycles among them.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::astar;
use petgraph::graph::DiGraph;

use super::modules::{ModulePath, Modules, Resolved};
use super::{Place, Use};

/// The uses between the modules of one folder, by the using and the used module. The uses of a
/// module include the uses of its child modules.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) edges: BTreeMap<(String, String), Vec<Place>>,
}

/// Returns every use of another module or crate by a module of the target. A use that repeats an
/// import is left out.
pub(super) fn uses(modules: &Modules) -> Vec<Use> {
    let mut uses = Vec::new();
    for (path, module) in modules.iter() {
        for mention in &module.mentions {
            let to = modules.resolve(path, &mention.segments);
            let is_own = to == Resolved::Module(path.clone());
            if !is_own && !modules.repeats_import(path, mention, &to) {
                uses.push(Use {
                    from: path.clone(),
                    to,
                    place: Place { file: module.file.clone(), line: mention.line },
                    text: mention.segments.join("::"),
                });
            }
        }
    }
    uses
}

/// Groups uses by the closest common ancestor of both modules. An edge connects the two children of
/// that ancestor that contain the modules.
///
/// A module and its parent are not neighbours: a `mod.rs` may use its children, and they may use
/// the `mod.rs`.
pub(super) fn folders(uses: &[Use]) -> BTreeMap<ModulePath, Folder> {
    let mut folders: BTreeMap<ModulePath, Folder> = BTreeMap::new();
    for used in uses {
        let Resolved::Module(to) = &used.to else { continue };
        let common = used.from.iter().zip(to).take_while(|(from, to)| from == to).count();
        let (Some(from_child), Some(to_child)) = (used.from.get(common), to.get(common)) else {
            continue;
        };
        let edge = (from_child.clone(), to_child.clone());
        let folder = folders.entry(to.iter().take(common).cloned().collect()).or_default();
        folder.edges.entry(edge).or_default().push(used.place.clone());
    }
    folders
}

impl Folder {
    /// Returns the shortest cycle through each edge that is part of a cycle. Each cycle is returned
    /// once and starts with its first module in alphabetical order.
    pub(super) fn cycles(&self) -> Vec<Vec<&str>> {
        let mut graph = DiGraph::<&str, ()>::new();
        let mut nodes = BTreeMap::new();
        let mut edges = Vec::new();
        for (from, to) in self.edges.keys() {
            let mut node = |name| *nodes.entry(name).or_insert_with(|| graph.add_node(name));
            edges.push((node(from.as_str()), node(to.as_str())));
        }
        graph.extend_with_edges(&edges);
        let mut cycles = BTreeSet::new();
        for (from, to) in edges {
            let way_back = astar(&graph, to, |node| node == from, |_| 1, |_| 0);
            if let Some((_, path)) = way_back {
                let mut cycle: Vec<&str> = path.into_iter().map(|node| graph[node]).collect();
                let first = cycle.iter().enumerate().min_by_key(|(_, module)| **module);
                let rotation = first.map_or(0, |(index, _)| index);
                cycle.rotate_left(rotation);
                cycles.insert(cycle);
            }
        }
        cycles.into_iter().collect()
    }
}
