//! Checks which modules and crates each module uses.
//!
//! Every Rust file of the repository is parsed. A use is a `use` declaration or a path inside the
//! code. Re-exports are followed to the module that defines the item. `#[cfg(test)]` items are left
//! out. Four rules apply:
//!
//! - *layer*: a module of `shared` uses only the modules that the table in `layers.rs` allows.
//! - *crate*: only some modules of `shared` use DynamoDB's client and Lambda's HTTP types.
//! - *cycle*: the uses between neighbouring modules of a crate do not form a cycle.
//! - *pure*: `screening` and `drawing` do not depend on AWS, tokio or `shared`.

mod graph;
mod layers;
mod modules;
mod packages;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use graph::Folder;
use layers::{Allowed, IMPURE_DEPENDENCIES, LAYERS, PURE_PACKAGES, RESTRICTED};
use modules::{ModulePath, Modules, Resolved};
use packages::Package;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: PathBuf,
    /// Line number, counted from 1.
    pub line: usize,
}

/// A use of one module or crate by a module.
struct Use {
    from: ModulePath,
    to: Resolved,
    place: Place,
    /// The path as it is written in the source.
    text: String,
}

/// A broken rule.
#[derive(Debug)]
pub struct Violation {
    /// `layer`, `crate`, `cycle` or `pure`.
    pub rule: &'static str,
    pub place: Place,
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { rule, place, message } = self;
        write!(f, "{}:{}: {rule}: {message}", place.file.display(), place.line)
    }
}

/// Name of the package whose layers are checked.
const LAYERED_PACKAGE: &str = "shared";

/// Result of checking the imports of a repository.
pub struct Imports {
    pub violations: Vec<Violation>,
    /// Text that lists the modules of each target, each with the modules that it uses.
    pub graph: String,
}

/// Reads every package below `root` and checks the rules.
///
/// # Errors
/// Fails if a manifest or a source file cannot be read or parsed.
pub fn check(root: &Path) -> Result<Imports, String> {
    let mut imports = Imports { violations: Vec::new(), graph: String::new() };
    for package in packages::read(root)? {
        imports.violations.extend(impure_dependencies(&package));
        for target in &package.targets {
            let modules = Modules::read(&target.root_file, target.is_test)?;
            let uses = graph::uses(&modules);
            let folders = graph::folders(&uses);
            let title = format!("{} ({})", target.name, package.name);
            imports.graph.push_str(&describe(&title, &folders));
            if package.name == LAYERED_PACKAGE {
                imports.violations.extend(layer_violations(&uses));
            }
            imports.violations.extend(cycle_violations(&title, &folders));
        }
    }
    for violation in &mut imports.violations {
        let file = &mut violation.place.file;
        *file = file.strip_prefix(root).unwrap_or(file).to_owned();
    }
    imports.violations.sort_by(|a, b| (a.rule, &a.place).cmp(&(b.rule, &b.place)));
    imports.violations.dedup_by(|a, b| a.place == b.place && a.message == b.message);
    Ok(imports)
}

fn impure_dependencies(package: &Package) -> Vec<Violation> {
    let is_impure =
        |name: &&String| IMPURE_DEPENDENCIES.iter().any(|prefix| name.starts_with(prefix));
    let is_pure_package = PURE_PACKAGES.contains(&package.name.as_str());
    let impure = package.dependencies.iter().filter(|name| is_pure_package && is_impure(name));
    let violation = |name: &String| Violation {
        rule: "pure",
        place: Place { file: package.manifest.clone(), line: 1 },
        message: format!("{} must not depend on {name}", package.name),
    };
    impure.map(violation).collect()
}

/// Checks the uses within `shared` against the table of layers. The root of the crate may use
/// everything.
fn layer_violations(uses: &[Use]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for used in uses {
        let Some(from) = used.from.first() else { continue };
        let broken = match &used.to {
            Resolved::External(dependency) => restricted_use(from, dependency),
            Resolved::Module(to) => match to.first() {
                Some(to) if to != from => forbidden_use(from, to),
                _ => None,
            },
        };
        violations.extend(broken.map(|(rule, message)| Violation {
            rule,
            place: used.place.clone(),
            message: format!("{message} (`{}`)", used.text),
        }));
    }
    violations
}

fn restricted_use(from: &str, dependency: &str) -> Option<(&'static str, String)> {
    let restricted = RESTRICTED.iter().find(|r| r.dependency == dependency)?;
    let allowed = restricted.allowed_in;
    let message = || format!("{from} must not use {dependency}; only {} may", allowed.join(", "));
    (!allowed.contains(&from)).then(|| ("crate", message()))
}

fn forbidden_use(from: &str, to: &str) -> Option<(&'static str, String)> {
    let Some(layer) = LAYERS.iter().find(|layer| layer.module == from) else {
        return Some(("layer", format!("{from} is not in the table of layers; add it there")));
    };
    let allowed = match layer.may_use {
        Allowed::All => return None,
        Allowed::Only(allowed) => allowed,
    };
    let list = if allowed.is_empty() { "no other module".to_owned() } else { allowed.join(", ") };
    let message = || format!("{from} must not use {to}; it may use {list}");
    (!allowed.contains(&to)).then(|| ("layer", message()))
}

fn cycle_violations(title: &str, folders: &BTreeMap<ModulePath, Folder>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, folder) in folders {
        for cycle in folder.cycles() {
            let mut places = Vec::new();
            let first_again = cycle.first().copied().unwrap_or_default();
            for (from, to) in cycle.iter().zip(cycle.iter().skip(1).chain([&first_again])) {
                let edge = folder.edges.get(&((*from).to_owned(), (*to).to_owned()));
                places.extend(edge.and_then(|places| places.first()).map(|place| (place, to)));
            }
            let Some((first, _)) = places.first() else { continue };
            let mut message = format!("{title}: ");
            message.extend(path.iter().map(|segment| format!("{segment}::")));
            let _ = write!(message, "{{ {} → {} }}", cycle.join(" → "), first_again);
            for (place, to) in &places {
                let file = place.file.file_name().unwrap_or_default().to_string_lossy();
                let _ = write!(message, "; {to} in {file}:{}", place.line);
            }
            violations.push(Violation { rule: "cycle", place: (*first).clone(), message });
        }
    }
    violations
}

/// Lists the modules of each folder, each with the modules that it uses and the number of uses.
fn describe(title: &str, folders: &BTreeMap<ModulePath, Folder>) -> String {
    let mut text = String::new();
    for (path, folder) in folders {
        let _ = writeln!(text, "{}", [&[title.to_owned()], path.as_slice()].concat().join(" "));
        let mut targets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((from, to), places) in &folder.edges {
            targets.entry(from).or_default().push(format!("{to} {}", places.len()));
        }
        for (from, used) in targets {
            let _ = writeln!(text, "  {from} → {}", used.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests;
