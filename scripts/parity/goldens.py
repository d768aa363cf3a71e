"""Writes tests/goldens, what `cargo test` compares with where there is no Python.

usage: goldens.py      timm 1.0.22, torchvision 0.24.1, torch 2.9.1, Pillow 13.0.0; the real DeiT-Tiny's golden is
                       written too where DRIFTSCOPE_WEIGHTS is set

Weights and inputs follow a formula that tests/suite/parity.rs computes too, so that only results are stored.
"""

import copy
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from safetensors.torch import load_file

from adamw import STEPS, train
from common import ROOT, optional, relative
from models import build
from pictures import formula, read, write_odd_ones

GOLDENS = ROOT / "tests/goldens"
CLASSES = 10
SAMPLES = 16
CANDIDATES = 200
# So much that ten steps of 1e-4 show which parameters decay.
WEIGHT_DECAY = 50.0
# A first norm of so little variance that its epsilon shows.
FAINT = {"cls_token": 1 / 8, "pos_embed": 1 / 8, "bn1.running_var": 1 / 1024}
SCALED = [("bilinear", 31, 24), ("bicubic", 31, 24), ("bilinear", 17, 60), ("bicubic", 64, 50),
          ("bicubic", 90, 17)]


def pseudo_random(shape, salt):
    """tests/suite/support.rs::pseudo_random: 32-bit xorshift, in ±1."""
    state = (salt * 0x9E3779B9 & 0xFFFFFFFF) | 1
    states = np.empty(int(np.prod(shape)), np.uint32)
    for index in range(len(states)):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        states[index] = state
    return (states.astype(np.float32) / np.float32(2**32) * np.float32(2) - np.float32(1)).reshape(shape)


def formula_weights(model):
    """Each tensor from its place among the sorted names, at a scale that keeps signals alive."""
    state = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    for index, name in enumerate(sorted(state)):
        values, shape = pseudo_random(tuple(state[name].shape), index + 1), state[name].shape
        if name.endswith("running_var"):
            values = np.float32(1) + np.float32(0.5) * values
        elif len(shape) == 1 and name.endswith(".weight"):
            values = np.float32(1) + np.float32(0.25) * values
        elif len(shape) == 1 or name in ("cls_token", "pos_embed"):
            values = np.float32(0.125) * values
        else:
            values = np.sqrt(np.float32(4) / np.float32(np.prod(shape[1:]))) * values
        state[name] = torch.from_numpy(values * np.float32(FAINT.get(name, 1)))
    model.load_state_dict(state, strict=False)
    return model


def batch(index):
    """Two pictures, as normalised ones are distributed, and their labels."""
    images = torch.from_numpy(pseudo_random((2, 3, 96, 96), 1000 + index) * np.float32(2))
    return images, (torch.arange(2) * 3 + index) % CLASSES


def margin(model, images):
    """How far the nearest ReLU is from its kink, and the two greatest of a pooling window from one another: closer than
    float32 rounds, and it is chance which gradient comes out."""
    nearest = [float("inf")]

    def look(module, inputs):
        (values,) = inputs
        if isinstance(module, torch.nn.MaxPool2d):
            windows = torch.nn.functional.unfold(values.flatten(0, 1).unsqueeze(1), 3, padding=1, stride=2)
            first, second = windows.topk(2, dim=1).values.unbind(1)
            values = (first - second)[second > 0]
        nearest.append(values.abs().min().item())

    watched = [module for module in model.modules() if isinstance(module, (torch.nn.ReLU, torch.nn.MaxPool2d))]
    handles = [module.register_forward_pre_hook(look) for module in watched]
    model(images)
    for handle in handles:
        handle.remove()
    return min(nearest)


def samples(values):
    """At most sixteen of them, evenly spread, after the greatest magnitude."""
    flat = np.asarray(values.detach()).ravel()
    spread = flat[:: max(1, len(flat) // SAMPLES)][:SAMPLES]
    return np.concatenate([[np.abs(flat).max()], spread]).astype(np.float32)


def gradients(model, images, labels):
    model = copy.deepcopy(model).train()
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    return model, loss.detach().reshape(1)


def model_golden(name):
    start = formula_weights(build(name, CLASSES))
    double = copy.deepcopy(start).double()
    training = copy.deepcopy(double).train()
    candidates = range(CANDIDATES if name.startswith("resnet") else 1)
    margins = [margin(training, batch(index)[0].double()) for index in candidates]
    chosen = int(np.argmax(margins))
    images, labels = batch(chosen)
    golden = {"batch": np.array([chosen], np.float32), "logits": start(images).detach().numpy()}

    model, loss = gradients(start, images, labels)
    golden["loss"] = loss.numpy()
    golden |= {f"gradient.{key}": samples(parameter.grad) for key, parameter in model.named_parameters()}
    golden |= {f"buffer.{key}": samples(value) for key, value in model.named_buffers() if ".running_" in f".{key}"}
    exact, _ = gradients(double, images.double(), labels)
    exact = {key: parameter.grad for key, parameter in exact.named_parameters()}
    spread = max(relative(parameter.grad, exact[key]) for key, parameter in model.named_parameters())

    pool = [batch(index) for index in range(3)]
    steps = [pool[step % 3] for step in range(STEPS)]
    curve = train(start, steps, WEIGHT_DECAY)
    exact = train(double, [(images.double(), labels) for images, labels in steps], WEIGHT_DECAY)
    curve_spread = np.abs(curve / exact - 1).max()
    golden["curve"] = curve.astype(np.float32)
    save_file(golden, GOLDENS / f"{name}.safetensors")

    print(f"{name}: batch {chosen}, margin {margins[chosen]:.2g}; loss {curve[0]:.3f} to {curve[-1]:.3f}")
    print(f"  float32 from float64: gradients {spread:.2g}, curve {curve_spread:.2g}")
    assert spread < 1e-4 and curve_spread < 1e-4, "not a reference: PyTorch disagrees with itself"


def real_golden(weights):
    model = build("deit_tiny", 1000)
    model.load_state_dict(load_file(weights / "deit_tiny_patch16_224.safetensors"))
    images = torch.from_numpy(pseudo_random((2, 3, 224, 224), 1000) * np.float32(2))
    save_file({"logits": model(images).detach().numpy()}, GOLDENS / "deit_tiny_patch16_224.safetensors")


def picture_goldens():
    """Scaled by Pillow; and odd files, each beside what Pillow reads in it."""
    for name, width, height in SCALED:
        scaled = Image.fromarray(formula(53, 41)).resize((width, height), Image.Resampling[name.upper()])
        scaled.save(GOLDENS / f"scaled.{name}.{width}x{height}.png")
    folder = GOLDENS / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for path in write_odd_ones(folder, 60, 45):
        read(path).save(folder / f"{path.name}.expected.png")


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    picture_goldens()
    for name in ["deit_mini", "resnet_mini"]:
        model_golden(name)
    if weights := optional("DRIFTSCOPE_WEIGHTS", "the real DeiT-Tiny's golden"):
        real_golden(weights)
    total = sum(path.stat().st_size for path in GOLDENS.rglob("*") if path.is_file())
    print(f"{GOLDENS}: {total} bytes")
    sys.exit(total > 300_000)
