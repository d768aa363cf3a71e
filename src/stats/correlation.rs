//! The correlation of vectors.

/// A vector and the sum of its squares, which is worked out once.
#[derive(Clone, Debug)]
pub struct Vector {
    values: Vec<f64>,
    squares: f64,
}

impl Vector {
    /// `None` for a vector of length zero, which has no direction.
    pub fn new(values: Vec<f64>) -> Option<Self> {
        let squares = dot(&values, &values);
        (squares > 0.0).then_some(Vector { values, squares })
    }

    /// The values minus their mean; `None` where all are equal.
    pub fn centred(values: &[f64]) -> Option<Self> {
        // Asked of the values: the mean of equal ones need not be exactly their value.
        values.iter().any(|value| *value != values[0]).then_some(())?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Vector::new(values.iter().map(|value| value - mean).collect())
    }

    /// The cosine of the angle between the two; exactly 1 for equal ones.
    pub fn cosine(&self, other: &Vector) -> f64 {
        (dot(&self.values, &other.values) / (self.squares * other.squares).sqrt()).clamp(-1.0, 1.0)
    }
}

/// A [`Vector`] in single precision, for keeping many. Ranks about their mean, which are whole numbers and halves, lose
/// nothing by it, and their products and sums are exact in double precision: the cosine is that of the vectors.
#[derive(Clone, Debug)]
pub struct CompactVector {
    values: Vec<f32>,
    squares: f64,
}

impl From<&Vector> for CompactVector {
    fn from(vector: &Vector) -> Self {
        CompactVector { values: vector.values.iter().map(|&value| value as f32).collect(), squares: vector.squares }
    }
}

impl CompactVector {
    /// [`Vector::cosine`].
    pub fn cosine(&self, other: &CompactVector) -> f64 {
        let mut sums = [0.0; LANES];
        let (one, other_values) = (self.values.chunks(LANES), other.values.chunks(LANES));
        for (one, other) in one.zip(other_values) {
            for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
                *sum += f64::from(*one) * f64::from(*other);
            }
        }
        (sums.iter().sum::<f64>() / (self.squares * other.squares).sqrt()).clamp(-1.0, 1.0)
    }
}

/// How many products are summed side by side: a processor adds them at once.
const LANES: usize = 8;

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}
