"""Fine-tunes on DTD with driftscope and with PyTorch + timm, the same recipe and seeds, and puts the curves side by side.

usage: finetune.py [deit_tiny] [resnet50]      default: both; needs DRIFTSCOPE_DTD and DRIFTSCOPE_WEIGHTS, and on two
                                               cores and ten classes 25 minutes for deit_tiny, 20 for resnet50
       DRIFTSCOPE_SEEDS=0,1,2                  seeds of deit_tiny; resnet50 takes the first
       DRIFTSCOPE_RUNS=FOLDER                  keeps the runs, and goes on with those that are there

The mean validation accuracy after the last epoch may differ by 2 points for deit_tiny (three seeds of 400 pictures have a
standard error of about 1 point) and by 4 points for resnet50 (one seed: about 2 points each). torch 2.9.1, torchvision
0.24.1, timm 1.0.22. PyTorch's side is the plain script such a fine-tuning is usually written as: timm's own
initialisation, one parameter group, a schedule stepped every batch.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms

from common import ROOT, check, finish, folder, optional

BINARY = ROOT / "target/debug/driftscope"
BATCH = 32
MODELS = {
    "deit_tiny": dict(timm="deit_tiny_patch16_224", file="deit_tiny_patch16_224.safetensors", resize=248, epochs=6,
                      rate=1e-4, points=0.02, excuses=()),
    "resnet50": dict(timm="resnet50", file="resnet50_stem_to_layer3.safetensors", resize=235, epochs=5, rate=3e-4,
                     points=0.04, excuses=("layer4.*", "fc.*")),
}


def ours(name, seed, runs, dtd, weights):
    """Validation accuracy by epoch, epoch 0 left out, and the test accuracy."""
    model = MODELS[name]
    run = runs / f"{name}-seed{seed}"
    if (run / "run.json").exists():
        arguments = ["train", "--resume", run]
    else:
        arguments = ["train", "--config", ROOT / f"configs/reference_{name}.toml", "--data", dtd, "--seed", seed,
                     "--weights", weights / model["file"], "--run-dir", run]
        arguments += [part for excuse in model["excuses"] for part in ("--allow-missing", excuse)]
    subprocess.run([str(part) for part in [BINARY, *arguments]], check=True, stdout=subprocess.DEVNULL)
    epochs = [json.loads(line)["training"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    tested = subprocess.run([BINARY, "eval", run, "--split", "test", "--format", "json"], check=True,
                            stdout=subprocess.PIPE)
    return [epoch["val_accuracy"] for epoch in epochs[1:]], json.loads(tested.stdout)["top1"]


class Split(torch.utils.data.Dataset):
    def __init__(self, dtd, split, transform):
        self.dtd, self.transform = dtd, transform
        self.files = (dtd / f"labels/{split}1.txt").read_text().split()
        self.classes = sorted({file.split("/")[0] for file in self.files})

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        file = self.files[index]
        picture = Image.open(self.dtd / "images" / file).convert("RGB")
        return self.transform(picture), self.classes.index(file.split("/")[0])


def accuracy(model, loader):
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images).argmax(1) == labels).sum().item()
    return right / len(loader.dataset)


def pytorchs(name, seed, dtd, weights):
    """The same two of a plain PyTorch script."""
    spec = MODELS[name]
    torch.manual_seed(seed)
    to_tensor = [transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    bicubic = transforms.InterpolationMode.BICUBIC
    augmented = transforms.Compose([transforms.RandomResizedCrop(224, scale=(0.35, 1.0), interpolation=bicubic),
                                    transforms.RandomHorizontalFlip(), *to_tensor])
    centred = transforms.Compose([transforms.Resize(spec["resize"], interpolation=bicubic),
                                  transforms.CenterCrop(224), *to_tensor])
    loader = lambda split, transform, **more: torch.utils.data.DataLoader(
        Split(dtd, split, transform), num_workers=2, **more)
    train = loader("train", augmented, batch_size=BATCH, shuffle=True)
    val, test = (loader(split, centred, batch_size=64) for split in ("val", "test"))

    model = timm.create_model(spec["timm"], num_classes=len(train.dataset.classes), drop_path_rate=0.0)
    pretrained = load_file(weights / spec["file"])
    pretrained = {name: value for name, value in pretrained.items() if not name.startswith(("head.", "fc."))}
    assert not model.load_state_dict(pretrained, strict=False).unexpected_keys
    steps = len(train)
    optimizer = torch.optim.AdamW(model.parameters(), spec["rate"], weight_decay=0.05)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, 1, steps)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, (spec["epochs"] - 1) * steps)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm_up, cosine], [steps])
    curve = []
    for epoch in range(spec["epochs"]):
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
            schedule.step()
        curve.append(accuracy(model, val))
        print(f"PyTorch epoch {epoch + 1}/{spec['epochs']} · val accuracy {curve[-1]:.3f}", file=sys.stderr, flush=True)
    return curve, accuracy(model, test)


def line(who, seed, curve, test):
    print(f"      {who:10} seed {seed}  val " + " ".join(f"{value:.3f}" for value in curve) + f"  test {test:.3f}",
          flush=True)


dtd = optional("DRIFTSCOPE_DTD", "fine-tuning on DTD")
weights = optional("DRIFTSCOPE_WEIGHTS", "fine-tuning from pretrained weights")
if not (dtd and weights):
    sys.exit(0)
runs = Path(os.environ["DRIFTSCOPE_RUNS"]) if "DRIFTSCOPE_RUNS" in os.environ else folder()
all_seeds = [int(seed) for seed in os.environ.get("DRIFTSCOPE_SEEDS", "0,1,2").split(",")]
for name in sys.argv[1:] or list(MODELS):
    seeds = all_seeds if name == "deit_tiny" else all_seeds[:1]
    last = {"driftscope": [], "PyTorch": []}
    for seed in seeds:
        for who, (curve, test) in (("driftscope", ours(name, seed, runs, dtd, weights)),
                                   ("PyTorch", pytorchs(name, seed, dtd, weights))):
            line(who, seed, curve, test)
            last[who].append(curve[-1])
    mean = {who: sum(values) / len(values) for who, values in last.items()}
    check(f"val accuracy, {name}, mean of seeds {seeds}", abs(mean["driftscope"] - mean["PyTorch"]),
          MODELS[name]["points"], f"ours {mean['driftscope']:.3f}, PyTorch's {mean['PyTorch']:.3f}")
finish()
