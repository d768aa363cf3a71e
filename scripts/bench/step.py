#!/usr/bin/env python3
"""One training step of driftscope beside PyTorch's, in time and in memory.

    python scripts/bench/step.py deit_tiny 16 5 [--rounds 3] [--device cpu] [--threads 2]

Runs the two alternately, each in a process of its own, so that whatever else the machine does falls on both, and prints
the median of the rounds' medians and their ratio. One step is forward with the loss read back, backward and AdamW, on
random pictures of 224 pixels and 47 classes; memory is the peak of resident memory over the loaded model.

Needs torch==2.9.1 and timm==1.0.22, and `cargo build --example step` done before.
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
PARTS = ["forward", "backward", "optimizer"]


def reference(model, batch, steps, device, threads):
    """The same step in PyTorch; prints the line that `examples/step.rs` prints."""
    import timm
    import torch

    torch.set_num_threads(threads)
    network = timm.create_model(TIMM[model], pretrained=False, num_classes=47).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4)
    images = torch.randn(batch, 3, 224, 224, device=device)
    targets = torch.arange(batch, device=device) % 47
    sync = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    loaded = memory("VmRSS")

    times = {part: [] for part in PARTS}
    for _ in range(steps):
        start = time.perf_counter()
        loss = torch.nn.functional.cross_entropy(network(images), targets)
        loss.item()
        times["forward"].append(time.perf_counter() - start)
        start = time.perf_counter()
        optimizer.zero_grad()
        loss.backward()
        sync()
        times["backward"].append(time.perf_counter() - start)
        start = time.perf_counter()
        optimizer.step()
        sync()
        times["optimizer"].append(time.perf_counter() - start)
    medians = {part: sorted(values)[len(values) // 2] for part, values in times.items()}
    print(json.dumps(medians | {"growth_mib": memory("VmHWM") - loaded}))


def memory(field):
    """A field of Linux's account of this process, MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=TIMM)
    parser.add_argument("batch", type=int)
    parser.add_argument("steps", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reference", action="store_true", help="PyTorch's half alone, as one line of JSON")
    args = parser.parse_args()
    if args.reference:
        return reference(args.model, args.batch, args.steps, args.device, args.threads)

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    work = [args.model, str(args.batch), str(args.steps), "--device", args.device]
    commands = {
        "PyTorch": [sys.executable, __file__, *work, "--threads", str(args.threads), "--reference"],
        "driftscope": [target / "debug" / "examples" / "step", *work],
    }
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads), "MKL_NUM_THREADS": str(args.threads)}
    rounds = {name: [] for name in commands}
    for _ in range(args.rounds):
        for name, command in commands.items():
            output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
            figures = json.loads(output.splitlines()[-1])
            figures["step"] = sum(figures[part] for part in PARTS)
            rounds[name].append(figures)

    print(f"{args.model}, batch {args.batch}, {args.device}, {args.threads} threads, "
          f"medians of {args.rounds} rounds of {args.steps} steps")
    print(f"{'':12}{'PyTorch':>10}{'driftscope':>12}{'ratio':>8}   ratio round by round")
    for part in [*PARTS, "step", "growth_mib"]:
        pairs = [(theirs[part], ours[part]) for theirs, ours in zip(*rounds.values())]
        theirs, ours = (statistics.median(side) for side in zip(*pairs))
        by_round = " ".join(f"{ours / theirs:.2f}" for theirs, ours in pairs)
        digits = 1 if part == "growth_mib" else 4
        print(f"{part:12}{theirs:10.{digits}f}{ours:12.{digits}f}{ours / theirs:8.2f}   {by_round}")


if __name__ == "__main__":
    main()
