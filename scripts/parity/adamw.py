"""Ten AdamW steps from the same start over the same batches: every loss to 1e-3, for both models.

usage: adamw.py      timm 1.0.22, torchvision 0.24.1, torch 2.9.1 (torch.optim.AdamW, lr 1e-4, weight decay 0.05)
"""

import numpy as np
import torch

from common import check, finish, stage
from models import build, decided, disturbed

TOLERANCE = 1e-3
CLASSES = 47
STEPS = 10


def decay_groups(model, weight_decay):
    """Weight decay on matrices and kernels only, as timm groups them and driftscope does."""
    decays = {key: parameter.ndim > 1 and key not in ("cls_token", "pos_embed")
              for key, parameter in model.named_parameters()}
    pick = lambda wanted: [parameter for key, parameter in model.named_parameters() if decays[key] == wanted]
    return [{"params": pick(True), "weight_decay": weight_decay}, {"params": pick(False), "weight_decay": 0.0}]


def train(model, batches, weight_decay=0.05):
    """The loss before each step."""
    optimizer = torch.optim.AdamW(decay_groups(model, weight_decay), lr=1e-4)
    losses = []
    for images, labels in batches:
        loss = torch.nn.functional.cross_entropy(model.train()(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def compare(what, name, model):
    generator = torch.Generator().manual_seed(3)
    draw = lambda: (torch.randn(8, 3, 224, 224, generator=generator), torch.randint(CLASSES, (8,), generator=generator))
    pool = [draw() for _ in range(3)]
    batches = [pool[step % 3] for step in range(STEPS)]
    inputs = {f"{kind}.{step}": batch[part] for step, batch in enumerate(batches)
              for part, kind in enumerate(["images", "labels"])}
    found = stage("train", name, model.state_dict(), inputs)["losses"].astype(np.float64)
    reference = train(model, batches)
    worst = np.abs(found / reference - 1).max()
    check(f"{STEPS} AdamW steps, {what}", worst, TOLERANCE, f"loss {reference[0]:.3f} to {reference[-1]:.3f}")


if __name__ == "__main__":
    compare("deit_tiny, drawn", "deit_tiny", disturbed(build("deit_tiny", CLASSES)))
    # As drawn, two runs of PyTorch itself would differ: see models.decided.
    compare("resnet50, decided", "resnet50", decided(disturbed(build("resnet50", CLASSES))))
    finish()
