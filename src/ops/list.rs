//! Tensors in a list, whatever the number of their axes: what an optimizer changes in one call.

use super::list_ops::ListOps;
use super::update::{AdamW, Sgd};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{BackendTensor, Dispatch, DispatchTensor, DispatchTensorKind, Flex, Shape, TensorMetadata};
use burn::tensor::Tensor;

/// A float tensor off the tape. Only who put it in knows how many axes it has.
#[derive(Clone, Debug)]
pub struct Listed(DispatchTensor);

impl Listed {
    /// Puts a tensor in.
    pub fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        Self(tensor.into_dispatch())
    }

    /// The tensor again, in a shape of as many numbers.
    ///
    /// # Panics
    ///
    /// If it has more or fewer: a caller bug.
    pub fn shaped<const D: usize>(self, shape: [usize; D]) -> Tensor<D> {
        let shape = Shape::new(shape);
        let has_it = self.0.shape() == shape;
        Tensor::from_dispatch(if has_it { self.0 } else { Dispatch::float_reshape(self.0, shape) })
    }

    /// The tensor again.
    ///
    /// # Panics
    ///
    /// If it has another number of axes: a caller bug.
    pub fn tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_dispatch(self.0)
    }

    /// Its numbers in a row.
    pub fn flat(self) -> Tensor<1> {
        let length = self.len();
        self.shaped([length])
    }

    /// How many numbers it has.
    pub fn len(&self) -> usize {
        self.0.shape().num_elements()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `N` lists of one length, one behind the other.
fn apart<const N: usize>(all: Vec<Listed>) -> [Vec<Listed>; N] {
    let length = all.len() / N;
    let mut rest = all.into_iter();
    [(); N].map(|()| rest.by_ref().take(length).collect())
}

/// What is done to lists.
enum Job {
    AdamW(AdamW),
    Sgd(Sgd),
    Norms,
    Scale(f64),
    Follow(f64),
}

impl Job {
    /// Does it on the backend of the first list's first tensor, which has all of them.
    fn done(self, lists: Vec<Vec<Listed>>) -> Vec<Listed> {
        let first = lists.iter().flatten().next();
        let Some(Listed(DispatchTensor { kind, autodiff })) = first else { return Vec::new() };
        let autodiff = *autodiff;
        let listed = |kind: DispatchTensorKind| Listed(DispatchTensor { kind, autodiff });
        match kind {
            DispatchTensorKind::Flex(_) => {
                let lists = inside(lists, |kind| match kind {
                    DispatchTensorKind::Flex(tensor) => tensor.float(),
                    _ => unreachable!("all tensors of a list are on one device"),
                });
                let made = self.on::<Flex>(lists).into_iter();
                made.map(|tensor| listed(DispatchTensorKind::Flex(BackendTensor::Float(tensor)))).collect()
            }
            #[cfg(feature = "libtorch")]
            DispatchTensorKind::LibTorch(_) => {
                let lists = inside(lists, |kind| match kind {
                    DispatchTensorKind::LibTorch(tensor) => tensor.float(),
                    _ => unreachable!("all tensors of a list are on one device"),
                });
                let made = self.on::<burn_tch::LibTorch>(lists).into_iter();
                made.map(|tensor| listed(DispatchTensorKind::LibTorch(BackendTensor::Float(tensor)))).collect()
            }
            DispatchTensorKind::Autodiff(_) => unreachable!("what is listed is off the tape"),
        }
    }

    fn on<B: ListOps>(self, lists: Vec<Vec<FloatTensor<B>>>) -> Vec<FloatTensor<B>> {
        let mut lists = lists.into_iter();
        let mut next = || lists.next().unwrap_or_default();
        match self {
            Job::AdamW(settings) => B::adamw(next(), next(), next(), next(), settings),
            Job::Sgd(settings) => B::sgd(next(), next(), next(), settings),
            Job::Norms => vec![B::norms(next())],
            Job::Scale(factor) => B::scaled(next(), factor),
            Job::Follow(share) => B::follow(next(), next(), share),
        }
    }
}

fn inside<T>(lists: Vec<Vec<Listed>>, take: fn(DispatchTensorKind) -> T) -> Vec<Vec<T>> {
    let tensors = |list: Vec<Listed>| list.into_iter().map(|listed| take(listed.0.kind)).collect();
    lists.into_iter().map(tensors).collect()
}

/// One step of AdamW or Adam on a list of parameters: `[values, gradients, first, second moments]` to the new `[values, first,
/// second]`. Writes in place what nobody else holds.
///
/// # Panics
///
/// On lists of different lengths and tensors of different shapes: a caller bug.
///
/// # Source
///
/// Loshchilov & Hutter 2017, "Decoupled Weight Decay Regularization"; Kingma & Ba 2014, "Adam"; `torch.optim.AdamW` and
/// `torch.optim.Adam`; `at::_fused_adamw_` and `at::_fused_adam_` on libtorch.
pub fn adamw(lists: [Vec<Listed>; 4], settings: AdamW) -> [Vec<Listed>; 3] {
    apart(Job::AdamW(settings).done(lists.into()))
}

/// One step of SGD with momentum on a list of parameters: `[values, gradients, buffers]` to the new `[values, buffers]`. Writes
/// in place what nobody else holds.
///
/// # Panics
///
/// On lists of different lengths and tensors of different shapes: a caller bug.
///
/// # Source
///
/// `torch/optim/sgd.py`, no dampening: the buffer starts as the first gradient. `at::_fused_sgd_` on libtorch.
pub fn sgd(lists: [Vec<Listed>; 3], settings: Sgd) -> [Vec<Listed>; 2] {
    apart(Job::Sgd(settings).done(lists.into()))
}

/// The Euclidean norm of each of a list, `[list]`; infinite or not a number as soon as one of its numbers is.
///
/// # Panics
///
/// On an empty list: a caller bug.
pub fn norms(list: Vec<Listed>) -> Tensor<1> {
    match Job::Norms.done(vec![list]).pop() {
        Some(norms) => norms.tensor(),
        None => panic!("norms of nothing"),
    }
}

/// Each of a list times a number. Writes in place what nobody else holds.
pub fn scaled(list: Vec<Listed>, factor: f64) -> Vec<Listed> {
    Job::Scale(factor).done(vec![list])
}

/// Moves each of a list a `share` of the way, 0 to 1, towards its target. Writes in place what nobody else holds.
///
/// # Panics
///
/// On lists of different lengths and tensors of different shapes: a caller bug.
pub fn follow(list: Vec<Listed>, targets: Vec<Listed>, share: f64) -> Vec<Listed> {
    Job::Follow(share).done(vec![list, targets])
}
