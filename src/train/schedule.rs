//! The learning rate as a pure function of the step.

use crate::config::ScheduleConfig;

/// Linear warm-up, then a cosine down to a minimum.
///
/// # Source
///
/// Loshchilov & Hutter 2016, "SGDR"; as `torch.optim.lr_scheduler.SequentialLR` of `LinearLR` and `CosineAnnealingLR`
/// stepped every batch: step `t` counts from zero and the cosine starts at the full rate when the warm-up ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The full learning rate.
    pub learning_rate: f64,
    /// Where the cosine ends.
    pub minimum: f64,
    /// Fraction of the full rate at the first step of the warm-up.
    pub warmup_start: f64,
    /// Steps of warm-up.
    pub warmup_steps: usize,
    /// All steps, warm-up included.
    pub total_steps: usize,
}

impl Schedule {
    /// The configured curve over `epochs` of `steps_per_epoch` steps.
    pub fn new(config: &ScheduleConfig, epochs: usize, steps_per_epoch: usize) -> Self {
        Self {
            learning_rate: config.learning_rate,
            minimum: config.minimum,
            warmup_start: config.warmup_start,
            warmup_steps: (config.warmup_epochs * steps_per_epoch as f64).round() as usize,
            total_steps: epochs * steps_per_epoch,
        }
    }

    /// The learning rate of step `step`, counted from zero. Beyond the last step it stays at the minimum.
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            let done = step as f64 / self.warmup_steps as f64;
            return self.learning_rate * (self.warmup_start + (1.0 - self.warmup_start) * done);
        }
        let length = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let done = ((step - self.warmup_steps) as f64 / length).min(1.0);
        self.minimum + 0.5 * (self.learning_rate - self.minimum) * (1.0 + (std::f64::consts::PI * done).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule =
        Schedule { learning_rate: 1.0, minimum: 0.2, warmup_start: 0.1, warmup_steps: 10, total_steps: 30 };

    /// On paper: 0.1 at the start, 0.1 + 0.9·5/10 = 0.55 halfway up, 1 at its end; halfway down the cosine is zero, so
    /// (1 + 0.2)/2 = 0.6; 0.2 at the end and after.
    #[test]
    fn warm_up_rises_linearly_and_the_cosine_falls_to_the_minimum() {
        for (step, expected) in [(0, 0.1), (5, 0.55), (10, 1.0), (20, 0.6), (30, 0.2), (99, 0.2)] {
            assert!((SCHEDULE.at(step) - expected).abs() < 1e-12, "step {step}: {}", SCHEDULE.at(step));
        }
    }

    #[test]
    fn no_warm_up_starts_at_the_full_rate() {
        assert_eq!(Schedule { warmup_steps: 0, ..SCHEDULE }.at(0), 1.0);
    }
}
