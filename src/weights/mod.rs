//! Parameters and buffers of a model as named host tensors, and as safetensors bytes.
//!
//! Names are the paths in the module tree, which are the state-dict keys of timm and torchvision, so nothing is
//! translated. Loading is strict: every name must be there, no other may, and shapes must agree.

use crate::models::Model;
use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

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

/// Named tensors could not be read, or do not fit the model.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a safetensors file, or a truncated one.
    #[error("{path}: not a whole safetensors file")]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// A tensor of another type than float32.
    #[error("{path}: tensor {name} is {found}, expected float32")]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// Names or shapes that do not fit.
    #[error("{path} does not fit the model: {}", .problems.join("; "))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every missing or unexpected name and every wrong shape.
        problems: Vec<String>,
    },
}

/// Every parameter and buffer, copied to the host. Call it on [`Model::valid`], or between two training steps.
pub fn state_dict(model: &Model) -> StateDict {
    let mut collect = Collect::default();
    model.visit(&mut collect);
    collect.tensors
}

/// The model with every parameter and buffer replaced.
///
/// # Errors
///
/// [`WeightsError::Mismatch`] lists all missing and unexpected names and wrong shapes; `path` is only for the message.
pub fn load_state_dict(model: Model, tensors: StateDict, path: &Path) -> Result<Model, WeightsError> {
    let problems = mismatches(&state_shapes(&model), &tensors);
    if !problems.is_empty() {
        return Err(WeightsError::Mismatch { path: path.to_path_buf(), problems });
    }
    Ok(model.map(&mut Replace { module: ModulePath::default(), tensors }))
}

/// What stands in the way of loading `found` where `expected` shapes are needed.
fn mismatches(expected: &BTreeMap<String, Vec<usize>>, found: &StateDict) -> Vec<String> {
    let missing_or_wrong = expected.iter().filter_map(|(name, shape)| match found.get(name) {
        None => Some(format!("{name} is missing")),
        Some(tensor) if tensor.shape != *shape => {
            Some(format!("{name} has shape {:?}, expected {shape:?}", tensor.shape))
        }
        Some(_) => None,
    });
    let unexpected = found.keys().filter(|name| !expected.contains_key(*name));
    missing_or_wrong.chain(unexpected.map(|name| format!("{name} is unexpected"))).collect()
}

/// Safetensors bytes: the same tensors give the same bytes.
///
/// `note` is one key and value of metadata; one, because the format's writer keeps no order among several.
pub fn encode(tensors: &StateDict, note: (&str, &str)) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let raw = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (name.clone(), tensor.shape.clone(), raw)
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, raw)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), raw)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    safetensors::serialize(views, Some(HashMap::from([(note.0.to_string(), note.1.to_string())])))
}

/// Reads what [`encode`] wrote, or any float32 safetensors file. Also returns the metadata.
///
/// # Errors
///
/// [`WeightsError::Format`] and [`WeightsError::Dtype`] name `path`.
pub fn decode(bytes: &[u8], path: &Path) -> Result<(StateDict, HashMap<String, String>), WeightsError> {
    let format = |source| WeightsError::Format { path: path.to_path_buf(), source };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    let mut tensors = StateDict::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            let found = format!("{:?}", view.dtype());
            return Err(WeightsError::Dtype { path: path.to_path_buf(), name, found });
        }
        let values = view.data().chunks_exact(4).map(|raw| f32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]));
        tensors.insert(name, HostTensor { shape: view.shape().to_vec(), values: values.collect() });
    }
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
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
