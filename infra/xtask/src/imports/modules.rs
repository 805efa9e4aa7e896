//! Reads the modules of one target, and resolves the paths that they mention.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemMod, ItemUse, UseTree};

use crate::repository;

/// Segments of a module's path below the root of its target. The root has no segments.
pub(super) type ModulePath = Vec<String>;

/// The contents of a module and the paths that it mentions.
#[derive(Default)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    /// Names of the functions, types, constants and macros that the module defines.
    items: BTreeSet<String>,
    /// Names that `use` brings into the module, each with its path.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths of `use ...::*`.
    globs: Vec<Vec<String>>,
    /// Every mentioned path of more than one segment, and every `use`.
    pub(super) mentions: Vec<Mention>,
}

/// A path in the source, with its line.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    is_use: bool,
}

/// The module or crate to which a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Module(ModulePath),
    /// The name of another crate.
    External(String),
}

/// All modules of a target, by their paths.
pub(super) struct Modules {
    modules: BTreeMap<ModulePath, Module>,
}

/// Maximum number of re-exports to follow. The limit ends a search through re-exports that lead to
/// each other.
const MAX_REEXPORTS: usize = 16;

impl Modules {
    /// Parses the file of a target's root and the files of its modules.
    ///
    /// `#[cfg(test)]` items are left out. Functions with `#[test]` count only in a test target.
    ///
    /// # Errors
    /// Fails if a file is missing or is not valid Rust.
    pub(super) fn read(root_file: &Path, is_test: bool) -> Result<Modules, String> {
        let mut reader = Reader { modules: BTreeMap::new(), is_test };
        let folder = root_file.parent().unwrap_or(Path::new("")).to_owned();
        reader.read_file(root_file, ModulePath::new(), &folder)?;
        Ok(Modules { modules: reader.modules })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.modules.iter()
    }

    /// Finds the module or crate to which a path leads. Follows re-exports.
    pub(super) fn resolve(&self, from: &ModulePath, segments: &[String]) -> Resolved {
        self.resolve_within(from, segments, MAX_REEXPORTS)
    }

    /// Returns whether a path starts with an imported name and leads to the same module or crate as
    /// the import. Such a path does not count, because the `use` already counts.
    pub(super) fn repeats_import(
        &self,
        from: &ModulePath,
        mention: &Mention,
        to: &Resolved,
    ) -> bool {
        let head = mention.segments.first();
        let import = head.and_then(|head| self.imports_of(from, head));
        !mention.is_use && import.is_some_and(|import| self.resolve(from, import) == *to)
    }

    fn resolve_within(&self, from: &ModulePath, segments: &[String], budget: usize) -> Resolved {
        let Some((head, rest)) = segments.split_first() else {
            return Resolved::Module(from.clone());
        };
        match head.as_str() {
            "crate" | "$crate" => self.descend(ModulePath::new(), rest, budget),
            "self" => self.descend(from.clone(), rest, budget),
            "super" => {
                let parent = from.split_last().map_or(&[][..], |(_, parent)| parent).to_vec();
                let is_repeated = rest.first().is_some_and(|segment| segment == "super");
                if is_repeated {
                    self.resolve_within(&parent, rest, budget)
                } else {
                    self.descend(parent, rest, budget)
                }
            }
            name if self.is_module_of(from, name) || self.imports_of(from, name).is_some() => {
                self.descend(from.clone(), segments, budget)
            }
            name => match self.glob_with(from, name, budget) {
                Some(source) => self.descend(source, segments, budget.saturating_sub(1)),
                None => Resolved::External(name.to_owned()),
            },
        }
    }

    /// Follows a path from a module through child modules and re-exports, as far as possible.
    fn descend(&self, module: ModulePath, segments: &[String], budget: usize) -> Resolved {
        let Some((head, rest)) = segments.split_first() else {
            return Resolved::Module(module);
        };
        if self.is_module_of(&module, head) {
            let child = child(&module, head);
            return self.descend(child, rest, budget);
        }
        if budget == 0 {
            return Resolved::Module(module);
        }
        if let Some(import) = self.imports_of(&module, head) {
            // `use serde;` leads to a crate, not to itself.
            if *import == [head.as_str()] {
                return Resolved::External(head.clone());
            }
            let path: Vec<String> = import.iter().chain(rest).cloned().collect();
            return self.resolve_within(&module, &path, budget - 1);
        }
        match self.glob_with(&module, head, budget) {
            Some(source) => self.descend(source, segments, budget - 1),
            None => Resolved::Module(module),
        }
    }

    /// Returns the module from which a glob import brings the name into `module`. Returns `None` if
    /// `module` defines the name itself or no glob import brings it in.
    fn glob_with(&self, module: &ModulePath, name: &str, budget: usize) -> Option<ModulePath> {
        let own = self.modules.get(module)?;
        let budget = budget.checked_sub(1)?;
        if own.items.contains(name) {
            return None;
        }
        own.globs.iter().find_map(|glob| match self.resolve_within(module, glob, budget) {
            Resolved::Module(source) if source != *module && self.has_name(&source, name) => {
                Some(source)
            }
            _ => None,
        })
    }

    fn has_name(&self, module: &ModulePath, name: &str) -> bool {
        let is_own = self.modules.get(module).is_some_and(|own| own.items.contains(name));
        is_own || self.is_module_of(module, name) || self.imports_of(module, name).is_some()
    }

    fn is_module_of(&self, module: &ModulePath, name: &str) -> bool {
        self.modules.contains_key(&child(module, name))
    }

    fn imports_of(&self, module: &ModulePath, name: &str) -> Option<&Vec<String>> {
        self.modules.get(module)?.imports.get(name)
    }
}

fn child(module: &ModulePath, name: &str) -> ModulePath {
    let mut path = module.clone();
    path.push(name.to_owned());
    path
}

struct Reader {
    modules: BTreeMap<ModulePath, Module>,
    is_test: bool,
}

impl Reader {
    /// Parses a file and the files of its child modules, which are in `folder`.
    fn read_file(&mut self, file: &Path, path: ModulePath, folder: &Path) -> Result<(), String> {
        let source = repository::read(file)?;
        let parsed = syn::parse_file(&source).map_err(|error| {
            format!("{}:{}: {error}", file.display(), error.span().start().line)
        })?;
        self.read_module(file, path, folder, &parsed.items)
    }

    fn read_module(
        &mut self,
        file: &Path,
        path: ModulePath,
        folder: &Path,
        items: &[Item],
    ) -> Result<(), String> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            module.items.extend(item_name(item).map(Ident::to_string));
            if let Item::Use(item) = item
                && !is_test_only(&item.attrs)
            {
                collect_imports(item, &mut module);
            }
        }
        let mut collector = Collector { mentions: Vec::new(), is_test: self.is_test };
        for item in items {
            collector.visit_item(item);
        }
        module.mentions = collector.mentions;
        self.modules.insert(path.clone(), module);

        for item in items {
            if let Item::Mod(item) = item
                && !is_test_only(&item.attrs)
            {
                self.read_child(file, &path, folder, item)?;
            }
        }
        Ok(())
    }

    fn read_child(
        &mut self,
        file: &Path,
        parent: &ModulePath,
        folder: &Path,
        item: &ItemMod,
    ) -> Result<(), String> {
        let name = item.ident.to_string();
        let path = child(parent, &name);
        let own_folder = folder.join(&name);
        if let Some((_, items)) = &item.content {
            return self.read_module(file, path, &own_folder, items);
        }
        if let Some(written) = path_attribute(&item.attrs) {
            let target = file.parent().unwrap_or(Path::new("")).join(written);
            let target_folder = target.parent().unwrap_or(Path::new("")).to_owned();
            return self.read_file(&target, path, &target_folder);
        }
        let flat = folder.join(format!("{name}.rs"));
        let nested = own_folder.join("mod.rs");
        let target = if flat.is_file() { flat } else { nested };
        self.read_file(&target, path, &own_folder)
    }
}

fn item_name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

fn collect_imports(item: &ItemUse, module: &mut Module) {
    for leaf in leaves(item) {
        match leaf.name {
            Some(name) if name != "_" => _ = module.imports.insert(name, leaf.segments),
            Some(_) => {}
            None => module.globs.push(leaf.segments),
        }
    }
}

/// One path of a `use` declaration. A glob has no name, because it brings in many names.
struct Leaf {
    segments: Vec<String>,
    name: Option<String>,
    line: usize,
}

fn leaves(item: &ItemUse) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    collect_leaves(&item.tree, &mut Vec::new(), &mut leaves);
    leaves
}

fn collect_leaves(tree: &UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            collect_leaves(&path.tree, prefix, leaves);
            prefix.pop();
        }
        UseTree::Name(name) => leaves.push(leaf(prefix, &name.ident, &name.ident)),
        UseTree::Rename(rename) => leaves.push(leaf(prefix, &rename.ident, &rename.rename)),
        UseTree::Glob(glob) => leaves.push(Leaf {
            segments: prefix.clone(),
            name: None,
            line: glob.star_token.spans[0].start().line,
        }),
        UseTree::Group(group) => {
            for tree in &group.items {
                collect_leaves(tree, prefix, leaves);
            }
        }
    }
}

/// Creates the leaf for a single name. `use a::b::{self}` brings in the name `b`.
fn leaf(prefix: &[String], ident: &Ident, name: &Ident) -> Leaf {
    let mut segments = prefix.to_vec();
    if ident != "self" {
        segments.push(ident.to_string());
    }
    let own_name = if name == "self" { segments.last().cloned() } else { Some(name.to_string()) };
    Leaf { segments, name: own_name, line: ident.span().start().line }
}

/// Returns whether one of the attributes is `#[cfg(test)]` or `#[cfg(all(test, ...))]`.
fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let condition = attribute.meta.require_list().map(|list| list.tokens.to_string());
        condition.is_ok_and(|condition| {
            let condition = condition.replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        })
    })
}

fn is_test_function(attributes: &[Attribute]) -> bool {
    let mut names = attributes.iter().filter_map(|attribute| attribute.path().segments.last());
    names.any(|segment| segment.ident == "test" || segment.ident == "bench")
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let value = &attribute.meta.require_name_value().ok()?.value;
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Collects the paths of one module, without its child modules.
struct Collector {
    mentions: Vec<Mention>,
    is_test: bool,
}

impl Collector {
    fn mention(&mut self, segments: Vec<String>, line: usize) {
        self.mentions.push(Mention { segments, line, is_use: false });
    }

    /// Collects the paths in the tokens of a macro. A macro takes any tokens, so its input cannot
    /// be parsed as Rust code.
    fn visit_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some(first) = rest.first() {
            let (segments, length) = path_at(rest);
            if segments.len() > 1 {
                self.mention(segments, first.span().start().line);
            }
            let (path, after) = rest.split_at(length);
            path.iter().for_each(|token| self.visit_token(token));
            rest = after;
        }
    }

    fn visit_token(&mut self, token: &TokenTree) {
        match token {
            TokenTree::Group(group) => self.visit_tokens(group.stream()),
            TokenTree::Literal(literal) => {
                // An attribute can have a path in a string: `#[serde(with = "crate::model::time")]`.
                let text = literal.to_string();
                let path = text.trim_matches('"');
                if path.starts_with("crate::") || path.starts_with("super::") {
                    let segments = path.split("::").map(str::to_owned).collect();
                    self.mention(segments, literal.span().start().line);
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Returns the path `a::b::c` at the start of the tokens, and the number of tokens to skip, which
/// is at least 1. The path is empty if the first token is not an identifier.
fn path_at(tokens: &[TokenTree]) -> (Vec<String>, usize) {
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let mut segments = Vec::new();
    let mut length = 0;
    while let Some(TokenTree::Ident(ident)) = tokens.get(length) {
        segments.push(ident.to_string());
        length += 1;
        let is_path = is_colon(tokens.get(length))
            && is_colon(tokens.get(length + 1))
            && matches!(tokens.get(length + 2), Some(TokenTree::Ident(_)));
        if !is_path {
            break;
        }
        length += 2;
    }
    (segments, length.max(1))
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = item_attributes(item);
        let is_left_out = matches!(item, Item::Mod(_))
            || is_test_only(attributes)
            || (!self.is_test && is_test_function(attributes));
        if !is_left_out {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for leaf in leaves(item) {
            self.mentions.push(Mention { segments: leaf.segments, line: leaf.line, is_use: true });
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let first = path.segments.first().map_or(1, |s| s.ident.span().start().line);
            self.mention(segments, first);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.visit_path(&invocation.path);
        self.visit_tokens(invocation.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.visit_tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
