//! The images of a class, wherever they lie below its folder, and an account of everything that is not taken.

use super::names;
use crate::data::error::Skipped;
use crate::fsx::{self, shown};
use crate::picture::is_ending;
use crate::store::{Explained, SUMMARY_FILE, layout};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Endings that the first version took for images.
const OLD_ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp"];

/// Why something is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// A file whose ending is that of no image.
    Ending(String),
    /// Files of so many more endings.
    OtherEndings(usize),
    NoEnding,
    Hidden,
    /// A file `._name`, in which macOS keeps attributes of another file.
    AppleDouble,
    /// What macOS and Windows leave in folders.
    System,
    Run,
    Explained,
    /// A file or folder that driftscope explain wrote beside images.
    Figure,
    /// A link to a folder that was searched already, or that it lies in.
    SeenFolder,
    /// An image that lies in no class.
    OutsideClass,
    /// A folder beside train/, val/ and test/.
    NoSplit,
    /// One whose name says that it is a split too.
    OtherSplit,
    /// Beside labels/ and images/.
    NoPartOfDtd,
    /// A folder within a class, which the rules of an old run do not search.
    Below,
    /// A class that is in test/ alone.
    TestClass,
    /// An image that no list names.
    Unlisted,
    /// A class that was not asked for.
    Unwanted,
}

impl Left {
    /// `count` of them, in words.
    fn words(&self, count: usize) -> String {
        let (noun, rest) = match self {
            Left::Ending(ending) => ("file", format!(" ending in .{ending}")),
            Left::OtherEndings(kinds) => ("file", format!(" of {kinds} other endings that are not read")),
            Left::NoEnding => ("file", " without an ending".to_string()),
            Left::Hidden => ("hidden file or folder", " (the name begins with a dot)".to_string()),
            Left::AppleDouble => ("file", " named ._…, which macOS writes beside the real ones".to_string()),
            Left::System => ("file or folder", " of macOS or Windows".to_string()),
            Left::Run => ("folder", " with a run of driftscope".to_string()),
            Left::Explained => ("folder", " written by driftscope explain".to_string()),
            Left::Figure => ("file or folder", " that driftscope explain wrote".to_string()),
            Left::SeenFolder => ("link", " to a folder that is searched already".to_string()),
            Left::OutsideClass => ("image", " in no class folder".to_string()),
            Left::NoSplit => ("folder", " beside train/, val/ and test/".to_string()),
            Left::OtherSplit => (
                "folder",
                " beside train/, val/ and test/ named as a split; the one to test on is called test/".to_string(),
            ),
            Left::NoPartOfDtd => ("entry", " beside images/ and labels/".to_string()),
            Left::Below => ("folder", " within a class, which the rules of this older run do not search".to_string()),
            Left::TestClass => ("class", " in test/ that train/ does not have".to_string()),
            Left::Unlisted => ("image", " in images/ that no list of this split names".to_string()),
            Left::Unwanted => ("class", " that was not asked for".to_string()),
        };
        let noun = match (count, noun) {
            (1, noun) => noun.to_string(),
            (_, "class") => "classes".to_string(),
            (_, "entry") => "entries".to_string(),
            (_, "hidden file or folder") => "hidden files or folders".to_string(),
            (_, "file or folder") => "files or folders".to_string(),
            (_, noun) => format!("{noun}s"),
        };
        format!("{count} {noun}{rest}")
    }
}

/// What is left out: how many of each kind, and the first.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut(BTreeMap<Left, (usize, PathBuf)>);

impl LeftOut {
    pub(super) fn add(&mut self, why: Left, path: &Path) {
        self.0.entry(why).or_insert_with(|| (0, path.to_path_buf())).0 += 1;
    }

    pub(super) fn append(&mut self, other: LeftOut) {
        for (why, (count, first)) in other.0 {
            self.0.entry(why).or_insert((0, first)).0 += count;
        }
    }

    pub(super) fn holds(&self, why: &Left) -> bool {
        self.0.contains_key(why)
    }

    /// A line for each kind.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(why, (count, first)): (&Left, &(usize, PathBuf))| {
            let such = if *count == 1 { ":" } else { ", the first:" };
            format!("left out: {}{such} {}", why.words(*count), shown(first))
        };
        self.summed().iter().map(line).collect()
    }

    /// With all but the most frequent endings taken together.
    fn summed(&self) -> BTreeMap<Left, (usize, PathBuf)> {
        let mut summed = self.0.clone();
        let mut endings: Vec<(Left, (usize, PathBuf))> =
            summed.extract_if(.., |why, _| matches!(why, Left::Ending(_))).collect();
        endings.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let others = endings.split_off(endings.len().min(ENDINGS));
        if let Some((_, (_, first))) = others.first() {
            let count = others.iter().map(|(_, (count, _))| count).sum();
            summed.insert(Left::OtherEndings(others.len()), (count, first.clone()));
        }
        summed.extend(endings);
        summed
    }
}

/// Endings that are named.
const ENDINGS: usize = 8;

impl fmt::Display for LeftOut {
    /// `3 files ending in .txt, 1 hidden file`, or `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.summed().iter().map(|(why, (count, _))| why.words(*count)).collect();
        f.write_str(&if parts.is_empty() { "nothing".to_string() } else { parts.join(", ") })
    }
}

/// What was found below a folder.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) images: Vec<PathBuf>,
    /// Folders that cannot be listed.
    pub(super) bad: Vec<Skipped>,
    pub(super) left_out: LeftOut,
}

/// What tells a folder from all others, whatever it is called.
type Place = (u64, u64);

fn place_of(folder: &Path) -> Option<Place> {
    folder.metadata().ok().map(|about| (about.dev(), about.ino()))
}

/// The folders of a data set: each real one is searched once, so that no link brings the images of one class or split
/// into another.
pub(super) struct Searched {
    root: PathBuf,
    old: bool,
    /// Where the data set's own folders are, those that no link leads to. They keep their names, and links to them are left
    /// out.
    own: BTreeSet<Place>,
    seen: BTreeSet<Place>,
}

impl Searched {
    /// For the data set at `root`, whose classes are these folders, in all splits. Under `old` rules, folders are searched
    /// without those below, each for itself.
    pub(super) fn new<'a>(root: &Path, old: bool, classes: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        let mut searched = Self { root: root.to_path_buf(), old, own: BTreeSet::new(), seen: BTreeSet::new() };
        if !old {
            for class in classes {
                if !searched.is_linked(class) {
                    let above: Vec<Place> = searched.parts_to(class).skip(1).filter_map(place_of).collect();
                    searched.own.extend(above);
                    claim(class, &mut searched.own);
                }
            }
        }
        searched
    }

    /// A folder and those that it lies in, up to the root, which is none of them.
    fn parts_to<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
        folder.ancestors().take_while(move |part| *part != self.root.as_path())
    }

    fn is_linked(&self, folder: &Path) -> bool {
        self.parts_to(folder).any(Path::is_symlink)
    }

    /// Searches `folder` and, unless the rules are old, all folders below it, through links as well.
    pub(super) fn walk(&mut self, folder: &Path) -> Walked {
        let mut walked = Walked::default();
        if self.old {
            self.seen.clear();
        }
        // A link up to a folder that this one lies in would bring in other classes and other splits.
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let above = |path: &Path| path.ancestors().skip(1).filter_map(place_of).collect::<Vec<_>>();
        let above: BTreeSet<Place> = above(&real).into_iter().chain(above(folder)).collect();
        let linked = self.is_linked(folder);
        self.search(folder, linked, &above, &mut walked);
        walked.images.sort();
        walked
    }

    fn search(&mut self, folder: &Path, linked: bool, above: &BTreeSet<Place>, walked: &mut Walked) {
        if let Some(place) = place_of(folder) {
            let of_others = above.contains(&place) || (linked && self.own.contains(&place));
            if of_others || !self.seen.insert(place) {
                return walked.left_out.add(Left::SeenFolder, folder);
            }
        }
        let entries = match fsx::list_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                return walked.bad.push(Skipped { path: folder.to_path_buf(), reason: format!("{error}") });
            }
        };
        let (mut folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.into_iter().partition(|path| path.is_dir());
        let written = written_in(folder, self.old);
        for path in files {
            match why_not(&path, self.old) {
                _ if written.contains(&path) => walked.left_out.add(Left::Figure, &path),
                Some(why) => walked.left_out.add(why, &path),
                None => walked.images.push(path),
            }
        }
        // Links last, so that a folder that is linked to as well keeps its own name.
        folders.sort_by_key(|path| path.is_symlink());
        for path in folders {
            match why_no_class(&path, self.old) {
                _ if written.contains(&path) => walked.left_out.add(Left::Figure, &path),
                Some(why) => walked.left_out.add(why, &path),
                None if self.old => walked.left_out.add(Left::Below, &path),
                None => self.search(&path, linked || path.is_symlink(), above, walked),
            }
        }
    }
}

/// Notes a folder and all below it that are searched, without following links.
fn claim(folder: &Path, own: &mut BTreeSet<Place>) {
    own.extend(place_of(folder));
    for path in fsx::list_dir(folder).unwrap_or_default() {
        if path.is_dir() && !path.is_symlink() && why_no_class(&path, false).is_none() {
            claim(&path, own);
        }
    }
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn is_of_system(name: &str) -> bool {
    let windows = ["thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"];
    windows.contains(&name.to_lowercase().as_str()) || ["__MACOSX", ".DS_Store", "Icon\r"].contains(&name)
}

/// Why a file is not taken for an image.
pub(super) fn why_not(path: &Path, old: bool) -> Option<Left> {
    let name = name_of(path);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let taken = |ending: &str| if old { OLD_ENDINGS.contains(&ending) } else { is_ending(ending) };
    match ending {
        _ if name.starts_with("._") => Some(Left::AppleDouble),
        _ if is_of_system(&name) => Some(Left::System),
        _ if name.starts_with('.') && !old => Some(Left::Hidden),
        Some(ending) if taken(&ending) => None,
        Some(ending) => Some(Left::Ending(names::escaped(ending.as_bytes()))),
        None => Some(Left::NoEnding),
    }
}

/// Why a folder is not searched, and can be no class.
pub(super) fn why_no_class(path: &Path, old: bool) -> Option<Left> {
    let name = name_of(path);
    match () {
        () if name.starts_with('.') => Some(Left::Hidden),
        () if is_of_system(&name) && !old => Some(Left::System),
        () if layout::is_run_dir(path) || (!old && layout::is_branching_dir(path)) => Some(Left::Run),
        () if !old && is_explained(path) => Some(Left::Explained),
        () => None,
    }
}

/// What `driftscope explain` wrote, and no image of anybody else.
fn is_explained(path: &Path) -> bool {
    match explained(path) {
        None => false,
        Some(None) => true,
        Some(Some(written)) => !has_others(path, &written),
    }
}

/// Files and folders that `driftscope explain` wrote into a folder, by its summary there; empty where there is none.
pub(super) fn written_in(folder: &Path, old: bool) -> BTreeSet<PathBuf> {
    if old { BTreeSet::new() } else { explained(folder).flatten().unwrap_or_default() }
}

/// None where there is no summary of `driftscope explain`; none within where it does not name its files.
fn explained(folder: &Path) -> Option<Option<BTreeSet<PathBuf>>> {
    let written = |all: Explained| {
        let names = all.figures.iter().chain(&all.folders);
        names.map(|name| folder.join(name)).chain([folder.join(SUMMARY_FILE)]).collect()
    };
    Some(Explained::read(folder)?.map(written))
}

/// Whether there are images, or links to folders that may hold some, beside what was written.
fn has_others(folder: &Path, written: &BTreeSet<PathBuf>) -> bool {
    let other = |path: &PathBuf| match path.is_dir() {
        _ if written.contains(path) => false,
        true if why_no_class(path, false).is_some() => false,
        true => path.is_symlink() || has_others(path, &written_in(path, false)),
        false => why_not(path, false).is_none(),
    };
    fsx::list_dir(folder).unwrap_or_default().iter().any(other)
}

/// What driftscope wrote into a folder, if it is one of its own.
pub(super) fn is_ours(path: &Path) -> Option<&'static str> {
    match () {
        () if layout::is_run_dir(path) || layout::is_branching_dir(path) => Some("the folder of a run"),
        () if is_explained(path) => Some("a folder written by driftscope explain"),
        () => None,
    }
}
