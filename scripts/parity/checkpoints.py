"""Writes tests/goldens/checkpoints: small files as torch.save leaves them, in every way that people save weights.

usage: checkpoints.py      torch 2.9.1, numpy 2.4.6

`tests/suite/weight_files.rs` knows what is in them: number i of a tensor is i / 8 − 1, which every precision holds exactly.
"""

import argparse
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from common import ROOT

OUT = ROOT / "tests/goldens/checkpoints"


def eighths(*shape, kind=torch.float32):
    count = int(np.prod(shape))
    return (torch.arange(count, dtype=torch.float32) / 8 - 1).reshape(shape).to(kind)


def plain(kind=torch.float32):
    return OrderedDict([("a.weight", eighths(2, 3, kind=kind)), ("a.bias", eighths(2, kind=kind))])


class Tiny(nn.Module):
    """A whole module, pickled with the name of its class."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 2)
        self.a.load_state_dict({"weight": eighths(2, 3), "bias": eighths(2)})
        self.n = nn.BatchNorm1d(2)


class Malicious:
    """What a pickle can do to whoever unpickles it."""

    def __reduce__(self):
        import os
        return os.system, ("touch driftscope-was-here",)


def main():
    OUT.mkdir(exist_ok=True)
    counter = {"n.num_batches_tracked": torch.tensor(7)}
    torch.save(plain() | counter, OUT / "plain.pth")
    torch.save(plain() | counter, OUT / "legacy.pth", _use_new_zipfile_serialization=False)
    beside = {"epoch": 3, "args": argparse.Namespace(lr=0.1, name="x"), "best": np.float64(0.5),
              "optimizer": {"state": {0: {"step": torch.tensor(1.0), "exp_avg": eighths(3)}}, "param_groups": [{"lr": 0.1}]}}
    torch.save({"model": plain(), **beside}, OUT / "nested_model.pth")
    torch.save({"state_dict": plain(), **beside}, OUT / "nested_state_dict.pth")
    torch.save(Tiny(), OUT / "module.pth")
    torch.save(plain(torch.float16) | {"tenth": torch.tensor([0.1], dtype=torch.float16)}, OUT / "half.pth")
    torch.save(plain(torch.bfloat16) | {"tenth": torch.tensor([0.1], dtype=torch.bfloat16)}, OUT / "bfloat16.pth")
    torch.save(plain(torch.float64) | {"tenth": torch.tensor([0.1], dtype=torch.float64)}, OUT / "double.pth")
    base = eighths(4, 6)
    torch.save({"whole": base, "rows": base[1:3], "same": base.view(24), "corner": base[2:, 4:]}, OUT / "shared.pth")
    torch.save({"transposed": eighths(2, 3).t(), "stepped": eighths(8)[1::3], "channels_last":
                eighths(1, 2, 2, 2).to(memory_format=torch.channels_last), "expanded": eighths(1, 2).expand(3, 2)},
               OUT / "strided.pth")
    torch.save({"scalar": torch.tensor(0.5), "empty": torch.zeros(0, 3), "parameter": nn.Parameter(eighths(2))},
               OUT / "odd_shapes.pth")
    torch.save({"a.weight": eighths(2, 3), "run": Malicious()}, OUT / "malicious.pth")
    (OUT / "malicious_pickle.pth").write_bytes(pickle.dumps(Malicious(), protocol=2))
    with zipfile.ZipFile(OUT / "plain.pth") as archive:
        assert any(name.endswith("data.pkl") for name in archive.namelist())
    total = sum(path.stat().st_size for path in OUT.iterdir())
    print(f"checkpoints  {len(list(OUT.iterdir()))} files, {total} bytes")


if __name__ == "__main__":
    main()
