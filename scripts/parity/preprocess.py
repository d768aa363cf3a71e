"""Decoding, scaling and the whole evaluation tensor against Pillow 13.0.0 and torchvision 0.24.1.

usage: preprocess.py      photographs from DRIFTSCOPE_DTD (a folder with images/<class>/*.jpg); synthetic files always
"""

import numpy as np
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from common import check, finish, folder, load_file, optional, rust, save
from pictures import formula, pattern, read, write_odd_ones

SIZES = [(1, 1), (7, 5), (31, 24), (53, 40), (54, 41), (90, 17), (64, 50), (131, 97), (224, 224), (500, 371)]
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
STD = np.array([0.229, 0.224, 0.225])[:, None, None]


def scaling():
    """The same decoded pixels, up and down: within 1/255."""
    sources = {"rough": formula(53, 41), "waves": pattern(320, 213), "tall": pattern(40, 301)}
    work = folder()
    for name, resample in FILTERS.items():
        names = {f"{name}.{width}x{height}.{label}": (pixels, (width, height))
                 for label, pixels in sources.items() for width, height in SIZES}
        save({key: pixels for key, (pixels, _) in names.items()}, work / "in.safetensors")
        rust("resize", work / "in.safetensors", work / "out.safetensors")
        found = load_file(work / "out.safetensors")
        assert found.keys() == names.keys()
        differences = [np.abs(found[key] - np.asarray(Image.fromarray(pixels).resize(size, resample), np.float32))
                       for key, (pixels, size) in names.items()]
        worst = max(difference.max() for difference in differences)
        unequal = np.mean(np.concatenate([difference.ravel() for difference in differences]) > 0)
        check(f"scaling, {name}, 255ths", worst, 1, f"{100 * unequal:.2f} % of the bytes differ")


def whole(what, paths, size, resize, interpolation, lossless=False):
    """From the file to the model's input: within 2/255 for 99.8 %, 8/255 at most, 0.6/255 on average."""
    work = folder()
    rust("preprocess", work / "out.safetensors", size, resize, interpolation, *paths)
    found = load_file(work / "out.safetensors")
    transform = transforms.Compose([
        transforms.Resize(resize, InterpolationMode(interpolation)),
        transforms.CenterCrop(size),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    decoded, tensors = [], []
    for index, path in enumerate(paths):
        picture = read(path)
        decoded.append(np.abs(found[f"decoded.{index}"] - np.asarray(picture, np.float32)))
        # Whole steps but for the rounding of float32, which must not decide at the limit.
        tensors.append(np.round(np.abs(found[f"tensor.{index}"] - transform(picture).numpy()) * STD * 255, 3))
    worst = max(range(len(paths)), key=lambda index: tensors[index].max())
    joined = np.concatenate([difference.ravel() for difference in decoded])
    note = f"(decoding alone: mean {joined.mean():.3f}, at most {joined.max():.0f})"
    joined = np.concatenate([difference.ravel() for difference in tensors])
    what = f"{what}, {interpolation}, 255ths"
    check(f"{what}, at most", joined.max(), 1 if lossless else 8, f"in {paths[worst].name} {note}")
    check(f"{what}, on average", joined.mean(), 0.6)
    check(f"{what}, 99.8 % within", np.quantile(joined, 0.998), 2)


scaling()
odd = write_odd_ones(folder(), 301, 213)
for path in odd:
    whole(path.name, [path], 96, 107, "bicubic", lossless=path.suffix != ".jpg")
if dtd := optional("DRIFTSCOPE_DTD", "photographs"):
    photographs = sorted(dtd.glob("images/*/*.jpg"))[:: max(1, len(list(dtd.glob("images/*/*.jpg"))) // 60)]
    for interpolation, resize in [("bicubic", 248), ("bicubic", 235), ("bilinear", 256)]:
        whole(f"{len(photographs)} photographs, {resize}", photographs, 224, resize, interpolation)
finish()
