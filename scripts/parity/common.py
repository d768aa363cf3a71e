"""What every check needs: the Rust side as a command, safetensors in and out, and one line a measurement.

Used by the other files here, which `run.sh` runs with the versions of requirements.txt (torch 2.9.1, timm 1.0.22).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
torch.set_num_threads(int(os.environ.get("DRIFTSCOPE_THREADS", "2")))
failures = 0


def folder():
    """A temporary folder, gone at the end."""
    holder = tempfile.TemporaryDirectory(prefix="driftscope-parity-")
    folder.holders.append(holder)
    return Path(holder.name)


folder.holders = []


def optional(variable, what):
    """The folder that an environment variable names, or None after saying what is skipped."""
    value = os.environ.get(variable)
    if value:
        return Path(value)
    print(f"skipped  {what}: {variable} is not set")
    return None


def rust(*arguments):
    """Runs the example; its first argument is a subcommand, its last the file it writes."""
    binary = os.environ.get("DRIFTSCOPE_PARITY", ROOT / "target/debug/examples/parity")
    device = ["--device", os.environ.get("DRIFTSCOPE_DEVICE", "auto")]
    subprocess.run([str(binary), *map(str, arguments), *device], check=True)


def stage(command, model, tensors, inputs):
    """`logits`, `gradients` or `train` on the Rust side: named tensors in, named tensors out."""
    work = folder()
    save(tensors, work / "weights.safetensors")
    save(inputs, work / "inputs.safetensors")
    rust(command, model, work / "weights.safetensors", work / "inputs.safetensors", work / "out.safetensors")
    return load_file(work / "out.safetensors")


def save(tensors, path):
    """Numbers as float32; counters stay away, as the Rust side has none."""
    floats = {name: np.ascontiguousarray(np.asarray(value), np.float32) for name, value in tensors.items()
              if not name.endswith("num_batches_tracked")}
    save_file(floats, path)


def relative(found, reference):
    """Greatest difference over the greatest reference: the project's measure of agreement."""
    found, reference = np.asarray(found, np.float64), np.asarray(reference, np.float64)
    assert found.shape == reference.shape, f"{found.shape} instead of {reference.shape}"
    if not np.isfinite(found).all():
        return float("inf")
    return np.abs(found - reference).max() / np.abs(reference).max()


def check(what, measured, tolerance, note=""):
    """One line, and a mark for `finish`."""
    global failures
    good = measured <= tolerance  # not a number is no agreement
    failures += not good
    verdict = "ok  " if good else "FAIL"
    print(f"{verdict}  {what}: {measured:.3g} (at most {tolerance:.3g}) {note}".rstrip(), flush=True)


def finish():
    """The end of every check."""
    sys.exit(1 if failures else 0)
