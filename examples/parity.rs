//! The Rust side of `scripts/parity`: runs one stage on tensors or pictures from files and writes what came out, so
//! that PyTorch, timm, torchvision and Pillow can be asked the same.
//!
//! ```text
//! parity preprocess OUT.safetensors SIZE RESIZE bicubic PICTURES…   decoded.N, tensor.N
//! parity resize PIXELS.safetensors OUT.safetensors                  as named: bicubic.120x90.anything
//! parity logits MODEL WEIGHTS IMAGES.safetensors OUT.safetensors    logits
//! parity gradients MODEL WEIGHTS BATCH.safetensors OUT.safetensors  loss, gradient.NAME, buffer.NAME
//! parity explain MODEL WEIGHTS BATCH.safetensors EXPLAINERS OUT…   maps.SPEC, gap.SPEC, layers.SPEC, noise.SPEC
//! parity checkpoint FILE OUT.safetensors [--key KEY]               the weights; what the file says is printed as JSON
//! parity train MODEL WEIGHTS BATCHES.safetensors OUT.safetensors    losses
//! ```

use anyhow::{Context, bail};
use burn::tensor::{Device, Int, Tensor, TensorData};
use clap::{Parser, Subcommand};
use driftscope::checkpoints::Checkpoint;
use driftscope::config::OptimizerConfig;
use driftscope::data::{Preprocessing, normalised};
use driftscope::device::DeviceChoice;
use driftscope::explain::{self, Explainer, Target};
use driftscope::measure::Heatmap;
use driftscope::models::{Mode, Model, ModelName, Taps};
use driftscope::picture::{self, Interpolation, Normalisation, Picture};
use driftscope::probe::cross_entropy;
use driftscope::train::{Optimizer, StepGradients};
use driftscope::weights::{self, HostTensor, StateDict};
use std::path::{Path, PathBuf};

/// What the reference uses too: torch.optim.AdamW(lr=1e-4, weight_decay=0.05).
const LEARNING_RATE: f64 = 1e-4;
const WEIGHT_DECAY: f64 = 0.05;

#[derive(Parser)]
struct Arguments {
    /// auto, cpu, cuda:N or flex
    #[arg(long, default_value = "auto", global = true)]
    device: DeviceChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Pictures as decoded, `[height, width, 3]`, and as the model gets them in evaluation, `[3, size, size]`.
    Preprocess { out: PathBuf, size: usize, resize: usize, interpolation: String, pictures: Vec<PathBuf> },
    /// Decoded pixels scaled as their names say.
    Resize { pixels: PathBuf, out: PathBuf },
    /// Evaluation mode.
    Logits(Stage),
    /// Mean cross-entropy in training mode without drop path: the gradient of every parameter, and the new buffers.
    Gradients(Stage),
    /// Raw maps of the labels, by each of the explainers (specifications, separated by commas).
    Explain { model: ModelName, weights: PathBuf, inputs: PathBuf, explainers: String, out: PathBuf },
    /// The weights of a checkpoint that others wrote, under the names used here.
    Checkpoint {
        file: PathBuf,
        out: PathBuf,
        #[arg(long)]
        key: Option<String>,
    },
    /// One AdamW step on each batch in turn: the losses before the steps.
    Train(Stage),
}

#[derive(clap::Args)]
struct Stage {
    model: ModelName,
    weights: PathBuf,
    /// `images`, normalised, or `images.0`, `images.1`, …; and `labels` alike.
    inputs: PathBuf,
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (device, _) = arguments.device.open()?;
    let (results, out) = match arguments.command {
        Command::Preprocess { out, size, resize, interpolation, pictures } => {
            let preprocessing = Preprocessing {
                size,
                resize,
                interpolation: parse_interpolation(&interpolation)?,
                normalisation: Normalisation::IMAGENET,
            };
            (preprocess(&pictures, preprocessing, &device)?, out)
        }
        Command::Resize { pixels, out } => (resize(weights::read(&pixels)?)?, out),
        Command::Logits(stage) => (logits(&stage, &device)?, stage.out),
        Command::Gradients(stage) => (gradients(&stage, &device.autodiff())?, stage.out),
        Command::Explain { model, weights, inputs, explainers, out } => {
            let stage = Stage { model, weights, inputs, out: out.clone() };
            (explain(&stage, &explainers, &device)?, out)
        }
        Command::Checkpoint { file, out, key } => (checkpoint(&file, key.as_deref())?, out),
        Command::Train(stage) => (train(&stage, &device.autodiff())?, stage.out),
    };
    driftscope::fsx::write_atomic(&out, &weights::encode(&results, &[("format", "pt")])?)?;
    Ok(())
}

fn preprocess(pictures: &[PathBuf], preprocessing: Preprocessing, device: &Device) -> anyhow::Result<StateDict> {
    let mut results = StateDict::new();
    for (index, path) in pictures.iter().enumerate() {
        let picture = picture::read(path)?;
        let mut planes = Vec::new();
        preprocessing.apply(&picture).append_planes(&mut planes);
        let tensor = normalised(planes, 1, preprocessing.size, preprocessing.normalisation, device).squeeze_dim::<3>(0);
        results.insert(format!("decoded.{index}"), from_picture(&picture));
        results.insert(format!("tensor.{index}"), HostTensor::from_tensor(tensor));
    }
    Ok(results)
}

fn checkpoint(file: &Path, key: Option<&str>) -> anyhow::Result<StateDict> {
    let checkpoint = Checkpoint::open(file)?;
    let found = checkpoint.choose(key)?;
    let (model, facts) = (found.architecture()?, checkpoint.facts());
    let said = serde_json::json!({
        "key": found.key(), "prefix": found.prefix(), "average": found.is_average(), "model": model.name(),
        "epoch": facts.epoch, "step": facts.step, "classes": facts.classes, "epsilon": facts.epsilon,
        "mean": facts.preprocessing.as_ref().and_then(|one| one.mean), "metrics": facts.metrics,
    });
    driftscope::fsx::write_stdout(format!("{said}\n").as_bytes())?;
    let tensors = found.read()?.into_iter();
    Ok(tensors.map(|one| (one.name, HostTensor { shape: one.shape, values: one.values })).collect())
}

fn resize(pixels: StateDict) -> anyhow::Result<StateDict> {
    let scale = |(name, tensor): (String, HostTensor)| {
        let mut parts = name.split('.');
        let interpolation = parse_interpolation(parts.next().unwrap_or_default())?;
        let (width, height) = parts.next().and_then(|size| size.split_once('x')).context("no WIDTHxHEIGHT")?;
        let scaled = to_picture(&tensor)?.resized(width.parse()?, height.parse()?, interpolation);
        Ok((name, from_picture(&scaled)))
    };
    pixels.into_iter().map(scale).collect()
}

fn logits(stage: &Stage, device: &Device) -> anyhow::Result<StateDict> {
    let (model, inputs) = stage.open(device)?;
    let logits = model.forward(tensor(&inputs, "images", device)?, Mode::EVAL, &mut Taps::none());
    Ok(StateDict::from([("logits".to_string(), HostTensor::from_tensor(logits))]))
}

fn gradients(stage: &Stage, device: &Device) -> anyhow::Result<StateDict> {
    let (model, inputs) = stage.open(device)?;
    let loss = loss(&model, &inputs, "", device)?;
    let gradients = weights::gradients(&model, &loss.backward());
    let mut results = StateDict::from([("loss".to_string(), HostTensor::from_tensor(loss.inner()))]);
    let buffers = weights::state_dict(&model).into_iter().filter(|(name, _)| name.contains(".running_"));
    results.extend(buffers.map(|(name, buffer)| (format!("buffer.{name}"), buffer)));
    results.extend(gradients.into_iter().map(|(name, gradient)| (format!("gradient.{name}"), gradient)));
    Ok(results)
}

fn explain(stage: &Stage, specifications: &str, device: &Device) -> anyhow::Result<StateDict> {
    let (model, inputs) = stage.open(device)?;
    let images: Tensor<4> = tensor(&inputs, "images", device)?;
    let labels: Vec<Option<usize>> =
        inputs.get("labels").context("no tensor labels")?.values.iter().map(|&x| Some(x as usize)).collect();
    let [batch, _, height, width] = images.dims();
    let specifications: Vec<&str> = specifications.split(',').collect();
    let explainers = specifications.iter().map(|text| Ok(text.parse()?)).collect::<anyhow::Result<Vec<Explainer>>>()?;
    let explained = explain::explain(&model, &explainers, images, &labels, &[Target::Label])?;
    let mut results = StateDict::new();
    for ((text, explainer), of) in specifications.iter().zip(&explainers).zip(&explained.explainers) {
        let explanations = &of.targets[0].explanations;
        let [rows, columns] = explanations[0].map.grid();
        let flat = |maps: Vec<&Heatmap>| maps.iter().flat_map(|map| map.values().to_vec()).collect::<Vec<f32>>();
        let values = flat(explanations.iter().map(|explanation| &explanation.map).collect());
        results.insert(format!("maps.{text}"), HostTensor { shape: vec![batch, rows, columns], values });
        let gaps: Vec<f32> = explanations.iter().filter_map(|explanation| explanation.completeness_gap).collect();
        if !gaps.is_empty() {
            results.insert(format!("gap.{text}"), HostTensor { shape: vec![batch], values: gaps });
        }
        let layers = &explanations[0].layers;
        if let Some(heads) = layers.first() {
            let shape = vec![batch, layers.len(), heads.len(), rows, columns];
            let values =
                flat(explanations.iter().flat_map(|explanation| explanation.layers.iter().flatten()).collect());
            results.insert(format!("layers.{text}"), HostTensor { shape, values });
        }
        if let Explainer::SmoothGrad(method) = explainer {
            let noise = (0..method.samples).map(|sample| method.noise(sample, [height, width], device)).collect();
            results.insert(format!("noise.{text}"), HostTensor::from_tensor(Tensor::cat(noise, 0)));
        }
    }
    Ok(results)
}

fn train(stage: &Stage, device: &Device) -> anyhow::Result<StateDict> {
    let (mut model, inputs) = stage.open(device)?;
    let mut optimizer = Optimizer::new(OptimizerConfig::adamw(WEIGHT_DECAY));
    let mut losses = Vec::new();
    while inputs.contains_key(&format!("images.{}", losses.len())) {
        let loss = loss(&model, &inputs, &format!(".{}", losses.len()), device)?;
        losses.extend(HostTensor::from_tensor(loss.clone().inner()).values);
        let mut gradients = StepGradients::default();
        gradients.add(&model, loss.backward());
        model = optimizer.step(model, &mut gradients, LEARNING_RATE);
    }
    Ok(StateDict::from([("losses".to_string(), HostTensor { shape: vec![losses.len()], values: losses })]))
}

/// Mean cross-entropy of the batch that ends in `suffix`, in training mode.
fn loss(model: &Model, inputs: &StateDict, suffix: &str, device: &Device) -> anyhow::Result<Tensor<1>> {
    let images = tensor(inputs, &format!("images{suffix}"), device)?;
    let labels: Tensor<1> = tensor(inputs, &format!("labels{suffix}"), device)?;
    let targets: Tensor<2, Int> = labels.int().unsqueeze_dim(1);
    let logits = model.forward(images, Mode::train(0), &mut Taps::none());
    Ok(cross_entropy(logits, targets).mean())
}

impl Stage {
    /// The model with the file's weights, every one of them and with as many classes, and the inputs.
    fn open(&self, device: &Device) -> anyhow::Result<(Model, StateDict)> {
        let tensors = weights::read(&self.weights)?;
        let head = ["fc.bias", "head.bias"].into_iter().find_map(|name| tensors.get(name));
        let classes = head.context("the weights have no head")?.values.len();
        let model = self.model.init(classes, 0.0, 0, device);
        Ok((weights::load_state_dict(model, tensors, &self.weights)?, weights::read(&self.inputs)?))
    }
}

/// Inputs are off the tape.
fn tensor<const D: usize>(inputs: &StateDict, name: &str, device: &Device) -> anyhow::Result<Tensor<D>> {
    let host = inputs.get(name).with_context(|| format!("no tensor {name}"))?;
    let data = TensorData::new(host.values.clone(), host.shape.clone());
    Ok(Tensor::from_data(data, &device.clone().inner()))
}

fn parse_interpolation(name: &str) -> anyhow::Result<Interpolation> {
    match name {
        "bilinear" => Ok(Interpolation::Bilinear),
        "bicubic" => Ok(Interpolation::Bicubic),
        _ => bail!("'{name}' is neither bilinear nor bicubic"),
    }
}

fn from_picture(picture: &Picture) -> HostTensor {
    let values = picture.pixels().iter().map(|&byte| f32::from(byte)).collect();
    HostTensor { shape: vec![picture.height(), picture.width(), 3], values }
}

fn to_picture(tensor: &HostTensor) -> anyhow::Result<Picture> {
    let &[height, width, 3] = tensor.shape.as_slice() else { bail!("expected [height, width, 3] pixels") };
    Ok(Picture::new(width, height, tensor.values.iter().map(|&value| value as u8).collect()))
}
