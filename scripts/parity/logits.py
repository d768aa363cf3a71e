"""Evaluation logits against timm and torchvision, 4 pictures, to 1e-4: freshly drawn weights, and the real DeiT-Tiny.

usage: logits.py      timm 1.0.22, torchvision 0.24.1, torch 2.9.1; real weights from DRIFTSCOPE_WEIGHTS
"""

import torch
from safetensors.torch import load_file

from common import check, finish, optional, relative, stage
from models import build, disturbed

TOLERANCE = 1e-4


def compare(what, name, model):
    images = torch.randn(4, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 1.2
    with torch.no_grad():
        reference = model(images)
    found = stage("logits", name, model.state_dict(), {"images": images})["logits"]
    check(f"logits, {what}", relative(found, reference), TOLERANCE)


def used(model):
    """Running statistics as after some training: fresh ones are zero and one and would hide a mistake."""
    model.train()
    with torch.no_grad():
        for seed in range(3):
            model(torch.randn(4, 3, 224, 224, generator=torch.Generator().manual_seed(seed)) * 1.5 + 0.3)
    return model.eval()


compare("deit_tiny, drawn", "deit_tiny", disturbed(build("deit_tiny", 47)))
compare("deit_small, drawn", "deit_small", disturbed(build("deit_small", 47)))
compare("resnet50, drawn", "resnet50", used(disturbed(build("resnet50", 47))))
if weights := optional("DRIFTSCOPE_WEIGHTS", "logits of the real DeiT-Tiny and of a ResNet-50 with real first stages"):
    deit = build("deit_tiny", 1000)
    deit.load_state_dict(load_file(weights / "deit_tiny_patch16_224.safetensors"))
    compare("deit_tiny, trained on ImageNet", "deit_tiny", deit)
    resnet = used(build("resnet50", 1000))
    resnet.load_state_dict(load_file(weights / "resnet50_stem_to_layer3.safetensors"), strict=False)
    compare("resnet50, stem to layer3 trained on ImageNet", "resnet50", resnet)
finish()
