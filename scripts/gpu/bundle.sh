#!/usr/bin/env bash
# Packs what a machine with an NVIDIA GPU and PyTorch, but without Rust, needs to check driftscope: see check.sh.
#
#   scripts/gpu/bundle.sh [FOLDER]     default: target/gpu-bundle; what lies there is replaced
#
#   DRIFTSCOPE_PROGRAMS  folder of the built driftscope, and of examples/step and examples/parity [default: target/debug]
#   DRIFTSCOPE_DTD       DTD's folder: split 1's training and validation images of the first ten classes, at most 30 of each,
#                        at 256 pixels
#   DRIFTSCOPE_WEIGHTS   folder of deit_tiny_patch16_224.safetensors and resnet50_stem_to_layer3.safetensors; the latter
#                        is packed in half precision
#   DRIFTSCOPE_PYTHON    a Python with torch, safetensors and Pillow [default: python3]
#
# The programs must have been built against the torch of that machine, 2.11.0 say, and against its CUDA wheel: one that
# was linked without libtorch_cuda never sees a GPU. In a second clone, so that nothing here is built anew:
#
#   git clone . ../driftscope-cuda && cp -r target ../driftscope-cuda/ && cd ../driftscope-cuda
#   python3 -m pip download --no-deps torch==2.11.0 --dest wheel
#   python3 -m zipfile -e wheel/torch-*.whl libtorch     # only torch/include and torch/lib are needed
#   export LIBTORCH=$PWD/libtorch/torch LIBTORCH_BYPASS_VERSION_CHECK=1
#   scripts/setup.sh && cargo build --bins --example step --example parity
#
# What was packed must stay under 60 MiB, or the script fails.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-target/gpu-bundle}
[ $# -eq 0 ] || case "$out" in /*) ;; *) out=$here/$out ;; esac
programs=${DRIFTSCOPE_PROGRAMS:-target/debug}
python=${DRIFTSCOPE_PYTHON:-python3}
most=$((60 << 20))

say() { printf 'bundle: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

for tool in strip xz tar; do command -v "$tool" >/dev/null || die "$tool was not found"; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/bundle"
for program in driftscope examples/step examples/parity; do
    [ -x "$programs/$program" ] || die "$programs/$program was not found: cargo build --bins --example step --example parity"
    strip --output-target=elf64-x86-64 -o "$work/bin/$(basename "$program")" "$programs/$program"
done
if ! readelf -d "$work/bin/driftscope" | grep -q 'NEEDED.*libtorch_cuda'; then
    say "these programs were linked without libtorch_cuda and will not see a GPU"
fi
# One archive: the programs have most of their code in common.
tar -C "$work" -cf - bin | xz -6 --lzma2=preset=6,dict=96MiB >"$work/bundle/programs.tar.xz"

# What Python does here: images to 256 pixels, weights to half precision.
"$python" - "$work/bundle" "${DRIFTSCOPE_DTD:-}" "${DRIFTSCOPE_WEIGHTS:-}" <<'PYTHON'
import sys
from pathlib import Path

bundle, dtd, weights = map(Path, sys.argv[1:])
if sys.argv[2]:
    from PIL import Image

    for split in ["train", "val"]:
        names = (dtd / "labels" / f"{split}1.txt").read_text().split()
        classes = sorted({name.split("/")[0] for name in names})[:10]
        of_class = {label: [name for name in names if name.split("/")[0] == label][:30] for label in classes}
        for name in sum(of_class.values(), []):
            image = Image.open(dtd / "images" / name).convert("RGB")
            scale = 256 / min(image.size)
            image = image.resize([max(256, round(side * scale)) for side in image.size], Image.Resampling.BICUBIC)
            to = bundle / "dtd" / split / name
            to.parent.mkdir(parents=True, exist_ok=True)
            image.save(to, quality=75)
if sys.argv[3]:
    from safetensors.torch import load_file, save_file

    (bundle / "weights").mkdir()
    whole, partial = "deit_tiny_patch16_224.safetensors", "resnet50_stem_to_layer3.safetensors"
    (bundle / "weights" / whole).write_bytes((weights / whole).read_bytes())
    halved = {name: value.half() if value.is_floating_point() else value for name, value in load_file(weights / partial).items()}
    save_file(halved, bundle / "weights" / partial, metadata={"format": "pt"})
PYTHON
[ -n "${DRIFTSCOPE_DTD:-}" ] || say "DRIFTSCOPE_DTD is not set: check.sh will train on textures"
[ -n "${DRIFTSCOPE_WEIGHTS:-}" ] || say "DRIFTSCOPE_WEIGHTS is not set: check.sh will train from drawn weights"

# The scripts that check.sh runs, so that the bundle is enough.
mkdir -p "$work/bundle/scripts"
cp -r scripts/gpu scripts/bench scripts/parity "$work/bundle/scripts/"
git rev-parse HEAD >"$work/bundle/commit" 2>/dev/null || echo unknown >"$work/bundle/commit"
size=$(du -sb "$work/bundle" | cut -f1)
[ "$size" -lt "$most" ] || die "the bundle would have $((size >> 20)) MiB; at most $((most >> 20))"
# Only what this script once made is replaced.
[ ! -e "$out" ] || [ -f "$out/programs.tar.xz" ] || die "$out is there and is no bundle"
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$work/bundle" "$out"
printf '%s (%s MiB)\n' "$out" "$((size >> 20))"
