#!/usr/bin/env python3
"""What an explanation costs over a plain forward pass: driftscope beside pytorch-grad-cam and a rollout in PyTorch.

    python scripts/bench/explain.py resnet50 8 5 [--rounds 3] [--device cpu] [--threads 2]

Runs the two alternately, each in a process of its own, and prints the median of the rounds: each method's time over the
forward pass of its own side, and driftscope's time over the other's. Random pictures of 224 pixels, 47 classes.

Needs torch==2.9.1, timm==1.0.22 and grad-cam==1.5.5 (scripts/parity/requirements*.txt), and
`cargo build --example explain` done before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMM = {"resnet50": "resnet50", "deit_tiny": "deit_tiny_patch16_224"}


def reference(name, batch, repeats, device, threads):
    """Seconds of the forward pass and of each method, a line of JSON each, as `examples/explain.rs` prints them."""
    import timm
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    torch.set_num_threads(threads)
    model = timm.create_model(TIMM[name], pretrained=False, num_classes=47).to(device).eval()
    images = torch.randn(batch, 3, 224, 224, device=device)
    targets = [ClassifierOutputTarget(image % 47) for image in range(batch)]
    sync = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    vit = name == "deit_tiny"
    grid = lambda tokens: tokens[:, 1:].transpose(1, 2).unflatten(2, (14, 14))
    layer = model.blocks[-1].norm1 if vit else model.layer4[-1]
    cam = GradCAM(model, [layer], reshape_transform=grid if vit else None)

    @torch.no_grad()
    def forward():
        model(images).cpu()

    @torch.no_grad()
    def rollout():
        """Whole matrices, as every published implementation multiplies them."""
        seen = []
        for block in model.blocks:
            block.attn.fused_attn = False
        keep = lambda module, inputs, output: seen.append(output.mean(1))
        handles = [block.attn.attn_drop.register_forward_hook(keep) for block in model.blocks]
        model(images)
        rolled = torch.eye(seen[0].shape[-1], device=device)
        for attention in seen:
            step = attention + torch.eye(attention.shape[-1], device=device)
            rolled = step / step.sum(-1, keepdim=True) @ rolled
        rolled[:, 0, 1:].cpu()
        for handle in handles:
            handle.remove()
        for block in model.blocks:
            block.attn.fused_attn = True

    methods = {"grad-cam": lambda: cam(images, targets)} | ({"rollout": rollout} if vit else {})
    times = {method: [] for method in ["forward", *methods]}
    for repeat in range(repeats + 1):
        for method, run in ({"forward": forward} | methods).items():
            start = time.perf_counter()
            run()
            sync()
            if repeat:  # the first warms up
                times[method].append(time.perf_counter() - start)
    forward_seconds = statistics.median(times["forward"])
    for method in methods:
        print(json.dumps({"methods": method, "forward": forward_seconds, "explain": statistics.median(times[method])}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=TIMM)
    parser.add_argument("batch", type=int)
    parser.add_argument("repeats", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reference", action="store_true", help="PyTorch's half alone, as lines of JSON")
    args = parser.parse_args()
    if args.reference:
        return reference(args.model, args.batch, args.repeats, args.device, args.threads)

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    sizes = [args.model, str(args.batch), str(args.repeats)]
    commands = {
        "driftscope": [target / "debug/examples/explain", *sizes, "--device", args.device],
        "PyTorch": [sys.executable, __file__, *sizes, "--device", args.device, "--threads", str(args.threads),
                    "--reference"],
    }
    # Two libraries that wait for work by spinning would slow each other down; these take turns.
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    over_forward, seconds = {}, {}
    for _ in range(args.rounds):
        for who, command in commands.items():
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
            for line in map(json.loads, output.splitlines()):
                key = (who, line["methods"])
                over_forward.setdefault(key, []).append(line["explain"] / line["forward"])
                seconds.setdefault(key, []).append(line["explain"])
    for who, method in over_forward:
        ratio = statistics.median(over_forward[who, method])
        line = f"{args.model} batch {args.batch} · {who:10} · {method}: {ratio:.2f} × its forward pass"
        other = seconds.get(("PyTorch", method))
        if who == "driftscope" and other:
            line += f" · {statistics.median(seconds[who, method]) / statistics.median(other):.2f} × PyTorch's time"
        print(line)


if __name__ == "__main__":
    main()
