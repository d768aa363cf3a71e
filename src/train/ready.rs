//! Everything about a run that can fail before its first batch, done before anything of it is written.

use super::error::TrainError;
use super::panel::PanelProbe;
use super::setup::Setup;
use super::trainee::Trainee;
use crate::device;
use crate::fsx;
use crate::progress::Progress;
use crate::run::Checkpoint;

/// A model with its weights, an optimizer, and a panel that was decoded: what [`fit`](super::fit) starts from.
#[derive(Debug)]
pub struct Ready {
    pub(super) trainee: Trainee,
    pub(super) panel: PanelProbe,
    /// Whether the run has an epoch already.
    pub(super) begun: bool,
    /// The panel's pictures as PNG files, which a new run will keep; none where there is one already.
    pub(super) pictures: Vec<Vec<u8>>,
}

impl Ready {
    /// Draws the model or reads its weights, or takes both from where the run stopped; and decodes the panel.
    ///
    /// # Errors
    ///
    /// Where weights do not fit, a picture cannot be read, a target is no class, or memory does not suffice. Nothing has been
    /// written by then.
    pub fn new(setup: &Setup, checkpoint: Option<Checkpoint>, progress: &Progress) -> Result<Self, TrainError> {
        device::within_memory(|| {
            let begun = checkpoint.is_some();
            let trainee = match checkpoint {
                Some(checkpoint) => Trainee::restore(checkpoint, setup)?,
                None => Trainee::new(setup, progress)?,
            };
            let panel = PanelProbe::new(setup, progress)?;
            let pictures = if begun { Vec::new() } else { panel.pictures()? };
            Ok(Self { trainee, panel, begun, pictures })
        })?
    }

    /// SHA-256 of each panel picture's file in a new run, in panel order.
    pub fn panel_digests(&self) -> Vec<String> {
        self.pictures.iter().map(|png| fsx::sha256_hex(png)).collect()
    }
}
