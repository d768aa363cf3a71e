"""Writes tests/goldens/explain_*.safetensors: the minis' maps, one tensor a spec, that `cargo test` compares with.

usage: goldens_explain.py      timm 1.0.22, torchvision 0.24.1, torch 2.9.1

Weights, images and labels are those of goldens.py; `batch` is the index of the images. The maps are the formulas of
explainers.py in float64, which explain.py holds against the libraries.
"""

import copy
import sys

import numpy as np
from safetensors.numpy import save_file

from common import relative
from explainers import all_specs, explain
from goldens import CLASSES, GOLDENS, batch, formula_weights
from models import build

# Sixteen passes, each cell under several windows.
OCCLUSION = "occlusion:window=9"
CANDIDATES = 4
LIMIT = 2e-5


def both_precisions(model, double, index):
    """The maps in float64, and how far float32 is from them at worst: what a ReLU at its kink or an entry at the
    threshold of those discarded does to a map is not worth a golden."""
    images, labels = batch(index)
    specs = [*all_specs(model), OCCLUSION]
    exact = explain(double, images.double(), labels, specs)
    rounded = explain(model, images, labels, specs)
    exact = {name: values for name, values in exact.items() if not name.startswith("gap.")}
    for name in exact:
        if name.startswith("maps.eigen-cam"):  # either sign
            rounded[name] = rounded[name] * np.sign((rounded[name] * exact[name]).sum((1, 2), keepdims=True))
    spread = {name: relative(rounded[name], exact[name]) for name in exact}
    worst = max(spread, key=spread.get)
    return exact, spread[worst], worst


def main(name):
    model = formula_weights(build(name, CLASSES))
    double = copy.deepcopy(model).double()
    found = [both_precisions(model, double, index) for index in range(CANDIDATES)]
    chosen = int(np.argmin([spread for _, spread, _ in found]))
    exact, spread, worst = found[chosen]
    golden = {name: np.ascontiguousarray(values, np.float32) for name, values in exact.items()}
    path = GOLDENS / f"explain_{name}.safetensors"
    save_file(golden | {"batch": np.array([chosen], np.float32)}, path)
    print(f"{name}: batch {chosen}, {len(golden)} tensors, {path.stat().st_size} bytes")
    print(f"  float32 from float64: {spread:.2g}, {worst}")
    assert spread < LIMIT, "not a reference: PyTorch disagrees with itself"


if __name__ == "__main__":
    for mini in ["deit_mini", "resnet_mini"]:
        main(mini)
    sys.exit(sum(path.stat().st_size for path in GOLDENS.glob("explain_*")) > 200_000)
