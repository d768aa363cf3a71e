//! From a model to named host tensors and back.

use super::error::{WeightsError, mismatch};
use super::misfit;
use super::tensor::{HostTensor, StateDict};
use crate::models::{Model, NamedMapper, NamedVisitor, Parameter, placed};
use burn::module::Param;
use burn::tensor::{Gradients, Tensor, TensorData};
use std::collections::BTreeMap;
use std::path::Path;

/// Every parameter and buffer, copied to the host. Call it on [`Model::valid`], or between two training steps.
pub fn state_dict(model: &Model) -> StateDict {
    struct Copies(StateDict);
    impl NamedVisitor for Copies {
        fn visit<const D: usize>(&mut self, at: Parameter, value: &Param<Tensor<D>>) {
            self.0.insert(at.name, HostTensor::from_tensor(value.val().inner()));
        }
    }
    let mut copies = Copies(StateDict::new());
    model.visit_named(&mut copies);
    copies.0
}

/// The gradient of every parameter that has one, under the parameter's name, copied to the host.
pub fn gradients(model: &Model, gradients: &Gradients) -> StateDict {
    struct Copies<'a>(&'a Gradients, StateDict);
    impl NamedVisitor for Copies<'_> {
        fn visit<const D: usize>(&mut self, at: Parameter, value: &Param<Tensor<D>>) {
            // A running statistic is off the tape, and asking the tape for its gradient panics.
            let gradient = value.is_require_grad().then(|| value.val().grad(self.0)).flatten();
            self.1.extend(gradient.map(|gradient| (at.name, HostTensor::from_tensor(gradient))));
        }
    }
    let mut copies = Copies(gradients, StateDict::new());
    model.visit_named(&mut copies);
    copies.1
}

/// The model with every parameter and buffer replaced.
///
/// # Errors
///
/// [`WeightsError::Mismatch`] lists all missing and unexpected names and wrong shapes; `path` is only for the message.
pub fn load_state_dict(model: Model, tensors: StateDict, path: &Path) -> Result<Model, WeightsError> {
    let fits = misfit::check(&expected(&model), &tensors, &BTreeMap::new());
    fits.map_err(|misfit| mismatch(path, misfit))?;
    Ok(replace(model, tensors))
}

/// Replaces what is named and keeps the rest.
pub(super) fn replace(model: Model, tensors: StateDict) -> Model {
    struct Replace(StateDict);
    impl NamedMapper for Replace {
        fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(loaded) = self.0.remove(&at.name) else { return value };
            let requires_gradient = value.is_require_grad();
            let (id, old, mapper) = value.consume();
            let data = TensorData::new(loaded.values, loaded.shape);
            let tensor = placed::<D>(data, &old.device()).set_require_grad(requires_gradient);
            Param::from_mapped_value(id, tensor, mapper)
        }
    }
    model.map_named(&mut Replace(tensors))
}

/// What a state dict of the model must hold, by name.
pub(super) fn expected(model: &Model) -> BTreeMap<String, Parameter> {
    model.parameters().into_iter().map(|parameter| (parameter.name.clone(), parameter)).collect()
}
