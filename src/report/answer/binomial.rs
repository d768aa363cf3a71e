//! How many of some images are right by chance.

/// The greatest count of `trials` that lies in the middle 95 % of a binomial distribution of this `probability`: at most that
/// many come out with a probability of at least 97.5 %.
pub(super) fn upper(trials: usize, probability: f64) -> usize {
    if probability >= 1.0 {
        return trials;
    }
    // In logarithms: the first term of many trials is smaller than any number.
    let odds = (probability / (1.0 - probability)).ln();
    let mut term = trials as f64 * (1.0 - probability).ln();
    let mut below = 0.0;
    for count in 0..trials {
        below += term.exp();
        if below >= 0.975 {
            return count;
        }
        term += odds + ((trials - count) as f64 / (count + 1) as f64).ln();
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four fair coins: none with 1/16, at most one with 5/16, two with 11/16, three with 15/16 = 0.9375, four with 1.
    /// Of ten at 0.1: 0.9^10 = 0.3487, at most one 0.7361, two 0.9298, three 0.9872. For 1,880 images of 47 classes the
    /// normal approximation says 40 + 1.96 · √(1880 · 46 / 47²) = 40 + 1.96 · 6.26 = 52.3.
    #[test]
    fn the_upper_end_is_the_distributions_own() {
        assert_eq!(upper(4, 0.5), 4);
        assert_eq!(upper(10, 0.1), 3);
        assert!((52..=54).contains(&upper(1880, 1.0 / 47.0)), "{}", upper(1880, 1.0 / 47.0));
        assert_eq!((upper(0, 0.5), upper(7, 1.0)), (0, 7));
    }
}
