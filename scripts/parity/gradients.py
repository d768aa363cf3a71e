"""The gradient of every parameter after one batch of 8 in training mode, each to 1e-3, and the new running statistics.

usage: gradients.py      timm 1.0.22, torchvision 0.24.1, torch 2.9.1; trained weights from DRIFTSCOPE_WEIGHTS

A ResNet-50 as drawn or trained has too many ReLUs at their kink to compare tensor by tensor (see models.decided, which
makes one that has none). Of those, the distance from float64 is compared with that of PyTorch's own float32.
"""

import copy

import numpy as np
import torch
from safetensors.torch import load_file

from common import check, finish, optional, relative, stage
from models import build, decided, disturbed

TOLERANCE = 1e-3
CLASSES = 47
IMAGES = torch.randn(8, 3, 224, 224, generator=torch.Generator().manual_seed(2)) * 1.2
LABELS = torch.arange(8) * 5 % CLASSES


def reference(model, images=IMAGES):
    """What the Rust side writes, from autograd."""
    model = copy.deepcopy(model).train()
    loss = torch.nn.functional.cross_entropy(model(images), LABELS)
    loss.backward()
    buffers = {f"buffer.{key}": value for key, value in model.named_buffers() if ".running_" in f".{key}"}
    gradients = {f"gradient.{key}": parameter.grad for key, parameter in model.named_parameters()}
    return {"loss": loss.detach().reshape(1)} | buffers | gradients


def found(name, model, expected):
    results = stage("gradients", name, model.state_dict(), {"images": IMAGES, "labels": LABELS})
    assert results.keys() == expected.keys(), results.keys() ^ expected.keys()
    return results


def compare(what, name, model):
    """Tensor by tensor."""
    expected = reference(model)
    results = found(name, model, expected)
    check(f"loss, {what}", relative(results["loss"], expected["loss"]), 1e-4)
    for kind in ["gradient", "buffer"]:
        worst = {key: distance(key, results, expected) for key in expected if key.startswith(kind)}
        if worst:
            key = max(worst, key=worst.get)
            check(f"{len(worst)} {kind}s, {what}", worst[key], TOLERANCE, f"worst: {key}")


def distance(key, results, expected):
    """A decided ReLU passes a batch norm's bias on to the next batch norm, which takes it away again: the gradient of
    such a bias is zero but for rounding, and is measured by that of the norm's weight where that is greater."""
    scale = expected[key].abs().max()
    if key.endswith(".bias") and key.replace("gradient", "buffer", 1).replace(".bias", ".running_var") in expected:
        scale = torch.maximum(scale, expected[key.replace(".bias", ".weight")].abs().max())
    return float((torch.from_numpy(results[key]) - expected[key]).abs().max() / scale)


def compare_spread(what, name, model):
    """The median tensor's distance from float64, in distances of PyTorch's own float32 in the layout that driftscope
    computes in. libtorch's batch norm sums in float32 there, and in float64 in its plain layout, which is four times nearer."""
    last = torch.channels_last
    single = reference(copy.deepcopy(model).to(memory_format=last), IMAGES.contiguous(memory_format=last))
    results = found(name, model, single)
    check(f"loss, {what}", relative(results["loss"], single["loss"]), 1e-4)
    double = reference(copy.deepcopy(model).double(), IMAGES.double())
    keys = [key for key in double if key.startswith("gradient")]
    norm = lambda tensors, key: float((torch.as_tensor(tensors[key]) - double[key]).norm() / double[key].norm())
    ours, theirs = (np.median([norm(tensors, key) for key in keys]) for tensors in (results, single))
    check(f"{len(keys)} gradients, {what}, ours over PyTorch's distance from float64", ours / theirs, 2,
          f"({ours:.2g} and {theirs:.2g})")


def trained(name, path):
    """Every tensor that the file has and that fits."""
    model = build(name, CLASSES)
    shapes = {key: value.shape for key, value in model.state_dict().items()}
    tensors = {key: value for key, value in load_file(path).items() if shapes[key] == value.shape}
    model.load_state_dict(tensors, strict=False)
    return model


compare("deit_tiny, drawn", "deit_tiny", disturbed(build("deit_tiny", CLASSES)))
compare("resnet50, decided", "resnet50", decided(disturbed(build("resnet50", CLASSES))))
compare_spread("resnet50, drawn", "resnet50", disturbed(build("resnet50", CLASSES)))
if weights := optional("DRIFTSCOPE_WEIGHTS", "gradients at trained weights"):
    path = weights / "deit_tiny_patch16_224.safetensors"
    compare("deit_tiny, trained", "deit_tiny", trained("deit_tiny", path))
    path = weights / "resnet50_stem_to_layer3.safetensors"
    compare_spread("resnet50, stem to layer3 trained", "resnet50", trained("resnet50", path))
finish()
