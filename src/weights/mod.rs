//! Parameters and buffers of a model as named host tensors, and where they come from and go to.
//!
//! Names are the paths in the module tree, which are the state-dict keys of timm and torchvision, so nothing is
//! translated. Loading is strict: every name must be there, no other may, and shapes must agree, unless excused by name.

mod export;
mod file;
mod import;
mod misfit;
mod pretrained;
mod recognise;

pub use export::{ExportError, Precision, export};
pub use file::{FileError, decode, encode, read};
pub use import::{Imported, WeightsError, import};
pub use misfit::Misfit;
pub use pretrained::{is_pretrained, pretrained};

use crate::models::Model;
use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use std::collections::BTreeMap;
use std::path::Path;

/// A tensor on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Axes.
    pub shape: Vec<usize>,
    /// `shape.product()` numbers.
    pub values: Vec<f32>,
}

/// Named tensors in sorted order.
pub type StateDict = BTreeMap<String, HostTensor>;

/// Every parameter and buffer, copied to the host. Call it on [`Model::valid`], or between two training steps.
pub fn state_dict(model: &Model) -> StateDict {
    let mut collect = Collect::default();
    model.visit(&mut collect);
    collect.tensors
}

/// The gradient of every parameter that has one, under the parameter's name, copied to the host.
pub fn gradients(model: &Model, gradients: &Gradients) -> StateDict {
    struct Collect<'a>(ModulePath, &'a Gradients, StateDict);
    impl ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.0.enter(name);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.0.exit();
        }
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            // A running statistic is off the tape, and asking the tape for its gradient panics.
            let gradient = parameter.is_require_grad().then(|| parameter.val().grad(self.1)).flatten();
            self.2.extend(gradient.map(|gradient| (self.0.key(), HostTensor::from_tensor(gradient))));
        }
    }
    let mut collect = Collect(ModulePath::default(), gradients, StateDict::new());
    model.visit(&mut collect);
    collect.2
}

/// The model with every parameter and buffer replaced.
///
/// # Errors
///
/// [`WeightsError::Mismatch`] lists all missing and unexpected names and wrong shapes; `path` is only for the message.
pub fn load_state_dict(model: Model, tensors: StateDict, path: &Path) -> Result<Model, WeightsError> {
    let fits = misfit::check(&state_shapes(&model), &tensors, &BTreeMap::new());
    fits.map_err(|misfit| import::mismatch(path, misfit))?;
    Ok(replace(model, tensors))
}

/// Replaces what is named and keeps the rest.
fn replace(model: Model, tensors: StateDict) -> Model {
    model.map(&mut Replace { module: ModulePath::default(), tensors })
}

/// The dotted path of the parameter being visited.
#[derive(Debug, Default)]
pub struct ModulePath(Vec<String>);

impl ModulePath {
    /// Goes into a named part.
    pub fn enter(&mut self, name: &str) {
        self.0.push(name.to_string());
    }

    /// Leaves it.
    pub fn exit(&mut self) {
        self.0.pop();
    }

    /// The state-dict key.
    pub fn key(&self) -> String {
        self.0.join(".")
    }
}

impl HostTensor {
    /// Copies a tensor to the host.
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>) -> Self {
        let shape = tensor.dims().to_vec();
        Self { shape, values: tensor.into_data().convert::<f32>().iter::<f32>().collect() }
    }
}

fn state_shapes(model: &Model) -> BTreeMap<String, Vec<usize>> {
    #[derive(Default)]
    struct Shapes(ModulePath, BTreeMap<String, Vec<usize>>);
    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.0.enter(name);
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.0.exit();
        }
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.1.insert(self.0.key(), parameter.dims().to_vec());
        }
    }
    let mut shapes = Shapes::default();
    model.visit(&mut shapes);
    shapes.1
}

#[derive(Default)]
struct Collect {
    module: ModulePath,
    tensors: StateDict,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.module.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.module.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.tensors.insert(self.module.key(), HostTensor::from_tensor(parameter.val().inner()));
    }
}

struct Replace {
    module: ModulePath,
    tensors: StateDict,
}

impl ModuleMapper for Replace {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.module.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.module.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(loaded) = self.tensors.remove(&self.module.key()) else { return parameter };
        let requires_gradient = parameter.is_require_grad();
        let (id, old, mapper) = parameter.consume();
        let data = TensorData::new(loaded.values, loaded.shape);
        let tensor = Tensor::<D>::from_data(data, &old.device()).set_require_grad(requires_gradient);
        Param::from_mapped_value(id, tensor, mapper)
    }
}
