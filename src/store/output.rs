//! Output files that a person names: `-`, links, devices and pipes, folders that do not exist, and names that belong to a
//! run.
//!
//! [`Output::open`] makes every check that is possible before there is anything to write, so that hours of work do not
//! end with a wrong file name. A regular file is replaced as a whole and keeps its permissions; a device, pipe or socket
//! is written to and never replaced.

use super::layout::{RUN_FILE, is_a_runs_own};
use crate::fsx::{
    FsError, chain_of_links, check_writable, create_dir_all, folder_of, followed, is_there, shown, write_atomic_like,
    write_stdout, write_through,
};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// A name that cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The operating system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The name is that of a folder, where a file is to be written.
    #[error("{} is a folder; expected the name of a file", shown(path))]
    Folder {
        /// The path that was given.
        path: PathBuf,
    },
    /// The name is not that of a folder, where a folder is expected.
    #[error("{} is not a folder; expected a folder, or a name that does not exist yet", shown(path))]
    NotAFolder {
        /// The path that was given.
        path: PathBuf,
    },
    /// The folder in which the file is to be written does not exist.
    #[error("{} cannot be written: there is no folder {}", shown(path), shown(folder))]
    NoFolder {
        /// The path that was given.
        path: PathBuf,
        /// The folder that is missing.
        folder: PathBuf,
    },
    /// The name belongs to a run.
    #[error("{} belongs to the run {}, which would be damaged; name another file", shown(path), shown(run))]
    OfARun {
        /// The path that was given.
        path: PathBuf,
        /// The folder of the run that it belongs to.
        run: PathBuf,
    },
}

/// A place for output, checked.
#[derive(Debug)]
pub struct Output(Place);

#[derive(Debug)]
enum Place {
    Stdout,
    /// A regular file, or one that is to be; `like` is what it replaces.
    File {
        path: PathBuf,
        like: Option<fs::Metadata>,
    },
    /// A device, a pipe or a socket.
    Through(PathBuf),
}

impl Output {
    /// `-` is stdout. A link is followed, also to a file that is not there yet.
    ///
    /// # Errors
    ///
    /// Where the name is a folder's or belongs to a run, its folder is not there, or it may not be written.
    pub fn open(path: &Path) -> Result<Self, OutputError> {
        if path == Path::new("-") {
            return Ok(Self(Place::Stdout));
        }
        if let Some(metadata) = found(path)? {
            if metadata.is_dir() {
                return Err(OutputError::Folder { path: path.to_path_buf() });
            }
            if is_stdout(&metadata) {
                return Ok(Self(Place::Stdout));
            }
            if !metadata.is_file() || is_descriptor(path) {
                return Ok(Self(Place::Through(path.to_path_buf())));
            }
            let path = fs::canonicalize(path).map_err(FsError::of("write", path))?;
            not_of_a_run(&path)?;
            #[expect(clippy::disallowed_methods, reason = "whether it could be written is asked, and nothing is")]
            OpenOptions::new().write(true).open(&path).map_err(FsError::of("write", &path))?;
            check_writable(&path)?;
            return Ok(Self(Place::File { path, like: Some(metadata) }));
        }
        let path = target(path)?;
        not_of_a_run(&path)?;
        check_writable(&path)?;
        Ok(Self(Place::File { path, like: None }))
    }

    /// Whether it is stdout, where nothing else may be written then.
    pub fn is_stdout(&self) -> bool {
        matches!(self.0, Place::Stdout)
    }

    /// Whether it has a file's name, whose ending says what is to be written.
    pub fn is_file(&self) -> bool {
        matches!(self.0, Place::File { .. })
    }

    /// Writes all of it: a regular file is replaced whole, or stays as it was.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, bytes: &[u8]) -> Result<(), FsError> {
        match &self.0 {
            Place::Stdout => write_stdout(bytes),
            Place::Through(path) => write_through(path, bytes),
            Place::File { path, like } => write_atomic_like(path, bytes, like.as_ref()),
        }
    }
}

/// Checks a folder for output, which [`output_folder`] makes when there is something to put into it.
///
/// # Errors
///
/// Where the name is that of something else or belongs to a run, or the folder, or the one to make it in, may not be
/// written to.
pub fn check_output_folder(path: &Path) -> Result<(), OutputError> {
    check_folder_for(path, path)
}

/// Whether `path` takes a new entry, for a folder `wanted` in it, which is what errors name.
fn check_folder_for(path: &Path, wanted: &Path) -> Result<(), OutputError> {
    match found(path)? {
        Some(metadata) if metadata.is_dir() => {
            let real = fs::canonicalize(path).map_err(FsError::of("write", path))?;
            not_of_a_run(&real)?;
            Ok(check_writable(&real.join("output")).map_err(|error| error.about(wanted))?)
        }
        Some(_) => Err(OutputError::NotAFolder { path: path.to_path_buf() }),
        None => {
            let path = followed(path)?;
            let path = std::path::absolute(&path).map_err(FsError::of("write", &path))?;
            not_of_a_run(&path)?;
            match path.ancestors().skip(1).find(|folder| is_there(folder)) {
                Some(folder) => check_folder_for(folder, wanted),
                None => Ok(()),
            }
        }
    }
}

/// Makes a folder for output and its parents, or takes one that is there; a link is followed.
///
/// # Errors
///
/// As [`check_output_folder`], and where the operating system refuses.
pub fn output_folder(path: &Path) -> Result<(), OutputError> {
    check_output_folder(path)?;
    Ok(create_dir_all(&followed(path)?)?)
}

/// What is there, links followed; none for a name that is free or a link that leads nowhere.
fn found(path: &Path) -> Result<Option<fs::Metadata>, FsError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FsError::of("write", path)(error)),
    }
}

/// Whether this is what stdout writes to. A terminal or `/dev/null` may be opened a second time without harm.
fn is_stdout(metadata: &fs::Metadata) -> bool {
    let stdout = io::stdout().as_fd().try_clone_to_owned().and_then(|stdout| File::from(stdout).metadata());
    stdout.is_ok_and(|stdout| (stdout.dev(), stdout.ino()) == (metadata.dev(), metadata.ino()))
}

/// Whether this names an open file of a process: what it leads to belongs to whoever opened it.
fn is_descriptor(path: &Path) -> bool {
    let of_processes = |path: &PathBuf| path.starts_with("/proc") || path.starts_with("/dev/fd");
    chain_of_links(path).iter().any(of_processes)
}

/// The file to be made, in a folder that is there.
fn target(named_path: &Path) -> Result<PathBuf, OutputError> {
    let path = followed(named_path)?;
    let Some(name) = path.file_name().filter(|_| !ends_in_a_slash(&path)) else {
        return Err(FsError::NoFileName { path: named_path.to_path_buf() }.into());
    };
    match fs::canonicalize(folder_of(&path)) {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder_of(&path).to_path_buf();
            Err(OutputError::NoFolder { path: named_path.to_path_buf(), folder })
        }
        Err(error) => Err(FsError::of("write", named_path)(error).into()),
    }
}

fn ends_in_a_slash(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(b"/")
}

/// Whether `path`, absolute and free of links, is no file or folder that a run keeps in its own folder.
///
/// # Errors
///
/// [`OutputError::OfARun`] names the run.
pub fn not_of_a_run(path: &Path) -> Result<(), OutputError> {
    for run in path.ancestors().skip(1).filter(|folder| folder.join(RUN_FILE).is_file()) {
        let below = path.strip_prefix(run).ok().and_then(|below| below.components().next());
        if let Some(Component::Normal(name)) = below
            && is_a_runs_own(name)
        {
            return Err(OutputError::OfARun { path: path.to_path_buf(), run: run.to_path_buf() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    fn write(path: &Path, bytes: &[u8]) {
        Output::open(path).unwrap().write(bytes).unwrap();
    }

    fn refused(path: &Path) -> String {
        Output::open(path).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        write(&path, b"first");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        write(&path, b"second");
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_stays_and_its_target_is_written_even_if_it_was_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new, far) = (dir.path().join("old"), dir.path().join("new"), dir.path().join("far"));
        fs::write(&old, "before").unwrap();
        fs::create_dir(&far).unwrap();
        for (link, target, place) in [("one", "old", &old), ("two", "new", &new), ("three", "far/x", &far.join("x"))] {
            let link = dir.path().join(link);
            symlink(target, &link).unwrap();
            write(&link, b"after");
            assert_eq!(fs::read(place).unwrap(), b"after");
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
        let round = dir.path().join("round");
        symlink("round", &round).unwrap();
        assert!(refused(&round).contains("round"));
    }

    #[test]
    fn what_is_no_regular_file_is_written_through_and_stays_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let null = dir.path().join("null");
        symlink("/dev/null", &null).unwrap();
        write(&null, b"gone");
        assert!(fs::metadata(&null).unwrap().file_type().is_char_device());

        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        write(&pipe, b"through the pipe");
        assert_eq!(reader.join().unwrap(), b"through the pipe");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

        let socket = dir.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let reader = std::thread::spawn(move || io::read_to_string(listener.accept().unwrap().0).unwrap());
        write(&socket, b"through the socket");
        assert_eq!(reader.join().unwrap(), "through the socket");
    }

    #[test]
    fn what_cannot_be_written_is_known_before_there_is_anything_to_write() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        fs::create_dir(&folder).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(refused(&folder).contains("is a folder"));
        assert!(refused(&dir.path().join("absent/x")).contains("there is no folder"));
        assert!(refused(&dir.path().join("file/x")).contains("file/x"));
        assert!(refused(&dir.path().join("n".repeat(256))).contains("name"), "too long");
        assert!(refused(Path::new("/proc/x")).contains("/proc/x"));
        // The longest name there is can be written, though a temporary one is made beside it.
        write(&dir.path().join("n".repeat(255)), b"long");
        assert!(output_folder(&dir.path().join("file")).unwrap_err().to_string().contains("is not a folder"));
        check_output_folder(&dir.path().join("new/folder")).unwrap();
        assert!(!dir.path().join("new").exists(), "looked at and not made");
        output_folder(&dir.path().join("new/folder")).unwrap();
        assert!(dir.path().join("new/folder").is_dir());
        symlink("elsewhere", dir.path().join("link")).unwrap();
        output_folder(&dir.path().join("link")).unwrap();
        assert!(dir.path().join("elsewhere").is_dir());
    }

    #[test]
    fn a_runs_own_files_are_refused_by_any_way_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        fs::create_dir_all(run.join("epoch-0003/deeper")).unwrap();
        fs::create_dir(run.join("panel")).unwrap();
        fs::create_dir(run.join("mine")).unwrap();
        for name in ["run.json", "metrics.csv", "epoch-0003/model.safetensors"] {
            fs::write(run.join(name), "kept").unwrap();
        }
        symlink(run.join("epoch-0003/model.safetensors"), dir.path().join("link")).unwrap();
        symlink(run.join("epoch-0003"), run.join("mine/epochs")).unwrap();
        for name in [
            "run/run.json",
            "run/lock",
            "run/metrics.csv",
            "run/metrics.jsonl",
            "run/epoch-0003/model.safetensors",
            "run/epoch-0003/deeper/new",
            "run/epoch-0009",
            "run/mine/../panel/000.png",
            "run/mine/epochs/state.json",
            "run/interrupted",
            "link",
        ] {
            let message = refused(&dir.path().join(name));
            assert!(message.contains("belongs to the run"), "{name}: {message}");
        }
        assert_eq!(fs::read(run.join("epoch-0003/model.safetensors")).unwrap(), b"kept");
        for name in ["panel", "epoch-0009", "superseded-1/x"] {
            let message = output_folder(&run.join(name)).unwrap_err().to_string();
            assert!(message.contains("belongs to the run"), "{name}: {message}");
        }
        write(&run.join("report.html"), b"a file of one's own");
        write(&run.join("mine/epoch-0003"), b"not the run's");
    }
}
