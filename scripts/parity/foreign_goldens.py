"""Writes tests/goldens/foreign: small checkpoints as other programs leave them, for the tests that need no Python.

usage: foreign_goldens.py      torch 2.9.1, timm 1.0.22, safetensors 0.8.0, numpy 2.4.6

All but a few hold the same ViT, `vit.safetensors` under timm's names, and its average, `vit_average.safetensors`, or the ResNet
of `resnet.safetensors`. `foreign_checkpoints.py` compares with what the real producers write, and with their logits; here the
names are only rewritten as they have them.
"""

import argparse
import collections
import datetime
import io
import json
import pathlib
import pickle
import re
import shutil
import struct
import tarfile

import numpy as np
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torchvision.models.resnet import BasicBlock, ResNet

from common import ROOT

OUT = ROOT / "tests/goldens/foreign"
NAMES = ["banded", "dotted", "knitted"]


class SmallResNet(ResNet):
    """torchvision's ResNet, two channels wide."""

    def __init__(self):
        super().__init__(BasicBlock, [1, 1, 1, 1], num_classes=len(NAMES))
        self.inplanes = width = 2
        self.conv1, self.bn1 = torch.nn.Conv2d(3, width, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(width)
        for stage in range(4):
            setattr(self, f"layer{stage + 1}", self._make_layer(BasicBlock, width << stage, 1, 1 if stage == 0 else 2))
        self.fc = torch.nn.Linear(width << 3, len(NAMES))


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return model


def vit(seed):
    return randomise(VisionTransformer(img_size=8, patch_size=4, embed_dim=6, depth=1, num_heads=3, num_classes=3), seed)


def renamed(tensors, rules):
    """Every name through the first rule that fits, in order."""
    return collections.OrderedDict((rename(name, rules), tensor) for name, tensor in tensors.items())


def rename(name, rules):
    for pattern, replacement in rules:
        if re.search(pattern, name):
            return re.sub(pattern, replacement, name)
    return name


TORCHVISION = [
    (r"^cls_token$", "class_token"), (r"^pos_embed$", "encoder.pos_embedding"), (r"^patch_embed\.proj", "conv_proj"),
    (r"^norm\.", "encoder.ln."), (r"^head\.", "heads.head."),
    (r"^blocks\.(\d+)\.norm(\d)", r"encoder.layers.encoder_layer_\1.ln_\2"),
    (r"^blocks\.(\d+)\.attn\.qkv\.", r"encoder.layers.encoder_layer_\1.self_attention.in_proj_"),
    (r"^blocks\.(\d+)\.attn\.proj", r"encoder.layers.encoder_layer_\1.self_attention.out_proj"),
    (r"^blocks\.(\d+)\.mlp\.fc1", r"encoder.layers.encoder_layer_\1.mlp.0"),
    (r"^blocks\.(\d+)\.mlp\.fc2", r"encoder.layers.encoder_layer_\1.mlp.3"),
]
OPENMMLAB = [
    (r"^head\.", "head.layers.head."), (r"^patch_embed\.proj", "backbone.patch_embed.projection"), (r"^norm\.", "backbone.ln1."),
    (r"^blocks\.(\d+)\.norm(\d)", r"backbone.layers.\1.ln\2"), (r"^blocks\.(\d+)\.mlp\.fc1", r"backbone.layers.\1.ffn.layers.0.0"),
    (r"^blocks\.(\d+)\.mlp\.fc2", r"backbone.layers.\1.ffn.layers.1"), (r"^blocks\.", "backbone.layers."), (r"^", "backbone."),
]


def hugging_face(tensors, new):
    """transformers' names, of version 5 in memory (`new`) or as it writes them."""
    out = {}
    outer = [
        (r"^cls_token$", "vit.embeddings.cls_token"), (r"^pos_embed$", "vit.embeddings.position_embeddings"),
        (r"^patch_embed\.proj", "vit.embeddings.patch_embeddings.projection"), (r"^norm\.", "vit.layernorm."), (r"^head\.", "classifier."),
    ]
    inner = {
        True: {"attn.proj": "attention.o_proj", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2", "q": "attention.q_proj",
               "k": "attention.k_proj", "v": "attention.v_proj", "layers": "vit.layers"},
        False: {"attn.proj": "attention.output.dense", "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense",
                "q": "attention.attention.query", "k": "attention.attention.key", "v": "attention.attention.value",
                "layers": "vit.encoder.layer"},
    }[new] | {"norm1": "layernorm_before", "norm2": "layernorm_after"}
    for name, tensor in tensors.items():
        block = re.match(r"blocks\.(\d+)\.(.+)\.(weight|bias)$", name)
        if not block:
            out[rename(name, outer)] = tensor.clone()
        elif block[2] == "attn.qkv":
            for part, piece in zip("qkv", tensor.chunk(3)):
                out[f"{inner['layers']}.{block[1]}.{inner[part]}.{block[3]}"] = piece.clone()
        else:
            out[f"{inner['layers']}.{block[1]}.{inner[block[2]]}.{block[3]}"] = tensor.clone()
    return out


def prefixed(tensors, prefix):
    return collections.OrderedDict((prefix + name, tensor) for name, tensor in tensors.items())


def tar(tensors, path):
    """As PyTorch before 0.1.10: torch/serialization.py, legacy_load, says what it reads."""
    class Number:
        def __init__(self, number):
            self.number = number

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            return str(thing.number) if isinstance(thing, Number) else None

    storages, shapes, tree = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(len(tensors), storages, 2)
    pickle.dump(len(tensors), shapes, 2)
    for number, tensor in enumerate(tensors.values()):
        pickle.dump((100 + number, "cpu", torch.FloatStorage), storages, 2)
        storages.write(struct.pack("<q", tensor.numel()) + tensor.contiguous().numpy().tobytes())
        pickle.dump((number, 100 + number, torch.FloatTensor), shapes, 2)
        shape, strides = tensor.shape, tensor.contiguous().stride()
        shapes.write(struct.pack("<ii", tensor.ndim, 0) + struct.pack(f"<{2 * tensor.ndim}q", *shape, *strides) + struct.pack("<q", 0))
    pickle.dump([], storages, 2)
    Pickler(tree, 2).dump(collections.OrderedDict((name, Number(number)) for number, name in enumerate(tensors)))
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, held in (("sys_info", io.BytesIO(pickle.dumps({}, 2))), ("pickle", tree), ("storages", storages), ("tensors", shapes)):
            entry = tarfile.TarInfo(name)
            entry.size = len(held.getvalue())
            held.seek(0)
            archive.addfile(entry, held)
    read = torch.load(path, weights_only=False)
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items()), "torch reads it too"


def strangers():
    """What stands beside weights, of every kind that a reader may stumble over."""
    return dict(
        args=argparse.Namespace(model="vit", lr=0.1, data=pathlib.PurePosixPath("/data"), device=torch.device("cpu"), dtype=torch.float32),
        when=datetime.datetime(2026, 1, 2, 3, 4), took=datetime.timedelta(seconds=3), best_acc=np.float32(0.5), count=np.int64(3),
        confusion=np.eye(2), shape=torch.Size([1, 2]), seed=2**70, counts=collections.Counter("aab"),
        class_to_idx={name: index for index, name in enumerate(NAMES)}, some={1, 2}, number=complex(1, 2), raw=b"abc", none=None, r=range(3),
        history=collections.defaultdict(list, loss=[1.0, 0.5]), last=collections.deque([1.0], maxlen=3),
        lr_at={0.5: 1, (1, 2): 3, None: 4, True: 5, b"k": 6}, loss=torch.tensor(0.25, requires_grad=True),
        spectrum=torch.zeros(2, dtype=torch.complex64), adjacency=torch.eye(2).to_sparse(), q=torch.zeros(2).to(torch.float8_e4m3fn))


def averages(raw, average):
    """The layouts that keep an average beside the weights."""
    count = collections.OrderedDict([("n_averaged", torch.tensor(3))])
    args = argparse.Namespace(model="vit", num_classes=3, img_size=8, mean=[0.5] * 3, std=[0.25] * 3, crop_pct=0.9, interpolation="bicubic")
    torch.save({"epoch": 2, "arch": "vit", "state_dict": raw, "optimizer": {"state": {}, "param_groups": []}, "version": 2, "args": args,
                "metric": 71.5, "state_dict_ema": average}, OUT / "timm.pth.tar")
    references = argparse.Namespace(model="vit_b_16", val_resize_size=256, val_crop_size=224, interpolation="bilinear")
    torch.save({"model": renamed(raw, TORCHVISION), "optimizer": {}, "lr_scheduler": {}, "epoch": 1, "args": references,
                "model_ema": count | prefixed(renamed(average, TORCHVISION), "module.")}, OUT / "torchvision.pth")
    strange = {"criterion.weight": torch.ones(3)}
    torch.save({"epoch": 4, "global_step": 50, "pytorch-lightning_version": "2.6.1", "state_dict": prefixed(average, "model.") | strange,
                "current_model_state": prefixed(raw, "model.") | strange, "averaging_state": {"n_averaged": torch.tensor(3)},
                "hyper_parameters": {"lr": 0.1, "path": pathlib.PurePosixPath("/data")}, "callbacks": {}}, OUT / "lightning.ckpt")
    meta = {"epoch": 3, "iter": 30, "mmengine_version": "0.10.7", "dataset_meta": {"classes": tuple(NAMES)}}
    preprocessor = {"data_preprocessor.mean": torch.zeros(3, 1, 1)}
    torch.save({"meta": meta, "message_hub": {}, "state_dict": renamed(average, OPENMMLAB) | preprocessor,
                "ema_state_dict": {"steps": torch.tensor(3)} | prefixed(renamed(raw, OPENMMLAB), "module.")}, OUT / "mmengine.pth")
    torch.save(count | prefixed(average, "module."), OUT / "swa.pth")


def folders(raw):
    """Hugging Face's layouts."""
    old, folder = hugging_face(raw, new=False), OUT / "trainer"
    folder.mkdir()
    names = sorted(old)
    parts = {f"model-0000{part + 1}-of-00002.safetensors": names[part::2] for part in (0, 1)}
    for file, own in parts.items():
        save_file({name: old[name] for name in own}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 0}, "weight_map": {name: file for file, own in parts.items() for name in own}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    config = {"model_type": "vit", "layer_norm_eps": 1e-12, "id2label": {str(index): name for index, name in enumerate(NAMES)}}
    (folder / "config.json").write_text(json.dumps(config))
    processor = {"image_processor_type": "ViTImageProcessor", "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2,
                 "size": {"height": 8, "width": 8}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    state = {"epoch": 2.0, "global_step": 20, "log_history": [{"epoch": 1.0, "step": 10, "eval_accuracy": 0.5},
                                                              {"epoch": 2.0, "step": 20, "eval_accuracy": 0.75}]}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    (OUT / "transformers5").mkdir()
    torch.save(hugging_face(raw, new=True), OUT / "transformers5/pytorch_model.bin")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    module, resnet = vit(1), randomise(SmallResNet(), 3)
    raw, average = module.state_dict(), vit(2).state_dict()
    save_file(dict(raw), OUT / "vit.safetensors", metadata={"format": "pt"})
    save_file(dict(average), OUT / "vit_average.safetensors", metadata={"format": "pt"})
    save_file(dict(resnet.state_dict()), OUT / "resnet.safetensors", metadata={"format": "pt"})
    averages(raw, average)
    folders(raw)
    torch.save({"epoch": 7, "arch": "resnet18", "state_dict": prefixed(resnet.state_dict(), "module."), "best_acc1": torch.tensor(71.5),
                "optimizer": {}}, OUT / "examples.pth.tar")
    torch.save(module, OUT / "module.pth")
    torch.save(prefixed(raw, "module._orig_mod."), OUT / "legacy.pth", _use_new_zipfile_serialization=False)
    (OUT / "dump.pkl").write_bytes(pickle.dumps(raw))
    (OUT / "arrays.pkl").write_bytes(pickle.dumps({name: tensor.numpy() for name, tensor in raw.items()}, 2))
    tar(raw, OUT / "oldest.pth")
    plain = dict(raw)
    torch.save({"best": plain, "state_dict": plain, "epoch": 1}, OUT / "shared.pth")
    torch.save({"student": prefixed(raw, "net."), "other": dict(average), "epoch": 1}, OUT / "two.pth")
    torch.save({"state_dict": prefixed(raw, "student.") | prefixed(average, "teacher.")}, OUT / "teacher.pth")
    body = collections.OrderedDict((f"backbone.{name}", tensor) for name, tensor in raw.items() if not name.startswith("head."))
    torch.save(body, OUT / "headless.pth")
    torch.save(body | {"classifier.1.weight": raw["head.weight"], "classifier.1.bias": raw["head.bias"]}, OUT / "wrapper.pth")
    torch.save(body | {"classifier.0.weight": torch.zeros(4, 6), "classifier.2.weight": torch.zeros(3, 4)}, OUT / "two_layers.pth")
    torch.save({"model": raw, "epoch": 6, **strangers()}, OUT / "strangers.pth")
    quantised = torch.quantize_per_tensor(raw["head.weight"], 0.1, 0, torch.qint8)
    torch.save(raw | {"head.weight": quantised}, OUT / "quantised.pth")
    torch.save({"a.weight": torch.zeros(2, 3), "layers.0.relative_position_bias_table": torch.zeros(4, 2)}, OUT / "swin.pth")
    total = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    print(f"foreign  {len([path for path in OUT.rglob('*') if path.is_file()])} files, {total} bytes")


if __name__ == "__main__":
    main()
