"""Writes tests/goldens/faithfulness.json: measures of faithfulness by torch-cam, pytorch-grad-cam, Captum and Quantus.

usage: faithfulness.py [FILE]     versions: requirements-explain.txt

The model is three lines of arithmetic and all numbers that go in follow a formula, both repeated in
tests/suite/faithfulness.rs, so that only results are stored. Maps are multiples of 1/4096 and grow by a factor of 4:
float32 then interpolates exactly, equal values stay equal and every library ranks alike.

By the libraries themselves: insertion and deletion (curves and areas), average drop and increase, ROAD, max-sensitivity,
Spearman, SSIM. By scipy: the blurred baseline. Nothing is re-implemented here but the ranking of whole cells, which
torch-cam does when it is given a map that repeats each cell over its pixels and one step a cell.
"""

import contextlib
import json
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import quantus
import torch
from captum.metrics import sensitivity_max
from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence, IncreaseInConfidence
from pytorch_grad_cam.metrics.perturbation_confidence import (
    PerturbationConfidenceMetric, RemoveLeastRelevantFirst, RemoveMostRelevantFirst)
from pytorch_grad_cam.metrics.road import NoisyLinearImputer, ROADCombined
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from scipy.ndimage import gaussian_filter
from torchcam.methods.core import _CAM
from torchcam.metrics import ClassificationMetric, DeletionInsertionMetric

GOLDEN = Path(__file__).resolve().parents[2] / "tests/goldens/faithfulness.json"
HEIGHT, WIDTH, CELL = 12, 20, 4
ROWS, COLS = HEIGHT // CELL, WIDTH // CELL
HIDDEN, CLASSES, IMAGES = 6, 5, 3
BLACK = [-2.0, -1.5, -1.75]
SIGMA = 1.5
RADIUS, DRAWS = 0.02, 10
# Of SSIM: the largest odd number up to half the shorter side of the map, 3 to 7.
WINDOW = 5
PERCENTILES = [10, 20, 30, 40, 50, 60, 70, 80, 90]
PACKAGES = ["torch", "torchcam", "grad-cam", "captum", "quantus", "scikit-image", "scipy", "numpy",
            "opencv-python-headless"]


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


class Model(torch.nn.Module):
    """Means of 4 x 4 pixels, a tanh layer, a linear layer; in float64, so that no library's order of sums matters."""

    def __init__(self):
        super().__init__()
        self.first = torch.from_numpy(pseudo_random((HIDDEN, 3 * ROWS * COLS), 1)).double()
        self.second = torch.from_numpy(pseudo_random((CLASSES, HIDDEN), 2) * np.float32(3)).double()

    def pooled(self, images):
        images = images.double().reshape(-1, 3, ROWS, CELL, COLS, CELL)
        return images.mean(dim=(3, 5)).flatten(1)

    def forward(self, images):
        return torch.tanh(self.pooled(images) @ self.first.T) @ self.second.T

    def explain(self, images, target):
        """Gradient times input of the pooled pixels, summed over channels: `[N, rows, cols]`."""
        pooled = self.pooled(images)
        slope = 1 - torch.tanh(pooled @ self.first.T) ** 2
        gradient = (slope * self.second[target]) @ self.first
        return (gradient * pooled).reshape(-1, 3, ROWS, COLS).sum(1)


class Extractor:
    """What torch-cam's metrics ask of a CAM method: one map, whatever the scores."""

    def __init__(self, model, cam):
        self.model, self.cam = model, torch.from_numpy(cam)[None]

    def __call__(self, *_, **__):
        return [self.cam.clone()]

    def fuse_cams(self, cams):
        return cams[0]

    def _hooks_off(self):
        return contextlib.nullcontext()


class Curves(DeletionInsertionMetric):
    """Keeps the curves, of which the library only reports the areas."""

    def _compute_curves(self, *arguments):
        self.curves = super()._compute_curves(*arguments)
        return self.curves


MODEL = Model().eval()


def image(index):
    return torch.from_numpy(pseudo_random((1, 3, HEIGHT, WIDTH), 100 + index) * np.float32(2))


def target(index):
    return (2 * index + 1) % CLASSES


def saliency(kind, index):
    """A signed map, of the grid's size or of the image's."""
    shape, salt = {"coarse": ((ROWS, COLS), 200), "fine": ((HEIGHT, WIDTH), 300)}[kind]
    return np.round(pseudo_random(shape, salt + index) * np.float32(4096)) / np.float32(4096)


def grown(values):
    """At the image's size, as torch-cam's resizing does it."""
    size = (HEIGHT, WIDTH)
    return torch.nn.functional.interpolate(torch.from_numpy(values)[None, None], size, mode="bilinear")[0, 0].numpy()


def baseline(kind, images):
    if kind == "zeros":
        return None
    if kind == "black":
        return torch.tensor(BLACK).reshape(1, 3, 1, 1)
    if kind == "mean":
        return images.mean(dim=(2, 3), keepdim=True)
    blurred = gaussian_filter(images[0].double().numpy(), (0, SIGMA, SIGMA), mode="nearest", truncate=4.0)
    return torch.from_numpy(blurred.astype(np.float32))[None]


def curves(index, kind, base, score, steps, ranking="pixels"):
    values = saliency(kind, index)
    if ranking == "cells":
        assert len(np.unique(values)) == values.size, "cells of different values"
        values = values.repeat(CELL, 0).repeat(CELL, 1)
    logits_fn = partial(torch.softmax, dim=-1) if score == "probability" else None
    metric = Curves(Extractor(MODEL, values), logits_fn, steps=steps, baseline=baseline(base, image(index)))
    metric.update(image(index), target(index))
    fractions, deletion, insertion = (values.double().flatten().tolist() for values in metric.curves)
    return {"image": index, "map": kind, "baseline": base, "score": score, "steps": steps, "ranking": ranking,
            "fractions": fractions, "insertion": insertion, "deletion": deletion, **metric.summary()}


def road(index, kind):
    """pytorch-grad-cam ranks maps in [0, 1]; halving and adding a half is exact. Its noise is switched off."""
    cam = (grown(saliency(kind, index)) + np.float32(1)) / np.float32(2)
    targets = [ClassifierOutputTarget(target(index))]
    changes = {}
    for name, order in [("morf", RemoveMostRelevantFirst), ("lerf", RemoveLeastRelevantFirst)]:
        metrics = [PerturbationConfidenceMetric(order(percentile, NoisyLinearImputer(noise=0)))
                   for percentile in PERCENTILES]
        changes[name] = [float(metric(image(index), cam[None], targets, MODEL)[0]) for metric in metrics]
    noisy = np.mean([ROADCombined()(image(index), cam[None], targets, MODEL)[0] for _ in range(20)])
    combined = (np.mean(changes["lerf"]) - np.mean(changes["morf"])) / 2
    print(f"ROAD combined, image {index}, {kind}: {combined:.6f}; the library's own with noise, mean of 20: {noisy:.6f}")
    return {"image": index, "map": kind, **changes, "combined": float(combined)}


def confidence(index, kind):
    clipped = np.maximum(saliency(kind, index), 0)
    torchcam = ClassificationMetric(
        Extractor(MODEL, _CAM._normalize(torch.from_numpy(clipped.copy()), 2).numpy()), partial(torch.softmax, dim=-1))
    torchcam.update(image(index), target(index))
    native = scale_cam_image(clipped[None], None)[0]
    cam = scale_cam_image(cv2.resize(native, (WIDTH, HEIGHT))[None], None)[:, None]
    targets = [ClassifierOutputTarget(target(index))]
    arguments = (image(index), cam, targets, MODEL)
    return {"image": index, "map": kind, **torchcam.summary(),
            "gradcam_drop": float(DropInConfidence()(*arguments)[0]),
            "gradcam_increase": float(IncreaseInConfidence()(*arguments)[0])}


def draw(number):
    return pseudo_random((3, HEIGHT, WIDTH), 1000 + number) * np.float32(RADIUS)


def sensitivity(index):
    explain = partial(MODEL.explain, target=target(index))
    draws = torch.from_numpy(np.stack([draw(number) for number in range(DRAWS)]))
    # Captum counts on tuples, of one input and of one explanation.
    captum = sensitivity_max(lambda images: (explain(images[0]),), (image(index),),
                             perturb_func=lambda images: (images + draws,), n_perturb_samples=DRAWS,
                             max_examples_per_batch=DRAWS)
    numbers = iter(range(DRAWS))

    def perturb(arr, indices, **_):
        return arr + draw(next(numbers)).reshape(1, -1)

    metric = quantus.MaxSensitivity(nr_samples=DRAWS, perturb_func=perturb, normalise=False, abs=False,
                                    disable_warnings=True, display_progressbar=False)

    def of_batch(model, inputs, targets, **_):
        # Quantus wants the image's size: each cell sixteen times, which changes no ratio of norms.
        return explain(torch.as_tensor(inputs)).numpy()[:, None].repeat(CELL, 2).repeat(CELL, 3)

    images = image(index).numpy()
    (by_quantus,) = metric(MODEL, images, np.array([target(index)]), of_batch(None, images, None),
                           explain_func=of_batch, device="cpu")
    return {"image": index, "captum": float(captum[0]), "quantus": float(by_quantus)}


def similarity(one, other):
    first, second = (saliency("fine", index).astype(np.float64) for index in (one, other))
    # So that there is something to agree on.
    second = (first + second) / 2
    scaled = [(values - values.min()) / (values.max() - values.min()) for values in (first, second)]
    spearman = quantus.similarity_func.correlation_spearman
    return {"one": one, "other": other, "spearman": float(spearman(first.ravel(), second.ravel())),
            "spearman_absolute": float(spearman(abs(first).ravel(), abs(second).ravel())),
            "ssim": float(quantus.similarity_func.ssim(*scaled, win_size=WINDOW))}


def main():
    plans = [("coarse", "zeros", "probability", 20), ("coarse", "zeros", "logit", 20), ("fine", "blur", "probability", 7),
             ("fine", "mean", "logit", 20), ("coarse", "black", "probability", 9)]
    every = range(IMAGES)
    measured = {
        "versions": {name: version(name) for name in PACKAGES},
        "logits": [MODEL(image(index))[0].tolist() for index in every],
        "curves": [curves(index, *plan) for index in every for plan in plans]
        + [curves(index, "coarse", "zeros", "logit", ROWS * COLS, "cells") for index in every],
        "road": [road(index, kind) for index in every for kind in ("coarse", "fine")],
        "confidence": [confidence(index, kind) for index in every for kind in ("coarse", "fine")],
        "sensitivity": [sensitivity(index) for index in every],
        "similarity": [similarity(0, 1), similarity(1, 2), similarity(2, 0)],
    }
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN
    lines = [f'"{name}": ' + (json.dumps(values) if isinstance(values, dict) else
                              "[\n" + ",\n".join(map(json.dumps, values)) + "\n]") for name, values in measured.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
