"""The checks of check.sh, which runs this: one row each, within a number of minutes.

A row has a verdict (ok, FAIL or "not run"), what was measured, and what it was held to. Throughput is held to PyTorch's best
eager setting, measured in the same minutes by scripts/bench/step.py and, for whole epochs, by this file.
"""

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent
MODELS = {"deit_tiny": "deit_tiny_patch16_224", "resnet50": "resnet50_stem_to_layer3"}
SEEDS = [0, 1, 2]


class NotRun(Exception):
    """Why a check was not made."""


class Failed(Exception):
    """What was found instead."""


class Check:
    """What all checks share: programs, device, folders, the clock."""

    def __init__(self, args, work):
        self.args, self.work = args, work
        self.cuda = args.device.startswith("cuda")
        self.end = time.monotonic() + 60 * args.minutes
        self.program = args.programs / "driftscope"
        ours = {"LD_LIBRARY_PATH": os.environ["DRIFTSCOPE_LIBRARIES"], "DRIFTSCOPE_CACHE": str(work / "cache")}
        self.environment = os.environ | ours
        self.flags = self.driftscope("train", "--help").stdout
        self.machine = machine(self)

    def left(self):
        return self.end - time.monotonic()

    def run(self, command, environment=None):
        if self.left() < 5:
            raise NotRun("no time left")
        try:
            return subprocess.run([str(part) for part in command], env=environment or self.environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=self.left())
        except subprocess.TimeoutExpired:
            raise NotRun("no time left") from None

    def driftscope(self, *arguments):
        return self.run([self.program, *arguments])

    def need_gpu(self):
        if not self.cuda:
            raise NotRun("no GPU")

    def need_precision(self, precision):
        if precision != "f32" and "--precision" not in self.flags:
            raise NotRun("this build has no --precision")

    def data(self):
        """DTD where the bundle has it, else textures, few."""
        folder = self.args.bundle / "dtd"
        if folder.is_dir():
            return ["--data", folder]
        return ["--data", "textures", "--set", "data.train_per_class=20", "--set", "data.val_per_class=10"]

    def weights(self, model):
        if model not in MODELS:
            return ["--weights", "none"]
        file = self.args.bundle / "weights" / f"{MODELS[model]}.safetensors"
        missing = ["--allow-missing", "layer4.*", "--allow-missing", "fc.*"] if model == "resnet50" else []
        return ["--weights", file, *missing] if file.is_file() else ["--weights", "none"]

    def train(self, model, folder, *arguments):
        run = self.work / folder
        done = self.driftscope("train", "--model", model, *self.data(), *self.weights(model), "--run-dir", run,
                               "--device", self.args.device, *arguments)
        if done.returncode:
            raise Failed(last_line(done.stderr))
        return run


def last_line(text):
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]


def parity(check, stage):
    """Logits or gradients against PyTorch's own on the CPU, in exact float32."""
    environment = check.environment | {"DRIFTSCOPE_PARITY": str(check.args.programs / "parity"),
                                       "DRIFTSCOPE_DEVICE": check.args.device, "PYTHONDONTWRITEBYTECODE": "1"}
    weights = check.args.bundle / "weights"
    # The halved ResNet-50 is a model of its own, and both sides read it: nothing is lost by it.
    environment |= {"DRIFTSCOPE_WEIGHTS": str(weights)} if weights.is_dir() and check.cuda else {}
    done = check.run([sys.executable, SCRIPTS / "parity" / f"{stage}.py"], environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok", "FAIL"))]
    wrong = [line for line in lines if line.startswith("FAIL")]
    if done.returncode or not lines:
        raise Failed(wrong[0] if wrong else last_line(done.stderr))
    return f"{len(lines)} comparisons agree", "each to its tolerance"


def accuracy(check, model):
    """Validation accuracy of bf16 against float32, three seeds."""
    check.need_gpu()
    check.need_precision("bf16")
    best = {}
    for precision in ["f32", "bf16"]:
        for seed in SEEDS:
            run = check.train(model, f"{model}-{precision}-{seed}", "--precision", precision, "--seed", seed,
                              "--epochs", 4, "--set", "explainers=[]")
            best[precision, seed] = 100 * last_epoch(run)["val_accuracy"]
    differences = [best["bf16", seed] - best["f32", seed] for seed in SEEDS]
    mean, error = statistics.mean(differences), statistics.stdev(differences) / math.sqrt(len(SEEDS))
    found = f"{mean:+.2f} points, standard error {error:.2f}"
    if abs(mean) > 1.5 or (abs(mean) > 2 * error and abs(mean) > 0):
        raise Failed(found)
    return found, "within 2 standard errors and 1.5 points"


def last_epoch(run):
    metrics = json.loads(sorted(run.glob("epoch-*/metrics.json"))[-1].read_text())
    return metrics["training"]


def digests(run):
    """SHA-256 of everything that the last epoch's training and explaining made; times are in the rest."""
    epoch = sorted(run.glob("epoch-*"))[-1]
    files = sorted(path for path in epoch.rglob("*.safetensors"))
    return {str(path.relative_to(epoch)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def resume(check, model):
    """A run that was stopped after its first epoch and resumed, against one that was not."""
    epochs = ["--epochs", 2, "--seed", 3, "--set", "panel.per_class=1"]
    whole = digests(check.train(model, f"{model}-whole", *epochs))
    run = check.work / f"{model}-stopped"
    command = [check.program, "train", "--model", model, *check.data(), *check.weights(model), "--run-dir", run,
               "--device", check.args.device, *epochs]
    process = subprocess.Popen([str(part) for part in command], env=check.environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    while process.poll() is None and check.left() > 5 and not (run / "epoch-0001" / "manifest.json").exists():
        time.sleep(0.05)
    process.kill()
    process.wait()
    if not (run / "epoch-0001").exists():
        raise NotRun("no time left")
    done = check.driftscope("train", "--resume", run, "--device", check.args.device)
    if done.returncode:
        raise Failed(last_line(done.stderr))
    found = digests(run)
    different = [name for name in whole if found.get(name) != whole[name]]
    if different:
        raise Failed(f"{len(different)} of {len(whole)} files differ: {', '.join(different)[:80]}")
    return f"{len(whole)} files equal", "byte for byte"


def out_of_memory(check):
    """A batch that no card holds: one line, no panic."""
    check.need_gpu()
    done = check.driftscope("bench", "--model", "resnet50", "--batch-size", 2000, "--device", check.args.device,
                            "--seconds", 0)
    line = last_line(done.stderr)
    wanted = ["out of memory: tried to allocate", "--batch-size 1000 may fit"]
    if done.returncode != 1 or "panicked" in done.stderr or not all(part in line for part in wanted):
        raise Failed(f"exit code {done.returncode}: {line}")
    return line[:120], "one line and exit code 1"


def step(check, model, batch, precision, variants):
    """A training step beside PyTorch's ways; at least as fast as its best eager one."""
    if check.cuda:
        check.need_precision(precision)
    # A process starts in seconds, so one round each; a block of steps is long enough to be steady on a GPU.
    rounds, steps = (1, 30) if check.cuda else (1, 2)
    script = SCRIPTS / "bench" / "step.py"
    done = check.run([sys.executable, script, model, batch, steps, "--rounds", rounds, "--device", check.args.device,
                      "--precision", precision, "--variants", ",".join(variants), "--binary",
                      check.args.programs / "step", "--json"])
    if done.returncode:
        raise Failed(last_line(done.stderr))
    result = json.loads(done.stdout)["precisions"][0]
    check.details[f"step {model} {batch} {precision}"] = result
    sides = result["sides"]
    if "driftscope" not in sides:
        raise NotRun(result["failed"].get("driftscope", "our step did not run")[:80])
    eager = [sides[name]["step"] for name in variants if name in sides and name in ("nchw", "channels_last")]
    if not eager:
        raise NotRun("PyTorch's step did not run")
    ours, best = sides["driftscope"]["step"], min(eager)
    found = f"{1000 * ours:.1f} ms; PyTorch " + ", ".join(
        f"{name} {1000 * side['step']:.1f}" for name, side in sides.items() if name != "driftscope")
    if not check.cuda:
        return found, "no bar on a CPU here"
    if ours > best:
        raise Failed(found)
    return found, "at most PyTorch's best eager time"


def epoch(check, model):
    """A whole epoch (decode, train, validate, explain, seal) beside PyTorch's DataLoader loop for training alone."""
    check.need_gpu()
    check.need_precision("bf16")
    if not (check.args.bundle / "dtd").is_dir():
        raise NotRun("no images in the bundle")
    run = check.train(model, f"{model}-epoch", "--precision", "bf16", "--epochs", 3, "--batch-size", 128)
    images = len(list((check.args.bundle / "dtd" / "train").rglob("*.jpg")))
    ours = images / last_epoch(run)["seconds"]
    done = check.run([sys.executable, __file__, "--loop", model, "--bundle", check.args.bundle, "--device",
                      check.args.device])
    if done.returncode:
        raise NotRun(f"PyTorch's loop: {last_line(done.stderr)}")
    theirs = images / float(done.stdout.split()[-1])
    found = f"{ours:.0f} images/s; PyTorch's loop {theirs:.0f}"
    if ours < 2 * theirs:
        raise Failed(found)
    return found, "2 times PyTorch's loop for training alone"


def loop(args):
    """PyTorch's loop over the bundle's images in its best eager setting; prints the seconds of the third epoch."""
    import torch
    import torchvision
    from torchvision.transforms import v2

    sys.path.insert(0, str(SCRIPTS / "parity"))
    from models import build

    prepare = v2.Compose([v2.PILToTensor(), v2.RandomResizedCrop(224, scale=(0.35, 1.0)), v2.RandomHorizontalFlip(),
                          v2.ToDtype(torch.float32, scale=True),
                          v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    images = torchvision.datasets.ImageFolder(args.bundle / "dtd" / "train", prepare)
    loader = torch.utils.data.DataLoader(images, 128, shuffle=True, num_workers=len(os.sched_getaffinity(0)),
                                         pin_memory=True, persistent_workers=True)
    model = build(args.loop, len(images.classes)).train().to(args.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)
    for _ in range(3):
        start = time.perf_counter()
        for pixels, labels in loader:
            pixels = pixels.to(args.device, non_blocking=True, memory_format=torch.channels_last)
            with torch.autocast("cuda", torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(model(pixels), labels.to(args.device, non_blocking=True))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    print(seconds)


def checks(check):
    """Every row: its group, its name, and what makes it."""
    models = MODELS if check.cuda else ["deit_mini", "resnet_mini"]
    rows = [("parity", f"{stage}, TF32 off", lambda stage=stage: parity(check, stage)) for stage in ["logits", "gradients"]]
    rows += [("resume", f"killed and resumed, {model}", lambda model=model: resume(check, model)) for model in models]
    rows += [("memory", "out of memory, batch 2000", lambda: out_of_memory(check))]
    # A ViT does not mind the layout; of ResNet-50 in bf16 channels_last is the faster one on every GPU that was tried.
    layouts = {"deit_tiny": ["nchw"], "resnet50": ["nchw", "channels_last"]}
    eager = lambda model, precision: layouts[model][-1:] if precision == "bf16" else layouts[model]
    row = lambda group, model, batch, precision, variants: (
        group, f"step {model}, batch {batch}, {precision}" + (", compiled" if group == "compile" else ""),
        lambda: step(check, model, batch, precision, variants))
    if not check.cuda:
        rows += [row("step", model, 4, "f32", ["nchw", "channels_last"]) for model in models]
    rows += [row("step", model, batch, "bf16", [*eager(model, "bf16"), "graph"])
             for batch in [256, 32] for model in MODELS if check.cuda]
    rows += [("epoch", f"epoch {model}, bf16", lambda model=model: epoch(check, model)) for model in MODELS]
    rows += [("accuracy", f"bf16 accuracy, {model}", lambda model=model: accuracy(check, model)) for model in MODELS]
    rows += [row("step", model, 256, precision, eager(model, precision))
             for precision in ["tf32", "f32"] for model in MODELS if check.cuda]
    # Compiling takes half a minute a model, so it comes last, where time is left.
    rows += [row("compile", model, batch, "bf16", [*eager(model, "bf16"), "compile", "reduce-overhead"])
             for batch in [32, 256] for model in MODELS if check.cuda]
    return rows


def machine(check):
    sys.path.insert(0, str(SCRIPTS / "bench"))
    from step import machine as found

    version = check.driftscope("--version").stdout.strip()
    torch = check.run([sys.executable, "-c", "import torch; print(torch.__version__)"], dict(os.environ)).stdout.strip()
    commit = check.args.bundle / "commit"
    return found(check.args.device) | {"driftscope": version, "torch": torch,
                                       "commit": commit.read_text().strip() if commit.is_file() else None}


def main():
    parser = argparse.ArgumentParser(prog="check.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--programs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--loop", help=argparse.SUPPRESS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=7.5, help="after these, what is left is not run")
    parser.add_argument("--json", type=Path, help="where to write the rows as JSON")
    parser.add_argument("--only", type=lambda text: text.split(","),
                        help="groups: parity, resume, memory, step, epoch, accuracy, compile")
    args = parser.parse_args()
    if args.loop:
        return loop(args)
    with tempfile.TemporaryDirectory(prefix="driftscope-check-") as work:
        check = Check(args, Path(work))
        check.details = {}
        rows = []
        for group, name, make in checks(check):
            if args.only and group not in args.only:
                continue
            begun = time.monotonic()
            try:
                found, bar = make()
                verdict = "ok"
            except NotRun as reason:
                verdict, found, bar = "not run", str(reason), ""
            except Failed as what:
                verdict, found, bar = "FAIL", str(what), ""
            rows.append({"check": name, "verdict": verdict, "found": found, "bar": bar,
                         "seconds": round(time.monotonic() - begun, 1)})
            print(f"{verdict:8}{name:44}{found}" + (f" ({bar})" if bar else ""), flush=True)
        counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in ["ok", "FAIL", "not run"]}
        print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
        if args.json:
            answer = {"machine": check.machine, "rows": rows, "details": check.details, "counts": counts}
            args.json.write_text(json.dumps(answer, indent=1) + "\n")
        # A table without a single check that was made has checked nothing.
        sys.exit(1 if counts["FAIL"] or not counts["ok"] else 0)


if __name__ == "__main__":
    main()
