//! `run.json`: the settings of a run, its data and its panel.

use super::error::RunError;
use crate::config::RunConfig;
use crate::config::file::Settings;
use crate::data::DataSet;
use crate::fsx;
use crate::store::layout::RUN_FILE;
use crate::store::{self, PanelInfo};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// `run.json`: everything that decides what the run computes, written before its first batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this file.
    pub schema: u32,
    /// Version of driftscope that began the run.
    pub driftscope: String,
    /// The run's name, that of its folder.
    pub name: String,
    /// The model's name, such as `deit_tiny`.
    pub model: String,
    /// The data set's name.
    pub data: String,
    /// Class names by class index.
    pub classes: Vec<String>,
    /// The complete settings, with defaults filled in.
    pub config: RunConfig,
    /// The settings as they were typed.
    pub settings: Settings,
    /// The run and epoch that this one branched off: `checkpoints/other@3`.
    pub forked_from: Option<String>,
    /// When it began, in seconds since 1970; none in runs from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<u64>,
    /// The device that it began on: `cpu`, `cuda:0`.
    pub device: String,
    /// CPU threads of the machine it began on. Sums over another number of threads may end in other bytes.
    pub threads: usize,
    /// SHA-256 over the names, labels and splits of all images.
    pub data_digest: String,
    /// SHA-256 over the bytes of all image files; none where images are drawn, and in runs from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<String>,
    /// Image files that could not be read and were left out.
    pub skipped: Vec<PathBuf>,
    /// The images that every epoch explains.
    pub panel: PanelInfo,
}

impl RunRecord {
    /// The record of a run in the folder `run` that begins now, on `device`, with `data`. The digests of the panel's files are
    /// still empty: the files are made later.
    ///
    /// # Errors
    ///
    /// If the settings list an image for the panel that is not in the validation split.
    pub fn new(
        run: &Path,
        config: RunConfig,
        settings: Settings,
        data: &DataSet,
        device: String,
    ) -> Result<Self, RunError> {
        let panel = config.panel.choose(data)?;
        Ok(Self {
            schema: store::SCHEMA,
            driftscope: env!("CARGO_PKG_VERSION").to_string(),
            name: run.file_name().map_or_else(|| "run".to_string(), |name| name.to_string_lossy().into_owned()),
            model: config.model.to_string(),
            data: data.name.clone(),
            classes: data.classes.clone(),
            config,
            settings,
            forked_from: None,
            begun: SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs()),
            device,
            threads: thread::available_parallelism().map_or(1, usize::from),
            data_digest: data.digest.clone(),
            content_digest: data.content_digest.clone(),
            // As text: JSON knows no others.
            skipped: data.skipped.iter().map(|skipped| skipped.path.display().to_string().into()).collect(),
            panel: PanelInfo {
                digest: panel.digest,
                ids: panel.samples.iter().map(|sample| sample.id.clone()).collect(),
                labels: panel.samples.iter().map(|sample| sample.label).collect(),
                pictures: Vec::new(),
            },
        })
    }

    /// Reads the record of the run in the folder `run`.
    ///
    /// # Errors
    ///
    /// If there is no run, it is of a newer schema, or its content is contradictory or impossible.
    pub fn read(run: &Path) -> Result<Self, RunError> {
        let path = run.join(RUN_FILE);
        if fsx::kind(&path)?.is_none() {
            return Err(RunError::NoRun { path: run.to_path_buf() });
        }
        let record: RunRecord = store::read_versioned(&path, "a run's record")?;
        match record.problem() {
            Some(problem) => Err(RunError::Unusable { path, problem }),
            None => Ok(record),
        }
    }

    /// What is contradictory or impossible in the record, which may have been edited by hand.
    fn problem(&self) -> Option<String> {
        let (config, panel) = (&self.config, &self.panel);
        let problems = [
            (panel.labels.len() != panel.ids.len(), "its panel has not one label for each image"),
            (panel.labels.iter().any(|&label| label >= self.classes.len()), "a label of its panel is no class"),
            (!panel.pictures.is_empty() && panel.pictures.len() != panel.ids.len(), "its panel lacks digests"),
            (config.batch_size == 0 || config.accumulate == 0 || config.epochs == 0, "it trains on nothing"),
            (config.batch_size.checked_mul(config.accumulate).is_none(), "its batch is larger than any number"),
            (config.preprocessing.size != config.model.spec().image_size(), "its images are not of the model's size"),
            (config.preprocessing.resize < config.preprocessing.size, "its images are smaller than the model's"),
            (!(0.0..1.0).contains(&config.drop_path), "its drop_path is no share"),
            (!config.explainers.is_empty() && config.panel.targets.is_empty(), "it explains no target"),
        ];
        problems.into_iter().find_map(|(wrong, problem)| wrong.then(|| problem.to_string()))
    }

    /// Writes run.json, which makes `run` a run.
    pub(super) fn write(&self, run: &Path) -> Result<(), RunError> {
        let path = run.join(RUN_FILE);
        Ok(fsx::write_atomic(&path, &store::json(self, &path)?)?)
    }
}
