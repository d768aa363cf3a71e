//! Which source file uses which: every path in the code, resolved to the file that defines what it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// A module's path from the root of the crate: `["drift", "analysis"]`; the root itself is empty.
pub(super) type Module = Vec<String>;

/// A path in the code, as it is written, with the module that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// Its segments: `["super", "bootstrap", "interval"]`.
    pub(super) segments: Vec<String>,
    /// The name that a `use` gives it; `None` for a path in the code.
    import: Option<String>,
}

/// One source file without its tests.
#[derive(Debug)]
pub(super) struct Source {
    /// Below `src/`.
    pub(super) path: PathBuf,
    /// Its module.
    pub(super) module: Module,
    /// Every path in it.
    pub(super) written: Vec<Written>,
    /// Every identifier in it, those of macros and paths too.
    pub(super) words: BTreeSet<String>,
    /// The names that it defines itself.
    defines: BTreeSet<String>,
}

/// All sources, by module.
#[derive(Debug)]
pub(super) struct Sources(BTreeMap<Module, Source>);

impl Sources {
    /// Reads and parses `src/`, without files and modules under `#[cfg(test)]`.
    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut waiting, mut sources) = (vec![(Module::new(), PathBuf::from("lib.rs"))], BTreeMap::new());
        while let Some((module, path)) = waiting.pop() {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            let parsed = syn::parse_file(&text).unwrap();
            for item in &parsed.items {
                let Item::Mod(ItemMod { ident, content: None, attrs, .. }) = item else { continue };
                if is_test(attrs) {
                    continue;
                }
                let mut child = module.clone();
                child.push(ident.to_string());
                let below = child.iter().collect::<PathBuf>();
                let (file, folder) = (below.with_extension("rs"), below.join("mod.rs"));
                waiting.push((child, if root.join(&file).exists() { file } else { folder }));
            }
            sources.insert(module.clone(), collect(path, module, &parsed.items));
        }
        assert!(sources.len() > 100, "the sources were found");
        Self(sources)
    }

    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Source> {
        self.0.values()
    }

    /// The module and the name that `written` leads to from `source`, through imports and re-exports; `None` for another crate.
    pub(super) fn resolve(&self, source: &Source, written: &Written) -> Option<Module> {
        let absolute = self.absolute(source, &written.segments, written.import.is_some())?;
        Some(self.definition(absolute, 0))
    }

    /// Segments from the root, or `None` where the first is no module of ours.
    fn absolute(&self, source: &Source, segments: &[String], is_import: bool) -> Option<Vec<String>> {
        let mut at = source.module.clone();
        let mut rest = segments;
        match rest.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {}
            first => {
                let mut child = at.clone();
                child.push(first.to_string());
                if !self.0.contains_key(&child) {
                    // A name that a `use` brought in; what follows it is looked up behind it.
                    let import = |used: &&Written| used.import.as_deref() == Some(first);
                    let used = source.written.iter().find(import).filter(|_| !is_import && segments.len() > 1)?;
                    let module = self.absolute(source, &used.segments, true)?;
                    return Some(module.into_iter().chain(segments[1..].iter().cloned()).collect());
                }
            }
        }
        while rest.first().is_some_and(|segment| segment == "super") {
            at.pop();
            rest = &rest[1..];
        }
        Some(at.into_iter().chain(rest.iter().cloned()).collect())
    }

    /// The module whose file defines what an absolute path names.
    fn definition(&self, path: Vec<String>, depth: usize) -> Module {
        assert!(depth < 20, "re-exports of {path:?} lead nowhere");
        let known = (0..=path.len()).rev().find(|&length| self.0.contains_key(&path[..length])).unwrap();
        let (module, rest) = path.split_at(known);
        let source = &self.0[module];
        let Some(name) = rest.first().filter(|name| !source.defines.contains(*name)) else { return module.to_vec() };
        let exported = |used: &&Written| used.import.as_deref() == Some(name);
        let Some(used) = source.written.iter().find(exported) else { return module.to_vec() };
        match self.absolute(source, &used.segments, true) {
            Some(target) => self.definition(target.into_iter().chain(rest[1..].iter().cloned()).collect(), depth + 1),
            None => module.to_vec(),
        }
    }

    /// From each file to the files that define what it uses. An import of a whole module counts where it is used, and a
    /// re-export counts where it leads.
    pub(super) fn edges(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let of = |source: &Source| -> BTreeSet<Module> {
            let targets = source.written.iter().filter_map(|written| {
                let module = self.resolve(source, written)?;
                let whole = written.import.is_some() && self.names_a_module(source, written);
                (!whole && module != source.module).then_some(module)
            });
            targets.collect()
        };
        self.0.iter().map(|(module, source)| (module, of(source))).collect()
    }

    fn names_a_module(&self, source: &Source, written: &Written) -> bool {
        self.absolute(source, &written.segments, true).is_some_and(|path| self.0.contains_key(&path))
    }

    /// The file of a module, below `src/`.
    pub(super) fn file(&self, module: &Module) -> String {
        self.0[module].path.display().to_string()
    }
}

impl Written {
    /// Whether a relative path climbs out of its room.
    pub(super) fn leaves(&self, module: &Module) -> bool {
        let climbs = self.segments.iter().take_while(|segment| *segment == "super").count();
        climbs > 0 && climbs >= module.len()
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let words = |attribute: &Attribute| attribute.meta.require_list().map(|list| list.tokens.to_string());
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && words(attribute).is_ok_and(|words| words == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

fn collect(path: PathBuf, module: Module, items: &[Item]) -> Source {
    let mut collector = Collector::default();
    for item in items.iter().filter(|item| !is_test(attributes(item))) {
        collector.visit_item(item);
    }
    let defines = items.iter().filter_map(defined).collect();
    Source { path, module, written: collector.written, words: collector.words, defines }
}

fn defined(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(ident.to_string())
}

#[derive(Default)]
struct Collector {
    written: Vec<Written>,
    words: BTreeSet<String>,
    /// How many modules inside the file lie around.
    depth: usize,
}

impl Collector {
    /// As the file's own module would write it.
    fn of_the_file(&self, mut segments: Vec<String>) -> Vec<String> {
        let climbs = segments.iter().take_while(|segment| *segment == "super").count();
        let inner = climbs.min(self.depth);
        segments.drain(..inner);
        if inner > 0 && climbs == inner {
            segments.insert(0, "self".to_string());
        }
        segments
    }

    fn path(&mut self, segments: Vec<String>) {
        let segments = self.of_the_file(segments);
        self.written.push(Written { segments, import: None });
    }

    fn tree(&mut self, tree: &UseTree, mut before: Vec<String>) {
        let mut add = |segments: Vec<String>, import: String| {
            let segments = self.of_the_file(segments);
            // `use a::{self}` imports `a`.
            let (segments, import) = match segments.split_last() {
                Some((last, rest)) if last == "self" && !rest.is_empty() => {
                    (rest.to_vec(), if import == "self" { rest[rest.len() - 1].clone() } else { import })
                }
                _ => (segments, import),
            };
            self.words.extend(segments.iter().cloned());
            self.written.push(Written { segments, import: Some(import) });
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                add(before, name.ident.to_string());
            }
            UseTree::Rename(rename) => {
                before.push(rename.ident.to_string());
                add(before, rename.rename.to_string());
            }
            UseTree::Glob(_) => add(before, "*".to_string()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before.clone());
                }
            }
        }
    }

    /// Words and paths inside a macro's arguments, which are tokens to the parser.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    self.words.insert(ident.to_string());
                    if colons != 2 {
                        self.path_of(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.path_of(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.path_of(&mut path);
    }

    fn path_of(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.path(path);
        }
    }
}

impl<'a> Visit<'a> for Collector {
    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, Vec::new());
        }
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if !is_test(&item.attrs) {
            self.depth += 1;
            syn::visit::visit_item_mod(self, item);
            self.depth -= 1;
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.path(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_ident(&mut self, ident: &'a proc_macro2::Ident) {
        self.words.insert(ident.to_string());
    }

    fn visit_macro(&mut self, found: &'a syn::Macro) {
        self.tokens(found.tokens.clone());
        syn::visit::visit_macro(self, found);
    }

    fn visit_visibility(&mut self, _: &'a syn::Visibility) {
        // `pub(super)` and `pub(in crate::room)` use nothing.
    }
}
