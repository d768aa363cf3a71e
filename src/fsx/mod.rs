//! Files that are whole or absent, errors that name their path, and paths on one line for a person.
//!
//! Everything that driftscope writes to disk goes through here, except TensorBoard's event files, which grow. A reader,
//! another process or the next run after a power cut sees the old bytes or the new ones, never a part of either.

#![expect(clippy::disallowed_methods, reason = "what the rest of the crate uses instead is here")]

mod atomic;
mod dirs;
mod error;
mod links;
mod read;
mod stream;
mod text;

pub use atomic::{check_writable, temporary_of, write_atomic, write_atomic_like};
pub use dirs::{check_own_dir, create_dir_all, list_dir, remove_file, remove_own_dir, rename_dir, sync_dir};
pub use error::FsError;
pub use links::{Kind, chain_of_links, folder_of, followed, is_there, kind};
pub use read::{check_file, metadata, read, read_named, read_start, read_to_string, sha256_hex};
pub use stream::{write_stdout, write_through};
pub use text::{one_line, quoted, shown, whole_number};
