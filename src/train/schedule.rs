//! The learning rate as a pure function of the step.

use crate::config::{Decay, ScheduleConfig};

/// Linear warm-up, then the configured decay, stepped at every step of the optimizer.
///
/// # Source
///
/// As `torch.optim.lr_scheduler.SequentialLR` of `LinearLR` and `CosineAnnealingLR` stepped every batch: step `t` counts
/// from zero and the cosine (Loshchilov & Hutter 2016, "SGDR") starts at the full rate when the warm-up ends. `Step` is
/// `StepLR` over epochs counted from the run's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    config: ScheduleConfig,
    warmup_steps: usize,
    steps_per_epoch: usize,
    total_steps: usize,
}

impl Schedule {
    /// The configured curve over `epochs` of `steps_per_epoch` steps.
    pub fn new(config: &ScheduleConfig, epochs: usize, steps_per_epoch: usize) -> Self {
        Self {
            config: *config,
            warmup_steps: (config.warmup_epochs * steps_per_epoch as f64).round() as usize,
            steps_per_epoch,
            total_steps: epochs * steps_per_epoch,
        }
    }

    /// The learning rate of step `step`, counted from zero. Beyond the last step a cosine stays at its minimum.
    pub fn at(&self, step: usize) -> f64 {
        let full = self.config.learning_rate;
        if step < self.warmup_steps {
            let done = step as f64 / self.warmup_steps as f64;
            return full * (self.config.warmup_start + (1.0 - self.config.warmup_start) * done);
        }
        match self.config.decay {
            Decay::Constant => full,
            Decay::Step { every_epochs, factor } => {
                let falls = step / self.steps_per_epoch.max(1) / every_epochs.max(1);
                full * factor.powi(falls as i32)
            }
            Decay::Cosine { minimum } => {
                let length = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
                let done = ((step - self.warmup_steps) as f64 / length).min(1.0);
                minimum + 0.5 * (full - minimum) * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(warmup_epochs: f64, decay: Decay) -> Schedule {
        let config = ScheduleConfig { learning_rate: 1.0, warmup_epochs, warmup_start: 0.1, decay };
        Schedule::new(&config, 3, 10)
    }

    /// On paper: 0.1 at the start, 0.1 + 0.9·5/10 = 0.55 halfway up, 1 at its end; halfway down the cosine is zero, so
    /// (1 + 0.2)/2 = 0.6; 0.2 at the end and after.
    #[test]
    fn warm_up_rises_linearly_and_the_cosine_falls_to_the_minimum() {
        let schedule = schedule(1.0, Decay::Cosine { minimum: 0.2 });
        for (step, expected) in [(0, 0.1), (5, 0.55), (10, 1.0), (20, 0.6), (30, 0.2), (99, 0.2)] {
            assert!((schedule.at(step) - expected).abs() < 1e-12, "step {step}: {}", schedule.at(step));
        }
    }

    #[test]
    fn no_warm_up_starts_at_the_full_rate() {
        assert_eq!(schedule(0.0, Decay::Cosine { minimum: 0.2 }).at(0), 1.0);
    }

    /// On paper: epochs of ten steps; half after each, so a quarter in the third.
    #[test]
    fn steps_fall_at_epochs_and_a_constant_does_not() {
        let steps = schedule(0.0, Decay::Step { every_epochs: 1, factor: 0.5 });
        assert_eq!([0, 9, 10, 19, 20].map(|step| steps.at(step)), [1.0, 1.0, 0.5, 0.5, 0.25]);
        assert_eq!(schedule(0.0, Decay::Constant).at(29), 1.0);
    }
}
