#!/usr/bin/env python3
"""One training step of driftscope beside PyTorch's best, in time and in memory.

    python scripts/bench/step.py deit_tiny 16 5 [--precision f32,bf16] [--rounds 3] [--device cpu] [--threads 2] [--json]

PyTorch takes the step in every way that could be its fastest: both memory layouts, fused AdamW in all of them, and on a
GPU also torch.compile, torch.compile with mode reduce-overhead, and a CUDA graph of the whole step. The fastest of a
precision is "PyTorch's best". Everybody takes turns, each in a process of its own, so that whatever else the machine
does falls on all. A step is forward, backward and AdamW on random images and 47 classes, after three that are not
counted. Printed are medians over the rounds, least and greatest, and the ratio to PyTorch's best round by round.

The steps of a GPU follow one another without synchronisation; parts are timed in steps of their own. "CPU s" is the CPU
time of all threads: on a machine that has other work it says more than the clock. Memory is the peak over the loaded
model: resident memory on a CPU, the card's on a GPU with what is kept for later.

Needs torch, timm and torchvision (scripts/parity/requirements.txt), and `cargo build --example step` done before.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIDES = {"deit_tiny": 224, "deit_small": 224, "resnet50": 224, "deit_mini": 96, "resnet_mini": 96}
CLASSES, WARM_UP, BLOCKS = 47, 3, 3
PARTS = ["forward", "backward", "optimizer"]
EAGER = ["nchw", "channels_last"]
GPU_ONLY = ["compile", "reduce-overhead", "graph"]
PRECISIONS = ["f32", "tf32", "bf16"]
FLAGS = ["avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_fp16", "asimd", "bf16"]


class Reference:
    """The step in PyTorch, in one variant."""

    def __init__(self, name, batch, device, precision, variant):
        import torch

        sys.path.insert(0, str(ROOT / "scripts" / "parity"))
        from models import build

        self.torch, self.variant, self.cuda = torch, variant, device.startswith("cuda")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        layout = torch.contiguous_format if variant == "nchw" else torch.channels_last
        model = build(name, CLASSES).train().to(device=device, memory_format=layout)
        graph = {"capturable": True} if variant == "graph" else {}
        self.optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True, **graph)
        mode = {"compile": "default", "reduce-overhead": "reduce-overhead"}.get(variant)
        self.model = torch.compile(model, mode=mode) if mode else model
        images = torch.randn(batch, 3, SIDES[name], SIDES[name])
        self.images = images.to(device=device, memory_format=layout)
        self.targets = (torch.arange(batch) % CLASSES).to(device)
        # While a graph is captured no cast may come from a cache that is older than it.
        cache = variant != "graph"
        self.autocast = lambda: torch.autocast(device.split(":")[0], torch.bfloat16, precision == "bf16", cache)

    def sync(self):
        if self.cuda:
            self.torch.cuda.synchronize()

    def forward(self):
        with self.autocast():
            return self.torch.nn.functional.cross_entropy(self.model(self.images), self.targets)

    def step(self):
        self.optimizer.zero_grad()
        self.forward().backward()
        self.optimizer.step()

    def parts(self):
        """Seconds of forward, backward and optimizer, waited for one by one."""
        laps = [time.perf_counter()]

        def lap():
            self.sync()
            laps.append(time.perf_counter())

        self.optimizer.zero_grad()
        loss = self.forward()
        lap()
        loss.backward()
        lap()
        self.optimizer.step()
        lap()
        return [end - start for start, end in zip(laps, laps[1:])]

    def captured(self):
        """The whole step as a CUDA graph: a function that replays it."""
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self.step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad()
        with torch.cuda.graph(graph):
            self.forward().backward()
            self.optimizer.step()
        return graph.replay


def reference(args, variant):
    """Runs one variant and prints what `examples/step.rs` prints, and the versions."""
    import torch

    torch.set_num_threads(args.threads)
    self = Reference(args.model, args.batch, args.device, args.precision[0], variant)
    self.sync()
    loaded = memory(args.device, "VmRSS")
    begun = time.perf_counter()
    step = self.captured() if variant == "graph" else self.step
    for _ in range(WARM_UP):
        step()
    self.sync()
    warm_up = time.perf_counter() - begun

    cpu, steps, parts = time.process_time(), [], []
    if self.cuda:
        for _ in range(BLOCKS):
            start = time.perf_counter()
            for _ in range(args.steps):
                step()
            self.sync()
            steps.append((time.perf_counter() - start) / args.steps)
        cpu = (time.process_time() - cpu) / (BLOCKS * args.steps)
        # A replay has no parts, and compiled code that is waited for in between is not what was timed.
        parts = [self.parts() for _ in range(BLOCKS)] if variant in EAGER else []
    else:
        # The collector's pauses are PyTorch's own and stay; what it finds before is not.
        gc.collect()
        for _ in range(args.steps):
            parts.append(self.parts())
            steps.append(sum(parts[-1]))
        cpu = (time.process_time() - cpu) / args.steps
    medians = {part: statistics.median(values) for part, values in zip(PARTS, zip(*parts))}
    growth = memory(args.device, "VmHWM") - loaded
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda if self.cuda else None}
    print(json.dumps({"step": statistics.median(steps), "cpu": cpu, **medians, "growth_mib": growth,
                      "warm_up": warm_up, **versions}))


def memory(device, field):
    """On a CPU a field of Linux's account of this process, on a GPU what is taken of the card; MiB."""
    if device.startswith("cuda"):
        index = device.partition(":")[2] or "0"
        return float(smi("memory.used", index))
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}")


def smi(fields, index):
    asked = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits", f"--id={index}"]
    return subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def machine(device):
    """What the figures were taken on."""
    info = Path("/proc/cpuinfo").read_text()
    field = lambda name: next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith(name)), "")
    flags = set((field("flags") or field("Features")).split())
    found = {
        "cpu": field("model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [flag for flag in FLAGS if flag in flags],
        "load": os.getloadavg()[0],
    }
    if device.startswith("cuda"):
        found["gpu"] = smi("name,driver_version,memory.total", device.partition(":")[2] or "0")
    return found


def built_against():
    """The version of the libtorch that driftscope was built against, as far as its headers are here."""
    include = Path(os.environ.get("LIBTORCH", ROOT / ".libtorch")) / "include/torch"
    places = [include / "headeronly/version.h", include / "csrc/api/include/torch/version.h"]
    lines = [line.split() for place in places if place.is_file() for line in place.read_text().splitlines()]
    wanted = [f"TORCH_VERSION_{part}" for part in ["MAJOR", "MINOR", "PATCH"]]
    found = {words[1]: words[2] for words in lines if len(words) == 3 and words[1] in wanted}
    return ".".join(found[name] for name in wanted) if len(found) == 3 else "unknown"


def measure(args, precision):
    """Every side's rounds: name to a list of what a process printed. A variant that fails is left out and said."""
    work = [args.model, str(args.batch), str(args.steps), "--device", args.device, "--precision", precision]
    ours = args.binary or Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "examples" / "step"
    here = [sys.executable, __file__, *work, "--threads", str(args.threads)]
    commands = {variant: [*here, "--reference", variant] for variant in args.variants} | {"driftscope": [ours, *work]}
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads), "MKL_NUM_THREADS": str(args.threads)}
    # Python's torch has its libraries beside it, and would take those of another from there.
    theirs = {name: value for name, value in environment.items() if name != "LD_LIBRARY_PATH"}
    rounds, failed = {name: [] for name in commands}, {}
    for _ in range(args.rounds):
        for name, command in commands.items():
            if name in failed:
                continue
            own = environment if name == "driftscope" else theirs
            done = subprocess.run(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                failed[name] = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
                print(f"{name} {precision}: {failed[name]}", file=sys.stderr)
                continue
            rounds[name].append(json.loads(done.stdout.splitlines()[-1]))
    return {name: figures for name, figures in rounds.items() if figures and name not in failed}, failed


def median(rounds, key):
    values = [figures[key] for figures in rounds if key in figures]
    return statistics.median(values) if values else None


def judged(args, precision):
    """One precision: every side's medians, who of PyTorch's is best, and our ratio to that."""
    rounds, failed = measure(args, precision)
    keys = ["step", "cpu", *PARTS, "growth_mib", "warm_up"]
    sides = {}
    for name, figures in rounds.items():
        steps = [one["step"] for one in figures]
        sides[name] = {key: median(figures, key) for key in keys} | {"least": min(steps), "greatest": max(steps)}
        sides[name]["images_per_second"] = args.batch / sides[name]["step"]
    theirs = [name for name in sides if name != "driftscope"]
    best = min(theirs, key=lambda name: sides[name]["step"], default=None)
    result = {"precision": precision, "best": best, "sides": sides, "failed": failed,
              "torch": next((figures[0].get("torch") for name, figures in rounds.items() if name in theirs), None)}
    if best and "driftscope" in sides:
        pairs = list(zip(rounds["driftscope"], rounds[best]))
        result["time_ratio"] = sides["driftscope"]["step"] / sides[best]["step"]
        result["time_ratios"] = [ours["step"] / other["step"] for ours, other in pairs]
        result["cpu_ratio"] = sides["driftscope"]["cpu"] / sides[best]["cpu"]
        result["memory_ratio"] = sides["driftscope"]["growth_mib"] / sides[best]["growth_mib"]
    return result


def shown(args, result):
    """A table of one precision for a person."""
    print(f"\n{result['precision']:28}{'step s':>9}{'least':>9}{'most':>9}{'images/s':>10}{'CPU s':>8}{'MiB':>7}")
    for name, side in result["sides"].items():
        label = name if name == "driftscope" else f"PyTorch {name}"
        label += " (its best)" if name == result["best"] else ""
        print(f"{label:28}{side['step']:9.4f}{side['least']:9.4f}{side['greatest']:9.4f}"
              f"{side['images_per_second']:10.1f}{side['cpu']:8.3f}{side['growth_mib']:7.0f}")
    if "time_ratio" not in result:
        return
    ours, best = result["sides"]["driftscope"], result["sides"][result["best"]]
    timed = [f"{part} {ours[part] / best[part]:.2f}" for part in PARTS if ours[part] and best[part]]
    print(f"driftscope over PyTorch's best: time {result['time_ratio']:.2f} "
          f"(rounds {' '.join(f'{ratio:.2f}' for ratio in result['time_ratios'])}), "
          f"CPU time {result['cpu_ratio']:.2f}, memory {result['memory_ratio']:.2f}")
    print("   by part: " + (", ".join(timed) or "none, as PyTorch's best has no parts"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=SIDES)
    parser.add_argument("batch", type=int)
    parser.add_argument("steps", type=int, help="a round; on a GPU a block of them, three blocks a round")
    parser.add_argument("--precision", default="f32", type=lambda text: text.split(","), help="f32, tf32, bf16; a list")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variants", type=lambda text: text.split(","), help="of PyTorch [default: all of the device]")
    parser.add_argument("--binary", type=Path, help="the built examples/step.rs [default: target/debug/examples/step]")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--reference", metavar="VARIANT", help="one variant of PyTorch alone, as one line of JSON")
    args = parser.parse_args()
    cuda = args.device.startswith("cuda")
    args.variants = args.variants or (EAGER + GPU_ONLY if cuda else EAGER)
    for word, known in [(word, PRECISIONS) for word in args.precision] + [(word, EAGER + GPU_ONLY) for word in args.variants]:
        if word not in known:
            parser.error(f"'{word}': expected one of {', '.join(known)}")
    if not cuda and ("tf32" in args.precision or set(args.variants) & {"graph", "reduce-overhead"}):
        parser.error("tf32, graph and reduce-overhead need --device cuda")
    if args.reference:
        return reference(args, args.reference)

    results = [judged(args, precision) for precision in args.precision]
    found = machine(args.device)
    torch = next((result["torch"] for result in results if result["torch"]), "unknown")
    settings = {name: getattr(args, name) for name in ["model", "batch", "steps", "rounds", "device", "threads"]}
    if args.json:
        print(json.dumps({"machine": found, **settings, "torch": torch, "libtorch": built_against(), "precisions": results}))
        return None
    print(f"{found['cpu']}, {found['cores']} cores ({' '.join(found['instructions'])}), load {found['load']:.1f}"
          + (f"; {found['gpu']} MiB" if "gpu" in found else ""))
    print(f"PyTorch {torch}, driftscope built against libtorch {built_against()}")
    print(f"{args.model}, batch {args.batch}, {args.device}, {args.threads} threads, {args.rounds} rounds of {args.steps} steps")
    for result in results:
        shown(args, result)
    return None


if __name__ == "__main__":
    main()
