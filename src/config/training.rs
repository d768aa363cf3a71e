//! Settings of the training itself: optimizer, learning rate, and what else happens to the weights.

use serde::{Deserialize, Serialize};

/// How a gradient becomes an update; the defaults are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Loshchilov & Hutter 2017: the decay shrinks the weights themselves.
    Adamw(Moments),
    /// Kingma & Ba 2014: the decay is added to the gradient.
    Adam(Moments),
    /// Stochastic gradient descent with momentum, no dampening; the decay is added to the gradient.
    Sgd {
        /// Share of the last update that is kept.
        momentum: f64,
        /// Whether the gradient is taken where the momentum leads.
        nesterov: bool,
    },
}

/// The two moments of Adam and AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Decay of the means of the gradient and of its square.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], epsilon: 1e-8 }
    }
}

impl OptimizerKind {
    /// The name in config files.
    pub fn name(self) -> &'static str {
        match self {
            OptimizerKind::Adamw(_) => "adamw",
            OptimizerKind::Adam(_) => "adam",
            OptimizerKind::Sgd { .. } => "sgd",
        }
    }

    /// Whether it keeps a second moment of the gradient.
    pub fn has_second(self) -> bool {
        !matches!(self, OptimizerKind::Sgd { .. })
    }
}

/// The optimizer and its settings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerConfig {
    /// Which optimizer, with its own settings.
    pub method: OptimizerKind,
    /// Weight decay, at least 0: decoupled and times the learning rate in AdamW, added to the gradient elsewhere.
    pub weight_decay: f64,
    /// Whether norms, biases, class token and position embedding decay too, as with one parameter group in PyTorch.
    pub decay_all: bool,
    /// Layer-wise learning-rate decay, in (0, 1]: the learning rate of a block over that of the next one; 1: the same everywhere.
    pub layer_decay: f64,
    /// Greatest global L2 norm of the gradients, which are scaled down to it; none: no clipping.
    pub clip_norm: Option<f64>,
}

impl OptimizerConfig {
    /// PyTorch's `torch.optim.AdamW` but for the decay's exemptions, which are timm's.
    pub fn adamw(weight_decay: f64) -> Self {
        let method = OptimizerKind::Adamw(Moments::default());
        Self { method, weight_decay, decay_all: false, layer_decay: 1.0, clip_norm: None }
    }
}

/// The learning rate over the optimizer's steps: linear warm-up, then a decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleConfig {
    /// The learning rate at the end of the warm-up.
    pub learning_rate: f64,
    /// Epochs of linear warm-up; a fraction is rounded to whole steps.
    pub warmup_epochs: f64,
    /// The learning rate of the first step as a share of the full one, 0 to 1.
    pub warmup_start: f64,
    /// What follows the warm-up.
    pub decay: Decay,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Decay {
    /// Half a cosine down to `minimum` at the last step.
    Cosine {
        /// The learning rate at the last step.
        minimum: f64,
    },
    /// Times `factor` after every `every_epochs` epochs, warm-up included.
    Step {
        /// Epochs between two steps down.
        every_epochs: usize,
        /// The learning rate after a step down over that before, in (0, 1].
        factor: f64,
    },
    /// The learning rate stays.
    Constant,
}

/// Which parameters are frozen, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeConfig {
    /// Epochs at the beginning in which the head alone is trained; everything below it is in evaluation mode, batch norm too.
    pub head_only_epochs: usize,
    /// Whether batch norm is frozen for the whole run: running statistics, weights and biases.
    pub batch_norm: bool,
}

/// An exponential moving average of parameters and buffers, which is then what is evaluated, explained and exported.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmaConfig {
    /// Decay of the average, below 1: average ← decay · average + (1 − decay) · weights.
    pub decay: f64,
    /// Whether the decay rises from 0: at step `t` it is at most `1 − (1 + t)^(−2/3)`, as timm's `ModelEmaV3` warms up.
    pub warmup: bool,
}

/// Retention: which epochs keep their weights. Maps and metrics of every epoch are kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeepConfig {
    /// How many of the best, by validation accuracy.
    pub best: usize,
    /// How many of the last; at least 1, for resuming.
    pub last: usize,
    /// The best epoch is the one whose evidence moved least beyond what is still, of those whose validation accuracy is within
    /// this of the best, 0 to 1; none: accuracy alone decides.
    #[serde(default)]
    pub stable_within: Option<f64>,
}

/// What to say of a moving average that hardly moves: where after all `steps` of a run more than half of it is still the
/// first weights. None where it follows.
pub fn ema_note(decay: f64, warmup: bool, steps: usize) -> Option<String> {
    // With the warm-up the first step keeps 0.37 and each step less than one, so little of the first weights is left.
    if warmup || steps == 0 {
        return None;
    }
    let left = decay.powf(steps as f64);
    // A tenth of the first weights is left with this decay; rounded down, so that it is less.
    let lower = (0.1_f64.powf(1.0 / steps as f64) * 1000.0).floor() / 1000.0;
    (left > 0.5).then(|| {
        format!(
            "ema.decay {decay} over {steps} steps leaves {:.0} % of the first weights in the average, which is what is \
             validated, explained and exported: set ema.warmup=true, or an ema.decay of {lower} or less",
            100.0 * left
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper: 0.9999^1000 = e^(1000·ln 0.9999) = e^−0.100005 = 0.9048; a tenth is left at 0.1^(1/1000) = 0.99770.
    /// 0.5 is left after ln 0.5/ln 0.99 = 68.97 steps of 0.99.
    #[test]
    fn an_average_that_hardly_moves_is_noted_with_what_would_help() {
        let note = ema_note(0.9999, false, 1000).unwrap();
        assert!(note.contains("90 %") && note.contains("0.997 or less") && note.contains("ema.warmup"), "{note}");
        assert!(ema_note(0.99, false, 68).is_some());
        assert_eq!(ema_note(0.99, false, 69), None);
        assert_eq!(ema_note(0.9999, true, 1000), None);
        assert_eq!(ema_note(0.9999, false, 0), None);
    }
}
