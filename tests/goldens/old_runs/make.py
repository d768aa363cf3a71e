"""Pictures for the old runs, and what was done to the runs afterwards; README.md has the commands."""

import gzip
import hashlib
import json
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

CLASSES = ["checks", "columns", "rows"]
WIDTH, HEIGHT = 40, 32


def picture(label, number):
    """An uncompressed 24-bit BMP, bottom row first, blue first; `old_runs.rs` writes the same bytes."""
    period = 4 + number
    pixels = bytearray()
    for y in reversed(range(HEIGHT)):
        for x in range(WIDTH):
            row, column = y // period % 2, x // period % 2
            light = [row ^ column, column, row][label] * 150 + 20
            pixels += bytes([light, (light + 5 * number) % 256, (light + x + y) % 256])
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels


def pictures(root):
    for split, numbers in (("train", range(0, 4)), ("val", range(4, 6)), ("test", range(6, 8))):
        for label, name in enumerate(CLASSES):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in numbers:
                (folder / f"{number}.bmp").write_bytes(picture(label, number))
    (root / "train/rows/broken.png").write_bytes(b"no picture\n")
    (root / "panel.txt").write_text("# one a class\nval/rows/5.bmp\nval/checks/4.bmp\nval/columns/4.bmp\n")


def round_weights(epoch):
    """Keeps sign and exponent of every number: each becomes the power of two below it, and files become small."""
    manifest = json.loads((epoch / "manifest.json").read_text())
    for name in ("model.safetensors", "optimizer.safetensors"):
        data = bytearray((epoch / name).read_bytes())
        start = 8 + struct.unpack("<Q", data[:8])[0]
        for at in range(start, len(data), 4):
            data[at], data[at + 1], data[at + 2] = 0, 0, data[at + 2] & 0x80
        (epoch / name).write_bytes(data)
        manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (epoch / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def figures(binary):
    said = lambda *command: json.loads(subprocess.run([binary, *command], check=True, capture_output=True).stdout)
    for run in ("textures", "stripes"):
        found = {"drift": said("drift", run, "--format", "json"), "eval": said("eval", run, "--format", "json", "--device", "cpu")}
        if run == "textures":
            training = json.loads(Path("resumed/epoch-0003/metrics.json").read_text())["training"]
            training.pop("seconds")
            digest = lambda name: hashlib.sha256(Path("resumed/epoch-0003", name).read_bytes()).hexdigest()
            names = ["model.safetensors", "explanations/grad-cam.safetensors", "explanations/rollout.safetensors"]
            found["resumed"] = {"training": training, "sha256_on_the_cpu_it_was_made_on": {name: digest(name) for name in names}}
        Path(f"{run}.json").write_text(json.dumps(found, separators=(",", ":"), sort_keys=True) + "\n")


def pack(run):
    """The same bytes from the same files."""
    plain = lambda about: (setattr(about, "mtime", 0), setattr(about, "uid", 0), setattr(about, "gid", 0),
                           setattr(about, "uname", ""), setattr(about, "gname", ""), about)[-1]
    with open(f"{run}.tar.gz", "wb") as out, gzip.GzipFile("", "wb", 9, out, 0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            archive.add(run, filter=plain)


def main():
    what, where = sys.argv[1:]
    {"pictures": lambda: pictures(Path(where)), "round": lambda: round_weights(Path(where)), "figures": lambda: figures(where),
     "pack": lambda: pack(where)}[what]()


if __name__ == "__main__":
    main()
