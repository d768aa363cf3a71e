"""What `driftscope export` writes loads strictly into timm and torchvision, and gives the run's own logits, to 1e-4.

usage: export.py [RUN…]      default: a short run of each mini on the embedded textures;
                             timm 1.0.22, torchvision 0.24.1, torch 2.9.1
"""

import json
import subprocess
import sys
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file

from common import ROOT, check, finish, folder, relative, rust, save
from common import load_file as load_arrays
from models import build

BINARY = ROOT / "target/debug/driftscope"
SETTINGS = """
model = "{model}"
epochs = 1
batch_size = 4
[data]
train_per_class = 2
val_per_class = 1
[panel]
per_class = 1
overlays = 0
"""


def driftscope(*arguments):
    """What it says goes through; a failure is the check's."""
    done = subprocess.run([BINARY, *map(str, arguments)], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"FAIL  driftscope {arguments[0]}: exit status {done.returncode}")


def short_run(model):
    work = folder()
    (work / "settings.toml").write_text(SETTINGS.format(model=model))
    driftscope("train", "--config", work / "settings.toml", "--run-dir", work / model)
    return work / model


def references(name, classes):
    """Every library that knows the model."""
    yield "reference", build(name, classes)
    if name == "resnet50":
        yield "timm", timm.create_model(name, num_classes=classes).eval()


def compare(run, epoch):
    record = json.loads((run / "run.json").read_text())
    name, classes = record["model"], len(record["classes"])
    work = folder()
    exported = work / "exported.safetensors"
    driftscope("export", f"{run}@{epoch}", exported)
    side = 96 if name.endswith("mini") else 224
    images = torch.randn(4, 3, side, side, generator=torch.Generator().manual_seed(4))
    save({"images": images}, work / "images.safetensors")
    checkpoint = run / f"epoch-{epoch:04}" / "model.safetensors"
    rust("logits", name, checkpoint, work / "images.safetensors", work / "logits.safetensors")
    found = load_arrays(work / "logits.safetensors")["logits"]
    for library, model in references(name, classes):
        model.load_state_dict(load_file(exported), strict=True)
        with torch.no_grad():
            reference = model(images)
        check(f"export, {name}, epoch {epoch}, {library}", relative(found, reference), 1e-4)


runs = [Path(run) for run in sys.argv[1:]] or [short_run(name) for name in ("deit_mini", "resnet_mini")]
for run in runs:
    for epoch in (0, 1):
        compare(run, epoch)
finish()
