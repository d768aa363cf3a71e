#!/usr/bin/env python3
"""How fast driftscope's loader makes training images, beside torchvision's DataLoader.

    DRIFTSCOPE_DTD=FOLDER python scripts/bench/loader.py [--workers 2] [--batch 64] [--epochs 3] [--rounds 3]

FOLDER has DTD's own layout. Each side decodes the training images of split 1, takes a random crop, scales it to 224 pixels
(bicubic), mirrors half of them, makes tensors and normalises them. driftscope's runs twice, decoding in every epoch
(--cache off) and from memory. All run alternately, each in a process of its own, so that whatever else the machine does
falls on all; the first epoch of each, which starts workers and fills memory, does not count.

Prints images a second and the processor's milliseconds an image, medians of rounds, with ratios to torchvision's. The
second is the steadier one on a busy machine.

Needs torch==2.9.1, torchvision and Pillow, and `cargo build --example loader` done before.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"torchvision": None, "decoding": "off", "from memory": "auto"}


def reference(folder, workers, batch, epochs):
    """The same in torchvision; prints the line that `examples/loader.rs` prints."""
    import torch
    from PIL import Image
    from torchvision import transforms as T

    class Pictures(torch.utils.data.Dataset):
        paths = [folder / "images" / line for line in (folder / "labels" / "train1.txt").read_text().split()]
        transform = T.Compose([
            T.RandomResizedCrop(224, scale=(0.35, 1.0), interpolation=T.InterpolationMode.BICUBIC),
            T.RandomHorizontalFlip(),
            T.ToTensor(),
            T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ])

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, index):
            with open(self.paths[index], "rb") as file:
                return self.transform(Image.open(file).convert("RGB")), 0

    torch.set_num_threads(workers)
    pictures = Pictures()
    loader = torch.utils.data.DataLoader(
        pictures, batch, shuffle=True, num_workers=workers, persistent_workers=True)
    rates, costs, spent, known = [], [], 0.0, []
    for _ in range(epochs):
        start = time.perf_counter()
        batches = iter(loader)
        known = [os.getpid(), *(worker.pid for worker in batches._workers)]
        for _ in batches:
            pass
        rates.append(len(pictures) / (time.perf_counter() - start))
        before, spent = spent, sum(map(processor_seconds, known))
        costs.append(1000 * (spent - before) / len(pictures))
    print(json.dumps({"images_a_second": rates, "processor_ms": costs}))


def processor_seconds(process):
    """What a process has spent so far, from Linux's account."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3, help="the first does not count")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference", action="store_true", help="torchvision's part alone, as one line of JSON")
    args = parser.parse_args()
    folder = os.environ.get("DRIFTSCOPE_DTD") or sys.exit("set DRIFTSCOPE_DTD to a folder in DTD's own layout")
    if args.epochs < 2:
        sys.exit("--epochs must be at least 2: the first does not count")
    if args.reference:
        return reference(Path(folder), args.workers, args.batch, args.epochs)

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    environment = os.environ | {"RAYON_NUM_THREADS": str(args.workers), "OMP_NUM_THREADS": str(args.workers)}
    rounds = {kind: [] for kind in KINDS}
    for _ in range(args.rounds):
        for kind, cache in KINDS.items():
            ours = [target / "debug" / "examples" / "loader", folder, str(args.batch), str(args.epochs), "--cache", cache]
            command = ours if cache else [sys.executable, __file__, *sys.argv[1:], "--reference"]
            output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
            figures = json.loads(output.splitlines()[-1])
            rounds[kind].append({name: statistics.median(values[1:]) for name, values in figures.items()})

    print(f"{processor()}, {os.cpu_count()} cores; {args.workers} workers, batch {args.batch}, medians of {args.rounds} "
          f"rounds of {args.epochs - 1} epochs")
    print(f"{'':14}{'images/s':>10}{'ratio':>8}{'ms of processor':>18}{'ratio':>8}")
    theirs = rounds["torchvision"]
    for kind, ours in rounds.items():
        rate, cost = (statistics.median(one[name] for one in ours) for name in ("images_a_second", "processor_ms"))
        faster = statistics.median(one["images_a_second"] / other["images_a_second"] for one, other in zip(ours, theirs))
        cheaper = statistics.median(other["processor_ms"] / one["processor_ms"] for one, other in zip(ours, theirs))
        print(f"{kind:14}{rate:10.1f}{faster:8.2f}{cost:18.3f}{cheaper:8.2f}")


if __name__ == "__main__":
    main()
