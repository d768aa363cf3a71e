//! One self-contained HTML page for one or more runs: maps travel as numbers and are drawn in the browser.
//!
//! `page.rs` turns runs into the JSON whose shape `types.d.ts` says; `page.html` is the page around it, and the scripts
//! beside it draw. Nothing is fetched: the page opens from disk, offline, and its content security policy forbids the
//! browser every request and every script and style but its own, by their SHA-256.

mod card;
mod confusion;
mod error;
mod maps;
mod matrices;
mod packed;
mod page;
mod pictures;

pub use error::ReportError;
pub use page::{PageOptions, html, html_with};
