"""Prints the goldens of src/data/augment/{colour,policy,mix}.rs: what torchvision and timm make of small pictures that the tests
draw again (src/data/augment/golden.rs). Each is named by the first 16 digits of SHA-256 over the bytes of all results in turn.

    pip install torch==2.9.1 torchvision==0.24.1 timm==1.0.22 pillow==13.0.0 numpy==2.4.6
    python scripts/parity/augment.py
"""

import hashlib
import struct
from unittest import mock

import numpy as np
import PIL
import timm
import torch
import torchvision
from PIL import Image
from timm.data.mixup import FastCollateMixup
from torchvision.transforms import InterpolationMode, RandAugment, TrivialAugmentWide
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op


def picture():
    y, x, c = np.meshgrid(np.arange(30), np.arange(40), np.arange(3), indexing="ij")
    byte = 17 + 9 * c + (x * 7919 + y * 104_729 + (c + 1) * x * y * 31) % (211 - 23 * c)
    return Image.fromarray(byte.astype(np.uint8))


def colours():
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(52, 52 * 52, 3))


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def adjustments():
    factors = [0.0, 0.3, 0.77, 1.0, 1.4, 2.5]
    cases = {
        "brightness": (F.adjust_brightness, factors),
        "contrast": (F.adjust_contrast, factors),
        "saturation": (F.adjust_saturation, factors),
        "sharpness": (F.adjust_sharpness, factors),
        "hue": (F.adjust_hue, [-0.5, -0.3, -0.1, 0.02, 0.25, 0.5]),
    }
    for name, (adjust, values) in cases.items():
        results = [adjust(image, value).tobytes() for value in values for image in (picture(), colours())]
        print(name, digest(b"".join(results)))


def operation(name, magnitudes, signed):
    data = b""
    for bin in range(31):
        magnitude = float(magnitudes[bin].item()) if magnitudes.ndim > 0 else 0.0
        for sign in (1.0, -1.0) if signed else (1.0,):
            result = _apply_op(picture(), name, sign * magnitude, InterpolationMode.NEAREST, None)
            data += struct.pack("<d", sign * magnitude) + result.tobytes()
    return digest(data)


def policies():
    width, height = picture().size
    narrow = RandAugment()._augmentation_space(31, (height, width))
    wide = TrivialAugmentWide()._augmentation_space(31)
    assert list(narrow) == list(wide)
    for name in narrow:
        print(name, operation(name, *narrow[name]), operation(name, *wide[name]))


def mixtures():
    planes = (np.arange(5 * 3 * 12 * 12) * 7919 % 251).astype(np.uint8).reshape(5, 3, 12, 12)
    mixer = FastCollateMixup(mode="batch")
    cases = [(0.1, (0, 11)), (0.25, (5, 6)), (0.5, (1, 9)), (0.8371, (11, 4))]
    for share, centre in cases:
        for cut in (False, True):
            output = torch.zeros(planes.shape, dtype=torch.uint8)
            with (
                mock.patch.object(mixer, "_params_per_batch", lambda: (share, cut)),
                mock.patch("numpy.random.randint", side_effect=centre),
            ):
                kept = mixer._mix_batch_collate(output, [(sample, 0) for sample in planes])
            area = round((1 - kept) * 12 * 12) if cut else ""
            print("cutmix" if cut else "mixup", share, centre if cut else "", digest(output.numpy().tobytes()), area)


if __name__ == "__main__":
    for module in (torch, torchvision, timm, PIL, np):
        print("#", module.__name__, module.__version__)
    adjustments()
    policies()
    mixtures()
