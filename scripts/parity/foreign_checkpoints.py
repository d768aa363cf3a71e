"""Reads the checkpoints of every producer and compares the logits of what was taken with those of the model that was saved.

usage: foreign_checkpoints.py [SAMPLES]      requirements.txt and requirements-foreign.txt

`foreign_samples.py` makes SAMPLES (a temporary folder by default) with the producers themselves: 123 samples and 143 sets of weights,
raw and averaged. driftscope's `parity checkpoint` takes the weights of each, and timm or torchvision loads them strictly. What may
be refused is in the manifest.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys

import torch
from safetensors.torch import load_file
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from common import ROOT, check, finish, folder

TOLERANCE = 1e-5  # of a logit of about 1; the numbers are the same, and so are all logits so far
# The weights that an average stands beside, where the average has taken the usual key.
SWAPPED = {"Lightning WeightAveraging": "current_model_state", "mmengine": "ema_state_dict"}


class SmallResNet(ResNet):
    """torchvision's ResNet of another width."""

    def __init__(self, block, blocks, width, classes):
        nn.Module.__init__(self)
        self._norm_layer, self.inplanes, self.dilation, self.groups, self.base_width = nn.BatchNorm2d, width, 1, 1, 64
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        for stage in range(4):
            setattr(self, f"layer{stage + 1}", self._make_layer(block, width << stage, blocks[stage], 1 if stage == 0 else 2))
        self.fc = nn.Linear((width << 3) * block.expansion, classes)


def count(tensors, prefix):
    return 1 + max(int(name[len(prefix):].split(".")[0]) for name in tensors if name.startswith(prefix))


def resnet(tensors):
    block = Bottleneck if "layer1.0.conv3.weight" in tensors else BasicBlock
    blocks = [count(tensors, f"layer{stage}.") for stage in (1, 2, 3, 4)]
    model = SmallResNet(block, blocks, tensors["conv1.weight"].shape[0], tensors["fc.weight"].shape[0])
    counters = {name: value for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")}
    model.load_state_dict(tensors | counters, strict=True)
    return model.eval()


def vit(tensors, size, epsilon):
    features, _, patch, _ = tensors["patch_embed.proj.weight"].shape
    registers = tensors["reg_token"].shape[1] if "reg_token" in tensors else 0
    distilled, grid = "dist_token" in tensors, (size // patch) ** 2
    positions, options = tensors["pos_embed"].shape[1], dict(reg_tokens=registers)
    prefix = ("cls_token" in tensors) + distilled + registers
    own = int((positions - prefix) ** 0.5) ** 2 + prefix == positions
    options |= dict(no_embed_class=True) if not own and prefix else {}
    options |= dict(init_values=1e-6) if "blocks.0.ls1.gamma" in tensors else {}
    options |= dict(class_token=False) if "cls_token" not in tensors else {}
    options |= dict(global_pool="avg") if "fc_norm.weight" in tensors else {}
    options |= dict(pre_norm=True) if "norm_pre.weight" in tensors else {}
    options |= dict(qkv_bias=False) if "blocks.0.attn.qkv.bias" not in tensors else {}
    kind = VisionTransformerDistilled if distilled else VisionTransformer
    model = kind(img_size=size, patch_size=patch, embed_dim=features, depth=count(tensors, "blocks."),
                 num_heads=features // 64 if features % 64 == 0 else 3, num_classes=tensors["head.weight"].shape[0],
                 **{name: value for name, value in options.items() if value or name != "reg_tokens"})
    one_head = distilled and "head_dist.weight" not in tensors
    if one_head:  # Hugging Face's DeiT reads the class token alone
        tensors = tensors | {"head_dist.weight": tensors["head.weight"], "head_dist.bias": tensors["head.bias"]}
    if positions != grid + (prefix if own else 0):  # the same file in a model of another image size
        from timm.layers import resample_abs_pos_embed
        side = size // patch
        tensors = tensors | {"pos_embed": resample_abs_pos_embed(tensors["pos_embed"], [side, side], num_prefix_tokens=prefix)}
    model.load_state_dict(tensors, strict=True)
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = epsilon or 1e-6
    model.eval()
    return (lambda images: model.head(model.forward_features(images)[:, 0])) if one_head else model


def take(path, key, out):
    """What driftscope takes from a checkpoint and says of it, or why it refuses."""
    binary = os.environ.get("DRIFTSCOPE_PARITY", ROOT / "target/debug/examples/parity")
    key = ["--key", key] if key else []
    run = subprocess.run([str(binary), "checkpoint", str(path), str(out), *key, "--device", "flex"], capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr.strip().splitlines()[-1]
    return load_file(out), json.loads(run.stdout)


def wanted(entry):
    """Key and name of the expected logits of each set of weights in a sample."""
    if not entry.get("ema"):
        return [(None, entry["id"])]
    raw = next((key for producer, key in SWAPPED.items() if entry["producer"].startswith(producer)), entry["weights"])
    return [(raw, entry["id"]), (None, entry["id"] + "@ema")]


def facts_differ(entry, said):
    """The fields of a file that the manifest knows better, and where the file has one."""
    pairs = dict(epoch="epoch", class_names="classes", norm_eps="epsilon", mean="mean", step="step")
    return [name for name, own in pairs.items() if entry.get(name) is not None and said[own] not in (None, entry[name])]


def main():
    if len(sys.argv) > 1:
        samples = pathlib.Path(sys.argv[1])
    else:
        samples = folder() / "samples"
        subprocess.run([sys.executable, str(pathlib.Path(__file__).with_name("foreign_samples.py")), str(samples)], check=True)
    manifest = json.loads((samples / "manifest.json").read_text())
    logits, inputs = load_file(samples / "logits.safetensors"), load_file(samples / "inputs.safetensors")
    worst, refused, wrong, equal, out = 0.0, {}, [], set(), folder() / "taken.safetensors"
    producers = collections.defaultdict(lambda: [0, 0])
    for entry in manifest:
        for key, name in wanted(entry):
            tensors, said = take(samples / entry["path"], key, out)
            if tensors is None:
                refused[entry["id"]] = said
                wrong += [f"{name}: {said}"] if "refuse" not in entry["expect"] else []
                continue
            size = entry["image_size"]
            model = vit(tensors, size, entry.get("norm_eps")) if "patch_embed.proj.weight" in tensors else resnet(tensors)
            with torch.no_grad():
                difference = (model(inputs[f"x{size}"]) - logits[name]).abs().max().item()
            worst = max(worst, difference)
            wrong += [f"{name}: {difference}"] if difference > TOLERANCE else []
            wrong += [f"{name}: {field} is not what the file says" for field in facts_differ(entry, said)]
            equal.add(entry["id"])
        producers[entry["producer"]][0] += 1
        producers[entry["producer"]][1] += entry["id"] in equal
    for producer, (all_of, read) in sorted(producers.items()):
        print(f"      {producer}: {read} of {all_of}")
    for name, why in refused.items():
        print(f"      refused {name}: {why}")
    for line in wrong:
        print(f"FAIL  {line}")
    check(f"logits of {len(equal)} of {len(manifest)} checkpoints of others", worst, TOLERANCE)
    check("samples that are not as expected", len(wrong), 0)
    check("samples that are refused", len(refused), len(manifest) - 117)
    finish()


if __name__ == "__main__":
    main()
