#!/usr/bin/env python3
"""Writes a small sample of every kind of checkpoint that people who fine-tune image classifiers have, with the logits that
each must give, so that a loader can be tested against all of them.

    OMP_NUM_THREADS=1 python foreign_samples.py [OUT] [--size tiny|mini] [--only PATTERN]

OUT/manifest.json        one entry a sample: path, producer, model, where the weights are, what a loader should say
OUT/inputs.safetensors   `x32`, `x48` ... : fixed normalised inputs [2, 3, S, S]
OUT/logits.safetensors   expected logits [2, 5], one tensor a sample id (`ID` and, where there is an average, `ID@ema`)

Needs torch, timm, torchvision, safetensors. transformers, lightning, fastai, mmengine are used where they are installed.
`tiny`: width 8 ResNets and ViTs of 48 features at 32 px. `mini`: driftscope's own resnet_mini and deit_mini shapes, 96 px.
"""
import argparse, collections, copy, datetime, fnmatch, io, json, os, pathlib, pickle, re, shutil, sys, traceback, warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
warnings.filterwarnings("ignore")
import numpy as np
import torch
from torch import nn
import torchvision
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
import timm
from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn
from timm.models.deit import VisionTransformerDistilled
from safetensors.torch import save_file

torch.set_num_threads(1)
CLASSES = 5
NAMES = ["banded", "dotted", "knitted", "striped", "woven"]

parser = argparse.ArgumentParser()
parser.add_argument("out", nargs="?", default="samples")
parser.add_argument("--size", choices=["tiny", "mini"], default="tiny")
parser.add_argument("--only", default="*")
opts = parser.parse_args()
OUT = pathlib.Path(opts.out)
MINI = opts.size == "mini"
IMAGE = 96 if MINI else 32
VIT = dict(patch_size=8, embed_dim=96 if MINI else 48, depth=4 if MINI else 2, num_heads=3, num_classes=CLASSES)
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class TinyResNet(ResNet):
    """torchvision's ResNet (its blocks, names and forward) with another width."""

    def __init__(self, block, layers=(1, 1, 1, 1), width=8, strides=(1, 2, 2, 2), classes=CLASSES):
        nn.Module.__init__(self)
        self._norm_layer, self.inplanes, self.dilation, self.groups, self.base_width = nn.BatchNorm2d, width, 1, 1, 64
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i in range(4):
            setattr(self, f"layer{i + 1}", self._make_layer(block, width << i, layers[i], strides[i]))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear((width << 3) * block.expansion, classes)


def randomise(model, seed):
    """Numbers under which every tensor matters: norms that are not 1 and 0, statistics, a head that is not zero."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, t in model.state_dict().items():
            if not t.is_floating_point():
                continue
            if name.endswith("running_var"):
                t.copy_(0.5 + torch.rand(t.shape, generator=g))
            elif name.endswith("running_mean"):
                t.copy_(0.2 * torch.randn(t.shape, generator=g))
            elif t.ndim == 1 and name.endswith("weight"):
                t.copy_(1 + 0.2 * torch.randn(t.shape, generator=g))
            else:
                fan = max(1, t[0].numel()) if t.ndim > 1 else 25
                t.copy_(torch.randn(t.shape, generator=g) * (1.0 / fan**0.5 if t.ndim > 1 else 0.1))
    return model.eval()


def resnet(kind="basic", seed=1, layers=(1, 1, 1, 1)):
    block = BasicBlock if kind == "basic" else Bottleneck
    strides = (1, 2, 1, 1) if MINI else (1, 2, 2, 2)
    return randomise(TinyResNet(block, layers, width=16 if MINI else 8, strides=strides), seed)


def vit(seed=2, cls=VisionTransformer, image=IMAGE, **kw):
    return randomise(cls(img_size=image, **{**VIT, **kw}), seed)


def inputs(size):
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(size))


def logits(model, size=IMAGE):
    with torch.no_grad():
        out = model.eval()(inputs(size))
    return (out.logits if hasattr(out, "logits") else out).float().clone()


MANIFEST, LOGITS, SIZES, FAILED = [], {}, {IMAGE}, []


def add(id, path, producer, model, weights, expect, logit=None, ema=None, size=IMAGE, **more):
    SIZES.add(size)
    entry = dict(id=id, path=str(path), producer=producer, model=model, weights=weights, expect=expect, image_size=size,
                 classes=CLASSES, **more)
    if logit is not None:
        LOGITS[id] = logit
    if ema is not None:
        LOGITS[id + "@ema"] = ema
        entry["ema"] = True
    MANIFEST.append(entry)


GROUPS = []


def group(f):
    GROUPS.append(f)
    return f


def place(name):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


VITNAME = "deit_mini" if MINI else "vit d48 depth2 heads3 p8"
RNAME = {"basic": "resnet basic [1,1,1,1]", "bottleneck": "resnet_mini" if MINI else "resnet bottleneck [1,1,1,1] width 8"}


def prefixed(sd, p):
    return collections.OrderedDict((p + k, v) for k, v in sd.items())


# ---------------------------------------------------------------- plain scripts
@group
def plain():
    b, n, v = resnet("basic"), resnet("bottleneck", 3), vit()
    opt = torch.optim.SGD(b.parameters(), 0.1, momentum=0.9)
    b(inputs(IMAGE)).sum().backward(); opt.step(); opt.zero_grad(); b.eval()
    lb, ln, lv = logits(b), logits(n), logits(v)

    def save(id, obj, model, weights, logit, expect="ok", name=None, **kw):
        more = {k: kw.pop(k) for k in ("note", "ema", "epoch", "class_names") if k in kw}
        path = place("plain/" + (name or id.split("/")[1] + ".pth"))
        torch.save(obj, path, **kw)
        add(id, path.relative_to(OUT), "torch.save", model, weights, expect, logit, **more)

    save("plain/state_dict_zip", b.state_dict(), RNAME["basic"], "", lb)
    save("plain/state_dict_legacy", n.state_dict(), RNAME["bottleneck"], "", ln, _use_new_zipfile_serialization=False)
    save("plain/state_dict_pt", v.state_dict(), VITNAME, "", lv, name="state_dict.pt")
    save("plain/protocol4", v.state_dict(), VITNAME, "", lv, pickle_protocol=4)
    save("plain/protocol5", v.state_dict(), VITNAME, "", lv, pickle_protocol=5)
    save("plain/no_extension", b.state_dict(), RNAME["basic"], "", lb, name="weights")
    save("plain/module_resnet", b, RNAME["basic"], "(module)", lb, note="torch.save(model), class __main__.TinyResNet")
    save("plain/module_vit", v, VITNAME, "(module)", lv, note="torch.save(model), class timm...VisionTransformer")
    save("plain/module_nested", {"epoch": 3, "model": b, "optimizer": opt.state_dict()}, RNAME["basic"], "model (module)", lb, epoch=3)
    save("plain/optimizer_object", {"epoch": 3, "model": b.state_dict(), "optimizer": opt}, RNAME["basic"], "model", lb, epoch=3,
         note="the optimizer itself, not its state_dict: a defaultdict keyed by parameters")
    save("plain/dataparallel", nn.DataParallel(b).state_dict(), RNAME["basic"], "", lb, note="module.")
    save("plain/dataparallel_module", nn.DataParallel(b), RNAME["basic"], "(module)", lb, note="module. inside a pickled DataParallel")
    save("plain/compiled", torch.compile(v).state_dict(), VITNAME, "", lv, note="_orig_mod.")
    save("plain/ddp_of_compiled", prefixed(torch.compile(v).state_dict(), "module."), VITNAME, "", lv, note="module._orig_mod.")
    save("plain/compiled_ddp", prefixed(v.state_dict(), "_orig_mod.module."), VITNAME, "", lv, note="_orig_mod.module.")
    for p in ("model.", "net.", "backbone.", "encoder.", "resnet.", "base_model."):
        save("plain/prefix_" + p[:-1], prefixed(b.state_dict(), p), RNAME["basic"], "", lb, note=p)
    class Wrapper(nn.Module):  # a hand-written fine-tuning class: backbone without head, and another head beside it
        def __init__(self):
            super().__init__()
            self.backbone, self.classifier = copy.deepcopy(b), nn.Linear(b.fc.in_features, CLASSES)
            self.backbone.fc = nn.Identity()
        def forward(self, x): return self.classifier(self.backbone(x))
    w = randomise(Wrapper(), 9)
    save("plain/wrapper_own_head", w.state_dict(), RNAME["basic"], "", logits(w), note="backbone.* and classifier.{weight,bias}; fc missing")
    m = copy.deepcopy(b); m.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(b.fc.in_features, CLASSES)); randomise(m, 10)
    save("plain/head_sequential", m.state_dict(), RNAME["basic"], "", logits(m), note="fc.1.{weight,bias}: a dropout before the head")
    m = copy.deepcopy(b); m.fc = nn.Sequential(nn.Linear(b.fc.in_features, 16), nn.ReLU(), nn.Linear(16, CLASSES)); randomise(m, 11)
    save("plain/head_mlp", m.state_dict(), RNAME["basic"], "", logits(m), expect="refuse or support",
         note="fc.0, fc.2: two layers and a ReLU that no tensor shows")
    sd = collections.OrderedDict((k, t) for k, t in b.state_dict().items() if not k.startswith("fc."))
    save("plain/headless", sd, RNAME["basic"], "", None, expect="refuse: no head", note="features only, as timm num_classes=0")
    save("plain/no_tracked", collections.OrderedDict((k, t) for k, t in b.state_dict().items() if "num_batches" not in k),
         RNAME["basic"], "", lb, note="torch < 0.4.1 wrote no num_batches_tracked")
    save("plain/imagenet_example", {"epoch": 7, "arch": "resnet18", "state_dict": nn.DataParallel(b).state_dict(),
         "best_acc1": torch.tensor(71.5), "optimizer": opt.state_dict(),
         "scheduler": torch.optim.lr_scheduler.StepLR(opt, 30).state_dict()}, RNAME["basic"], "state_dict", lb,
         name="imagenet_example/checkpoint.pth.tar", epoch=7, note="pytorch/examples imagenet; epoch is the next one to run")
    save("plain/tutorial", {"epoch": 4, "model_state_dict": n.state_dict(), "optimizer_state_dict": opt.state_dict(),
         "loss": torch.tensor(0.25, requires_grad=True)}, RNAME["bottleneck"], "model_state_dict", ln, name="tutorial/model.tar", epoch=4)
    for key in ("net", "weights", "model_state", "params", "network", "student"):
        save("plain/key_" + key, {"acc": 91.2, "epoch": 5, key: v.state_dict()}, VITNAME, key, lv, epoch=5)
    half, bf = copy.deepcopy(v).half(), copy.deepcopy(v).bfloat16()
    save("plain/float16", half.state_dict(), VITNAME, "", logits(copy.deepcopy(half).float()))
    save("plain/bfloat16", bf.state_dict(), VITNAME, "", logits(copy.deepcopy(bf).float()))
    save("plain/float64", copy.deepcopy(b).double().state_dict(), RNAME["basic"], "", lb)
    swa = torch.optim.swa_utils.AveragedModel(b); swa.update_parameters(b); swa.update_parameters(resnet("basic", 21))
    torch.optim.swa_utils.update_bn([inputs(IMAGE)], swa)
    save("plain/swa", swa.state_dict(), RNAME["basic"], "", logits(swa), note="AveragedModel: n_averaged and module.")
    save("plain/model_and_ema", {"epoch": 2, "model": b.state_dict(), "ema": swa.state_dict(), "best_acc": np.float64(0.91)},
         RNAME["basic"], "model", lb, ema=logits(swa), epoch=2)
    save("plain/shared_dict", {"best": (s := b.state_dict()), "state_dict": s, "epoch": 1}, RNAME["basic"], "state_dict", lb, epoch=1,
         note="ONE dict object under two keys: the second is a memo reference to a dict that was empty when it was memoised")
    save("plain/shared_plain_dict", {"best": (s := dict(b.state_dict())), "state_dict": s, "epoch": 1}, RNAME["basic"], "state_dict", lb, epoch=1,
         note="the same with a plain dict, which no BUILD follows: pytorch-reader 0.22.1 reads the second as empty")
    save("plain/shared_list", {"hparams": {"classes": (l := list(NAMES))}, "classes": l, "state_dict": b.state_dict(), "epoch": 1}, RNAME["basic"],
         "state_dict", lb, epoch=1, class_names=NAMES, note="one list object twice: the second must not be empty")
    save("plain/channels_last", copy.deepcopy(n).to(memory_format=torch.channels_last).state_dict(), RNAME["bottleneck"], "", ln)
    flat, views, at = torch.cat([t.reshape(-1) for t in v.state_dict().values()]), collections.OrderedDict(), 0
    for k, t in v.state_dict().items():
        views[k] = flat[at:at + t.numel()].view(t.shape); at += t.numel()
    save("plain/views_of_one_storage", views, VITNAME, "", lv)
    save("plain/parameters", {**dict(b.named_parameters()), **dict(b.named_buffers())}, RNAME["basic"], "", lb, note="_rebuild_parameter")
    meta = dict(
        args=argparse.Namespace(model="tiny", lr=0.1, data=pathlib.PosixPath("/data"), device=torch.device("cpu"), dtype=torch.float32),
        when=datetime.datetime(2026, 1, 2, 3, 4), took=datetime.timedelta(seconds=3), best=np.float32(0.5), count=np.int64(3),
        confusion=np.eye(3), shape=torch.Size([1, 2]), rng=torch.get_rng_state(), nprng=np.random.get_state(), seed=2**70,
        counts=collections.Counter("aab"), classes=NAMES, class_to_idx={n: i for i, n in enumerate(NAMES)}, idx_to_class=dict(enumerate(NAMES)),
        some={1, 2}, c=complex(1, 2), raw=b"abc", none=None, r=range(3))
    save("plain/python_metadata", {"epoch": 6, "state_dict": b.state_dict(), **meta}, RNAME["basic"], "state_dict", lb, epoch=6)
    save("plain/defaultdict", {"epoch": 6, "state_dict": b.state_dict(), "history": collections.defaultdict(list, loss=[1.0, 0.5])},
         RNAME["basic"], "state_dict", lb, epoch=6, note="collections.defaultdict: REDUCE then SETITEMS")
    save("plain/deque", {"epoch": 6, "state_dict": b.state_dict(), "history": collections.deque([1.0], maxlen=3)},
         RNAME["basic"], "state_dict", lb, epoch=6, note="collections.deque: REDUCE then APPENDS")
    save("plain/odd_keys", {"epoch": 6, "state_dict": b.state_dict(), "lr_at": {0.5: 1, (1, 2): 3, None: 4, True: 5, b"k": 6}},
         RNAME["basic"], "state_dict", lb, epoch=6, note="float, tuple, None, bool and bytes as dict keys")
    save("plain/list_root", [b.state_dict(), opt.state_dict(), 3], RNAME["basic"], "[0]", lb)
    save("plain/tuple_root", (b.state_dict(), 3), RNAME["basic"], "[0]", lb)
    save("plain/complex_elsewhere", {"state_dict": b.state_dict(), "spectrum": torch.zeros(2, dtype=torch.complex64)}, RNAME["basic"],
         "state_dict", lb, note="a complex tensor beside the weights")
    save("plain/sparse_elsewhere", {"state_dict": b.state_dict(), "adj": torch.eye(3).to_sparse()}, RNAME["basic"], "state_dict", lb,
         note="a sparse tensor beside the weights")
    save("plain/float8_elsewhere", {"state_dict": b.state_dict(), "q": torch.zeros(2).to(torch.float8_e4m3fn)}, RNAME["basic"], "state_dict", lb,
         note="_rebuild_tensor_v3 with a float8 beside the weights")
    path = place("plain/pickle_dump.pkl")
    path.write_bytes(pickle.dumps(b.state_dict()))
    add("plain/pickle_dump", path.relative_to(OUT), "pickle.dump", RNAME["basic"], "", "ok or refuse", lb, note="torch.storage._load_from_bytes: a torch.save file inside a bytes object")
    path = place("plain/torchscript.pt")
    torch.jit.save(torch.jit.script(b), str(path))
    add("plain/torchscript", path.relative_to(OUT), "torch.jit.save", RNAME["basic"], "(script)", "ok or refuse", lb)
    for dtype, name in ((torch.float32, "f32"), (torch.bfloat16, "bf16")):
        path = place(f"plain/{name}.safetensors")
        m = copy.deepcopy(v).to(dtype)
        save_file(m.state_dict(), path, metadata={"format": "pt"})
        add("plain/safetensors_" + name, path.relative_to(OUT), "safetensors", VITNAME, "", "ok", logits(m.float()))
    path = place("plain/full_checkpoint.safetensors")
    save_file({**{"model." + k: t for k, t in v.state_dict().items()}, "optimizer.step": torch.zeros(1)}, path)
    add("plain/safetensors_prefixed", path.relative_to(OUT), "safetensors", VITNAME, "model.", "ok", lv)
    path = place("plain/truncated.pth"); good = (OUT / "plain/state_dict_zip.pth").read_bytes(); path.write_bytes(good[:len(good) // 2])
    add("plain/truncated", path.relative_to(OUT), "torch.save", RNAME["basic"], "", "refuse: truncated")


# ---------------------------------------------------------------- configuration objects beside the weights, torch-ignite
@group
def configs():
    b = resnet("basic", 25); lb = logits(b)
    def save(id, extra, note):
        path = place(f"configs/{id}.pth")
        torch.save({"model": b.state_dict(), "epoch": 4, "max_accuracy": 81.5, **extra}, path)
        add("configs/" + id, path.relative_to(OUT), "torch.save", RNAME["basic"], "model", "ok", lb, epoch=4, note=note)
    try:
        from yacs.config import CfgNode
        save("yacs", {"config": CfgNode({"MODEL": {"TYPE": "resnet", "NUM_CLASSES": CLASSES}})}, "Swin-style config: dict subclass, NEWOBJ then SETITEMS then BUILD")
    except ImportError: pass
    try:
        from easydict import EasyDict
        save("easydict", {"cfg": EasyDict(model=dict(name="resnet18"), lr=0.1)}, "dict subclass")
    except ImportError: pass
    try:
        from omegaconf import OmegaConf
        conf = OmegaConf.create({"model": {"name": "resnet18", "classes": NAMES}, "lr": 0.1})
        save("omegaconf", {"hyper_parameters": conf, "hparams_type": type(conf)}, "Hydra and Lightning")
    except ImportError: pass
    try:
        from ignite.handlers import Checkpoint, DiskSaver
        from ignite.engine import Engine
        opt = torch.optim.SGD(b.parameters(), 0.1); folder = place("ignite/x").parent; engine = Engine(lambda e, x: None)
        for what, objects in (("checkpoint", {"model": b, "optimizer": opt, "trainer": engine}), ("best", {"model": b})):
            Checkpoint(objects, DiskSaver(str(folder), require_empty=False), filename_prefix=what if what == "best" else "", score_name="val_acc" if what == "best" else None,
                       score_function=(lambda e: 0.91) if what == "best" else None, global_step_transform=lambda *_: 3)(engine)
        for f in sorted(folder.iterdir()):
            add(f"ignite/{f.stem}", f"ignite/{f.name}", "torch-ignite", RNAME["basic"], "model" if f.name.startswith("checkpoint") else "", "ok", lb, epoch=3)
    except ImportError: pass
    from safetensors.torch import save_model
    path = place("configs/accelerated.safetensors"); save_model(torch.nn.DataParallel(b), str(path))
    add("configs/save_model", path.relative_to(OUT), "safetensors save_model", RNAME["basic"], "", "ok", lb, note="module.")


# ---------------------------------------------------------------- timm
@group
def timm_train():
    from timm.utils import CheckpointSaver, ModelEmaV3
    for name, make in (("resnet", lambda s: resnet("bottleneck", s)), ("vit", lambda s: vit(s))):
        place(f"timm_{name}/x"); folder = OUT / f"timm_{name}"
        model = make(30)
        opt = torch.optim.AdamW(model.parameters(), 1e-3)
        ema = ModelEmaV3(model, decay=0.5)
        args = argparse.Namespace(model="resnet50" if name == "resnet" else "deit_tiny_patch16_224", num_classes=CLASSES, img_size=IMAGE,
                                  mean=None, std=None, crop_pct=None, interpolation="", lr=1e-3, opt="adamw", data_dir="/data",
                                  class_map="", epochs=3, device="cpu", opt_betas=None, input_size=None)
        saver = CheckpointSaver(model, opt, args=args, model_ema=ema, checkpoint_dir=str(folder), recovery_dir=str(folder), max_history=3)
        (folder / "args.yaml").write_text("".join(f"{k}: {v}\n" for k, v in vars(args).items()))
        for epoch in range(3):
            model.train(); model(inputs(IMAGE)).pow(2).sum().backward(); opt.step(); opt.zero_grad(); ema.update(model, step=epoch)
            saver.save_checkpoint(epoch, metric=70.0 + epoch)
            add(f"timm_{name}/{epoch}", f"timm_{name}/checkpoint-{epoch}.pth.tar", "timm train.py", RNAME["bottleneck"] if name == "resnet" else VITNAME,
                "state_dict", "ok", logits(model), ema=logits(ema.module), epoch=epoch, metric=70.0 + epoch)
        saver.save_recovery(2, 17)
    def one(id, model, note="", size=IMAGE, logit=None, expect="ok", **kw):
        path = place(f"timm_zoo/{id}.safetensors")
        save_file({k: t.contiguous() for k, t in model.state_dict().items()}, path)
        add("timm_zoo/" + id, path.relative_to(OUT), "timm", id, "", expect, logits(model, size) if logit is None else logit, size=size, note=note, **kw)
    one("distilled", vit(40, VisionTransformerDistilled), "dist_token, head_dist, pos_embed of 2 + N; logits are the mean of both heads")
    one("deit3", vit(41, no_embed_class=True, init_values=1e-6), "pos_embed of N without the class token; ls1.gamma, ls2.gamma")
    sd = vit(41, no_embed_class=True, init_values=1e-6)
    path = place("timm_zoo/deit3_fb.pth")
    fb = {re.sub(r"ls([12])\.gamma", r"gamma_\1", k): t for k, t in sd.state_dict().items()}
    torch.save({"model": fb}, path)
    add("timm_zoo/deit3_fb", path.relative_to(OUT), "facebookresearch/deit", "deit3", "model", "ok", logits(sd), note="gamma_1, gamma_2 as in Meta's files")
    one("avg_pool", vit(42, global_pool="avg"), "norm is missing, fc_norm instead; mean over the patches", expect="ok or refuse")
    one("no_class_token", vit(43, class_token=False, global_pool="avg", weight_init=""), "no cls_token", expect="ok or refuse")
    one("registers", vit(44, reg_tokens=2), "reg_token", expect="ok or refuse")
    one("qkv_no_bias", vit(45, qkv_bias=False), "no attn.qkv.bias", expect="ok or refuse")
    one("pre_norm", vit(46, pre_norm=True), "norm_pre.*; patch_embed.proj.bias is missing", expect="ok or refuse")
    one("patch16", vit(47, patch_size=16), "patch 16: four tokens at 32 px")
    big = vit(48, image=IMAGE * 3 // 2)
    one("other_size", big, "trained at 1.5 times the size", size=IMAGE * 3 // 2)
    small = VisionTransformer(img_size=IMAGE, **VIT)
    small.load_state_dict(checkpoint_filter_fn(dict(big.state_dict()), small)); small.eval()
    add("timm_zoo/other_size_resampled", "timm_zoo/other_size.safetensors", "timm", "other_size", "", "ok", logits(small),
        note=f"the same file in a model of {IMAGE} px: bicubic, antialias, of the patch part of pos_embed")
    save_file({"pos_embed": small.pos_embed.detach().contiguous()}, place("timm_zoo/pos_embed_resampled.safetensors"))
    d = vit(49, VisionTransformerDistilled, image=IMAGE * 3 // 2)
    one("distilled_other_size", d, size=IMAGE * 3 // 2)
    s2 = VisionTransformerDistilled(img_size=IMAGE, **VIT); s2.load_state_dict(checkpoint_filter_fn(dict(d.state_dict()), s2)); s2.eval()
    add("timm_zoo/distilled_resampled", "timm_zoo/distilled_other_size.safetensors", "timm", "distilled_other_size", "", "ok", logits(s2))
    m = vit(50); folder = place("timm_hub/x").parent
    save_file(m.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    cfg = dict(architecture="vit_tiny_patch16_224", num_classes=CLASSES, num_features=VIT["embed_dim"], global_pool="token", label_names=NAMES,
               label_descriptions={n: n for n in NAMES}, model_args=dict(img_size=IMAGE, **{k: v for k, v in VIT.items() if k != "num_classes"}),
               pretrained_cfg=dict(tag="augreg_in21k_ft_in1k", custom_load=False, input_size=[3, IMAGE, IMAGE], fixed_input_size=True,
                                   interpolation="bicubic", crop_pct=0.9, crop_mode="center", mean=[0.5] * 3, std=[0.5] * 3,
                                   num_classes=CLASSES, pool_size=None, first_conv="patch_embed.proj", classifier="head", license="apache-2.0"))
    (folder / "config.json").write_text(json.dumps(cfg, indent=2))
    add("timm_hub", "timm_hub", "timm push_to_hf_hub", VITNAME, "", "ok", logits(m), class_names=NAMES, mean=[0.5] * 3, std=[0.5] * 3)


# ---------------------------------------------------------------- torchvision references
@group
def torchvision_reference():
    class ExponentialMovingAverage(torch.optim.swa_utils.AveragedModel):  # as references/classification/utils.py
        def __init__(self, model, decay):
            super().__init__(model, "cpu", lambda a, m, n: decay * a + (1 - decay) * m, use_buffers=True)
    tv = lambda: randomise(torchvision.models.VisionTransformer(IMAGE, VIT["patch_size"], VIT["depth"], 3, VIT["embed_dim"], 4 * VIT["embed_dim"], num_classes=CLASSES), 61)
    for name, make in (("resnet", lambda: resnet("basic", 60)), ("vit", tv)):
        place(f"torchvision_{name}/x")
        model = make(); opt = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
        warm = torch.optim.lr_scheduler.LinearLR(opt, 0.1, total_iters=1)
        sched = torch.optim.lr_scheduler.SequentialLR(opt, [warm, torch.optim.lr_scheduler.CosineAnnealingLR(opt, 3)], milestones=[1])
        ema = ExponentialMovingAverage(model, 0.5)
        args = argparse.Namespace(data_path="/data", model="resnet18" if name == "resnet" else "vit_b_16", device="cuda", val_resize_size=256,
                                  val_crop_size=224, train_crop_size=224, interpolation="bilinear", weights=None, distributed=False, epochs=3)
        for epoch in range(3):
            model.train(); model(inputs(IMAGE)).pow(2).sum().backward(); opt.step(); opt.zero_grad(); sched.step(); ema.update_parameters(model)
            model.eval()
            ckpt = dict(model=model.state_dict(), optimizer=opt.state_dict(), lr_scheduler=sched.state_dict(), epoch=epoch, args=args,
                        model_ema=ema.state_dict(), scaler={"scale": 65536.0})
            torch.save(ckpt, OUT / f"torchvision_{name}/model_{epoch}.pth"); torch.save(ckpt, OUT / f"torchvision_{name}/checkpoint.pth")
            add(f"torchvision_{name}/{epoch}", f"torchvision_{name}/model_{epoch}.pth", "torchvision references", RNAME["basic"] if name == "resnet" else VITNAME + " (torchvision names)",
                "model", "ok", logits(model), ema=logits(ema), epoch=epoch)
        if name == "vit":
            check_maps("torchvision vit", torchvision_vit_to_timm(model.state_dict()), logits(model), VisionTransformer(img_size=IMAGE, **VIT))


# ---------------------------------------------------------------- the key maps, checked here
def torchvision_vit_to_timm(sd):
    rules = [("class_token", "cls_token"), ("conv_proj.", "patch_embed.proj."), ("encoder.pos_embedding", "pos_embed"), ("encoder.ln.", "norm."),
             ("heads.head.", "head."), (".ln_1.", ".norm1."), (".ln_2.", ".norm2."), (".self_attention.in_proj_", ".attn.qkv."),
             (".self_attention.out_proj.", ".attn.proj."), (".mlp.0.", ".mlp.fc1."), (".mlp.3.", ".mlp.fc2.")]
    out = {}
    for k, t in sd.items():
        k = re.sub(r"encoder\.layers\.encoder_layer_(\d+)", r"blocks.\1", k)
        for a, b in rules:
            k = k.replace(a, b)
        out[re.sub(r"\.mlp\.linear_([12])\.", r".mlp.fc\1.", k)] = t
    return out


def hf_vit_to_timm(sd):
    sd = {re.sub(r"^(vit|deit)\.", "", k): t for k, t in sd.items()}
    old = [("encoder.layer.", "layers."), ("attention.attention.query", "attention.q_proj"), ("attention.attention.key", "attention.k_proj"),
           ("attention.attention.value", "attention.v_proj"), ("attention.output.dense", "attention.o_proj"), ("intermediate.dense", "mlp.fc1"),
           (".output.dense", ".mlp.fc2")]
    new = [("embeddings.cls_token", "cls_token"), ("embeddings.distillation_token", "dist_token"), ("embeddings.position_embeddings", "pos_embed"),
           ("embeddings.patch_embeddings.projection.", "patch_embed.proj."), ("layernorm_before", "norm1"), ("layernorm_after", "norm2"),
           ("attention.o_proj", "attn.proj"), ("cls_classifier.", "head."), ("distillation_classifier.", "head_dist."), ("classifier.", "head.")]
    out, parts = {}, collections.defaultdict(dict)
    for k, t in sd.items():
        for a, b in old + new:
            k = k.replace(a, b)
        k = re.sub(r"^layers\.", "blocks.", k); k = re.sub(r"^layernorm\.", "norm.", k)
        m = re.match(r"(blocks\.\d+)\.attention\.([qkv])_proj\.(weight|bias)", k)
        if m:
            parts[m[1], m[3]][m[2]] = t
        else:
            out[k] = t
    for (block, kind), p in parts.items():
        out[f"{block}.attn.qkv.{kind}"] = torch.cat([p["q"], p["k"], p["v"]])
    return out


def hf_resnet_to_torchvision(sd):
    out = {}
    for k, t in sd.items():
        k = re.sub(r"^resnet\.", "", k).replace("embedder.embedder.convolution", "conv1").replace("embedder.embedder.normalization", "bn1")
        k = k.replace("classifier.1.", "fc.")
        k = re.sub(r"^encoder\.stages\.(\d+)\.layers\.(\d+)\.", lambda m: f"layer{int(m[1]) + 1}.{m[2]}.", k)
        k = k.replace("shortcut.convolution", "downsample.0").replace("shortcut.normalization", "downsample.1")
        k = re.sub(r"\.layer\.(\d)\.convolution", lambda m: f".conv{int(m[1]) + 1}", k)
        k = re.sub(r"\.layer\.(\d)\.normalization", lambda m: f".bn{int(m[1]) + 1}", k)
        out[k] = t
    return out


CHECKS = []


def check_maps(name, sd, expected, model, eps=None):
    model.load_state_dict(sd, strict=True)
    if eps is not None:
        for m in model.modules():
            if isinstance(m, nn.LayerNorm): m.eps = eps
    CHECKS.append((name, (logits(model) - expected).abs().max().item()))


# ---------------------------------------------------------------- Hugging Face
@group
def huggingface():
    import transformers
    transformers.logging.set_verbosity_error(); transformers.logging.disable_progress_bar()
    labels = dict(id2label=dict(enumerate(NAMES)), label2id={n: i for i, n in enumerate(NAMES)})
    size = dict(hidden_size=VIT["embed_dim"], num_hidden_layers=VIT["depth"], num_attention_heads=3, intermediate_size=4 * VIT["embed_dim"], image_size=IMAGE, patch_size=8)
    def pre(folder, kind):
        (folder / "preprocessor_config.json").write_text(json.dumps({
            "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "image_processor_type": kind,
            "resample": 2, "rescale_factor": 1 / 255, "size": {"height": IMAGE, "width": IMAGE}}, indent=2))
    def one(id, model, map=None, target=None, eps=None, **kw):
        folder = place(f"hf_{id}/x").parent
        model.save_pretrained(folder, **kw); pre(folder, "ViTImageProcessor")
        out = logits(model)
        add(f"hf_{id}", f"hf_{id}", f"transformers {transformers.__version__} save_pretrained", id, "", "ok", out, class_names=NAMES,
            mean=[0.5] * 3, std=[0.5] * 3, norm_eps=eps)
        if map:
            from safetensors.torch import load_file
            sd = {}
            for f in sorted(folder.glob("*.safetensors")): sd.update(load_file(f))
            check_maps("hf " + id, map(sd), out, target, eps)
    v = randomise(transformers.ViTForImageClassification(transformers.ViTConfig(**size, **labels)), 70)
    one("vit", v, hf_vit_to_timm, VisionTransformer(img_size=IMAGE, **VIT), 1e-12)
    one("vit_sharded", v, hf_vit_to_timm, VisionTransformer(img_size=IMAGE, **VIT), 1e-12, max_shard_size="100KB")
    try:
        one("vit_v5_names", v, hf_vit_to_timm, VisionTransformer(img_size=IMAGE, **VIT), 1e-12, save_original_format=False)
    except TypeError:
        pass
    folder = place("hf_vit_bin/x").parent
    from safetensors.torch import load_file
    old = load_file(OUT / "hf_vit/model.safetensors")
    torch.save(old, folder / "pytorch_model.bin"); shutil.copy(OUT / "hf_vit/config.json", folder); pre(folder, "ViTFeatureExtractor")
    add("hf_vit_bin", "hf_vit_bin", "transformers < 4.35", "vit", "", "ok", LOGITS["hf_vit"], class_names=NAMES, norm_eps=1e-12)
    names = sorted(old); half = len(names) // 2; folder = place("hf_vit_bin_sharded/x").parent
    parts = {f"pytorch_model-0000{i + 1}-of-00002.bin": p for i, p in enumerate((names[:half], names[half:]))}
    for f, p in parts.items(): torch.save({n: old[n] for n in p}, folder / f)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {"total_size": 0}, "weight_map": {n: f for f, p in parts.items() for n in p}}))
    shutil.copy(OUT / "hf_vit/config.json", folder)
    add("hf_vit_bin_sharded", "hf_vit_bin_sharded", "transformers < 4.35", "vit", "", "ok", LOGITS["hf_vit"], norm_eps=1e-12)
    d = randomise(transformers.DeiTForImageClassification(transformers.DeiTConfig(**size, **labels)), 71)
    one("deit", d, eps=1e-12)
    MANIFEST[-1]["note"] = "distillation_token is there, the head reads the class token only: head on token 0 of a model with two prefix tokens"
    dd = VisionTransformerDistilled(img_size=IMAGE, **VIT); sd = hf_vit_to_timm(d.state_dict())
    sd["head_dist.weight"], sd["head_dist.bias"] = sd["head.weight"], sd["head.bias"]
    dd.load_state_dict(sd); dd.eval()
    for m in dd.modules():
        if isinstance(m, nn.LayerNorm): m.eps = 1e-12
    with torch.no_grad(): CHECKS.append(("hf deit, head on token 0", (dd.head(dd.forward_features(inputs(IMAGE))[:, 0]) - LOGITS["hf_deit"]).abs().max().item()))
    t = randomise(transformers.DeiTForImageClassificationWithTeacher(transformers.DeiTConfig(**size, **labels)), 72)
    one("deit_with_teacher", t, hf_vit_to_timm, VisionTransformerDistilled(img_size=IMAGE, **VIT), 1e-12)
    for kind in ("basic", "bottleneck"):
        x = 1 if kind == "basic" else 4
        cfg = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8 * x, 16 * x, 32 * x, 64 * x], depths=[1, 1, 1, 1], layer_type=kind, **labels)
        r = randomise(transformers.ResNetForImageClassification(cfg), 73)
        one("resnet_" + kind, r, hf_resnet_to_torchvision, TinyResNet(BasicBlock if kind == "basic" else Bottleneck))
    # a real run of the Trainer: checkpoint-1, checkpoint-2, ...
    class Data(torch.utils.data.Dataset):
        def __len__(self): return 4
        def __getitem__(self, i): return dict(pixel_values=inputs(IMAGE)[i % 2], labels=i % CLASSES)
    run = OUT / "hf_trainer"; place("hf_trainer/x")
    class Keep(transformers.TrainerCallback):
        def on_save(self, args, state, control, model=None, **kw):
            was = model.training
            add(f"hf_trainer/{state.global_step}", f"hf_trainer/checkpoint-{state.global_step}", "transformers Trainer", "vit", "", "ok", logits(model),
                epoch=state.epoch, step=state.global_step, class_names=NAMES, norm_eps=1e-12)
            model.train(was)
    args = transformers.TrainingArguments(output_dir=str(run), num_train_epochs=3, per_device_train_batch_size=4, save_strategy="epoch", eval_strategy="epoch",
                                          report_to=[], use_cpu=True, disable_tqdm=True, learning_rate=1e-3, metric_for_best_model="loss", dataloader_num_workers=0)
    trainer = transformers.Trainer(copy.deepcopy(v), args, train_dataset=Data(), eval_dataset=Data(), callbacks=[Keep()])
    trainer.train()
    for c in run.glob("checkpoint-*"): pre(c, "ViTImageProcessor")
    try:  # timm model inside transformers
        from transformers import TimmWrapperConfig, TimmWrapperForImageClassification
        cfg = TimmWrapperConfig.from_dict(dict(architecture="vit_tiny_patch16_224", num_classes=CLASSES, label_names=NAMES, pretrained_cfg={},
                                               model_args=dict(img_size=IMAGE, **{k: x for k, x in VIT.items() if k != "num_classes"})), num_labels=CLASSES)
        w = randomise(TimmWrapperForImageClassification(cfg), 75)
        folder = place("hf_timm_wrapper/x").parent; w.save_pretrained(folder)
        add("hf_timm_wrapper", "hf_timm_wrapper", "transformers TimmWrapper", VITNAME, "", "ok", logits(w), note="timm_model. prefix unless removed on saving")
    except Exception as e:
        print("no TimmWrapper sample:", e)
    folder = place("accelerate/x").parent
    import accelerate
    acc = accelerate.Accelerator(cpu=True); m = resnet("basic", 76); pm = acc.prepare(m); acc.save_state(str(folder))
    add("accelerate", "accelerate", "accelerate save_state", RNAME["basic"], "", "ok", logits(m))


# ---------------------------------------------------------------- Lightning
@group
def lightning():
    import lightning as L, logging
    from lightning.pytorch.callbacks import ModelCheckpoint
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    class Lit(L.LightningModule):
        def __init__(self, arch="resnet18", lr=1e-3, data_dir=pathlib.Path("/data"), names=tuple(NAMES), extra=None):
            super().__init__(); self.save_hyperparameters()
            self.model = resnet("bottleneck", 80)
            self.criterion = nn.CrossEntropyLoss(weight=torch.ones(CLASSES))
        def forward(self, x): return self.model(x)
        def training_step(self, batch, i):
            loss = self.criterion(self(batch[0]), batch[1]); self.log("train_loss", loss); return loss
        def validation_step(self, batch, i): self.log("val_acc", (self(batch[0]).argmax(1) == batch[1]).float().mean())
        def configure_optimizers(self):
            o = torch.optim.AdamW(self.parameters(), self.hparams.lr)
            return [o], [torch.optim.lr_scheduler.MultiStepLR(o, [1, 2])]
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs(IMAGE), torch.tensor([1, 2])), batch_size=2)
    folder = place("lightning/x").parent
    class Keep(L.Callback):
        def on_save_checkpoint(self, trainer, module, checkpoint):
            was = module.training; self.last = logits(module.model); module.train(was)
    keep = Keep()
    class Save(ModelCheckpoint):
        def _save_checkpoint(self, trainer, filepath):
            super()._save_checkpoint(trainer, filepath)
            f = pathlib.Path(filepath)
            if f.name != "last.ckpt":
                add(f"lightning/{f.stem}", f"lightning/{f.name}", "Lightning ModelCheckpoint", RNAME["bottleneck"], "state_dict (model.)", "ok", keep.last, epoch=trainer.current_epoch)
    def fit(module, folder, *cbs, epochs=3):
        L.Trainer(max_epochs=epochs, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
                  default_root_dir=str(OUT), callbacks=list(cbs), log_every_n_steps=1).fit(module, data, data)
    fit(Lit(extra=argparse.Namespace(a=1)), folder, keep, Save(dirpath=str(folder), filename="{epoch}-{val_acc:.2f}", save_top_k=-1, monitor="val_acc", save_last=True))
    try:
        from lightning.pytorch.callbacks import WeightAveraging
        m = Lit(); folder = place("lightning_ema/x").parent
        fit(m, folder, WeightAveraging(), ModelCheckpoint(dirpath=str(folder), filename="{epoch}", save_top_k=-1))
        for f in sorted(folder.glob("*.ckpt")):
            c = torch.load(f, weights_only=False); out = {}
            for key in ("state_dict", "current_model_state"):
                r = resnet("bottleneck"); r.load_state_dict({k[6:]: t for k, t in c[key].items() if k.startswith("model.")}); out[key] = logits(r)
            add(f"lightning_ema/{f.stem}", f"lightning_ema/{f.name}", "Lightning WeightAveraging", RNAME["bottleneck"], "state_dict (the average)", "ok",
                out["current_model_state"], ema=out["state_dict"], epoch=c["epoch"], note="the average is under state_dict, the raw weights under current_model_state")
    except ImportError:
        pass
    c = torch.load(next((OUT / "lightning").glob("epoch=0*.ckpt")), weights_only=False)
    c["callbacks"] = {ModelCheckpoint: {"best_model_score": torch.tensor(0.5)}}
    torch.save(c, place("lightning_old/epoch=0.ckpt"))
    add("lightning_old/class_key", "lightning_old/epoch=0.ckpt", "Lightning < 1.5", RNAME["bottleneck"], "state_dict (model.)", "ok",
        next(LOGITS[e["id"]] for e in MANIFEST if e["id"].startswith("lightning/epoch=0")), note="callbacks keyed by the class itself")


# ---------------------------------------------------------------- fastai
@group
def fastai():
    from fastai.vision.all import Learner, DataLoaders, SaveModelCallback, CrossEntropyLossFlat
    from fastai.vision.learner import create_body, add_head
    ds = torch.utils.data.TensorDataset(inputs(IMAGE), torch.tensor([1, 2]))
    import fastai.data.load as fl
    dls = DataLoaders(fl.DataLoader(ds, bs=2, num_workers=0), fl.DataLoader(ds, bs=2, num_workers=0), device="cpu")
    def run(id, model, expect, label=RNAME["basic"], note=""):
        folder = place(f"fastai_{id}/models/x").parent
        learn = Learner(dls, model, loss_func=CrossEntropyLossFlat(), path=folder.parent, model_dir="models")
        from fastai.callback.core import Callback
        class Keep(Callback):
            order = 99
            def after_epoch(self):
                if (folder / f"model_{self.epoch}.pth").exists():
                    was = self.model.training
                    add(f"fastai_{id}/{self.epoch}", f"fastai_{id}/models/model_{self.epoch}.pth", "fastai SaveModelCallback", label, "model or root", expect, logits(self.model), epoch=self.epoch, note=note)
                    self.model.train(was)
        with learn.no_bar(), learn.no_logging():
            learn.fit(2, 1e-3, cbs=[SaveModelCallback(every_epoch=True, with_opt=True), Keep()])
        learn.save("final", with_opt=False)
        add(f"fastai_{id}/final", f"fastai_{id}/models/final.pth", "fastai Learner.save(with_opt=False)", label, "", expect, logits(learn.model))
    run("plain", resnet("basic", 90), "ok")
    b = resnet("basic", 91); body = create_body(b, 3, False, cut=-2); m = randomise(add_head(body, 64 if not MINI else 128, CLASSES), 92)
    run("vision_learner", m, "refuse or support", label="fastai vision_learner over resnet basic",
        note="0.0 conv1, 0.1 bn1, 0.4..0.7 layer1..4; head 1.2 BatchNorm1d, 1.4 Linear, 1.6 BatchNorm1d, 1.8 Linear over concatenated max and mean pools")


# ---------------------------------------------------------------- MMPretrain (its names; the package itself needs mmcv)
@group
def mmpretrain():
    def rn(k): return ("head." if k.startswith("fc.") else "backbone.") + k
    def vt(k):
        if k.startswith("head."): return k.replace("head.", "head.layers.head.")
        for a, b in (("patch_embed.proj", "patch_embed.projection"), ("blocks.", "layers."), ("norm1", "ln1"), ("norm2", "ln2"),
                     ("mlp.fc1", "ffn.layers.0.0"), ("mlp.fc2", "ffn.layers.1")): k = k.replace(a, b)
        return "backbone." + re.sub(r"^norm\.", "ln1.", k)
    try:
        from mmengine.logging import MessageHub
        hub = MessageHub.get_instance("sample"); hub.update_scalar("train/loss", 0.5, 2); hub.update_info("epoch", 1); hub = hub.state_dict()
    except Exception as e:
        print("mmengine:", e); hub = {}
    for name, make, key, label in (("resnet", lambda s: resnet("bottleneck", s), rn, RNAME["bottleneck"]), ("vit", lambda s: vit(s), vt, VITNAME)):
        for epoch in (1, 2):
            model, other = make(100 + epoch), make(110 + epoch)
            meta = dict(epoch=epoch, iter=epoch * 10, cfg="model = dict(type='ImageClassifier')\n", seed=1, experiment_name="x", time="20260101_000000",
                        mmengine_version="0.10.7", dataset_meta=dict(classes=tuple(NAMES)))
            sd = collections.OrderedDict((key(k), t) for k, t in model.state_dict().items())
            sd["data_preprocessor.mean"], sd["data_preprocessor.std"] = torch.tensor(MEAN).view(3, 1, 1) * 255, torch.tensor(STD).view(3, 1, 1) * 255
            ema = collections.OrderedDict([("steps", torch.tensor(3))] + [("module." + key(k), t) for k, t in other.state_dict().items()])
            path = place(f"mmpretrain_{name}/epoch_{epoch}.pth")
            torch.save(dict(meta=meta, state_dict=sd, message_hub=hub, ema_state_dict=ema, optimizer={"state": {}, "param_groups": []}, param_schedulers=[]), path)
            add(f"mmpretrain_{name}/{epoch}", path.relative_to(OUT), "mmengine CheckpointHook (layout as mmpretrain writes it)", label, "state_dict", "ok", logits(other), ema=logits(model),
                epoch=epoch, class_names=NAMES, note="EMAHook swaps: state_dict holds the average, ema_state_dict (module.) the raw weights")
        (OUT / f"mmpretrain_{name}/last_checkpoint").write_text(f"mmpretrain_{name}/epoch_2.pth")


def main():
    if OUT.exists(): shutil.rmtree(OUT)
    OUT.mkdir(parents=True)
    sys.modules.setdefault("__main__", sys.modules[__name__])
    for f in GROUPS:
        if not fnmatch.fnmatch(f.__name__, opts.only): continue
        try:
            f()
        except Exception as e:
            FAILED.append((f.__name__, repr(e))); traceback.print_exc()
    save_file({f"x{s}": inputs(s) for s in SIZES}, OUT / "inputs.safetensors")
    save_file({k: t.contiguous().clone() for k, t in LOGITS.items()}, OUT / "logits.safetensors")
    (OUT / "manifest.json").write_text(json.dumps(MANIFEST, indent=1, default=str))
    for name, worst in CHECKS: print(f"map checked: {name}: largest difference of logits {worst:.2e}")
    total = sum(p.stat().st_size for p in OUT.rglob("*") if p.is_file())
    print(f"{len(MANIFEST)} samples, {len(LOGITS)} logits, {total / 1e6:.1f} MB in {OUT}")
    for f in FAILED: print("FAILED", *f)


main()
