#!/usr/bin/env bash
# Compares driftscope with PyTorch, timm, torchvision and Pillow themselves, one line a measurement:
#
#   scripts/parity/run.sh [CHECK…]     preprocess logits gradients adamw export; default: all of these
#   scripts/parity/run.sh explain     every explainer beside pytorch-grad-cam, Captum and torch-cam, 10 minutes
#   scripts/parity/run.sh foreign_checkpoints   checkpoints as every producer writes them; the producers are requirements-foreign.txt
#   scripts/parity/run.sh finetune    both models on DTD beside PyTorch, which takes most of an hour
#
# Nothing of this is needed to build, run or test driftscope. The Python side is $DRIFTSCOPE_PYTHON, or a virtual
# environment with requirements.txt that is made once in ${XDG_CACHE_HOME:-~/.cache}/driftscope (about 7 GB).
#
#   DRIFTSCOPE_DTD       DTD's folder: photographs are compared too
#   DRIFTSCOPE_WEIGHTS   folder of deit_tiny_patch16_224.safetensors and resnet50_stem_to_layer3.safetensors
#   DRIFTSCOPE_DEVICE    auto, cpu, cuda:N or flex
#   DRIFTSCOPE_THREADS   of PyTorch, default 2
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts/setup.sh >&2

python=${DRIFTSCOPE_PYTHON:-}
if [ -z "$python" ]; then
    wanted=$(cat scripts/parity/requirements.txt scripts/parity/requirements-explain.txt | sha256sum | cut -c1-12)
    venv=${DRIFTSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/driftscope}/parity-$wanted
    if [ ! -e "$venv/complete" ]; then
        python3 -m venv --clear "$venv"
        "$venv/bin/python" -m pip install --quiet --requirement scripts/parity/requirements.txt
        "$venv/bin/python" -m pip install --quiet --no-deps --requirement scripts/parity/requirements-explain.txt
        touch "$venv/complete"
    fi
    python=$venv/bin/python
fi

cargo build --quiet --bins --example parity
[ $# -gt 0 ] || set -- preprocess logits gradients adamw export
failed=()
for check in "$@"; do
    "$python" "scripts/parity/$check.py" || failed+=("$check")
done
[ ${#failed[@]} -eq 0 ] || { printf 'FAILED: %s\n' "${failed[*]}"; exit 1; }
