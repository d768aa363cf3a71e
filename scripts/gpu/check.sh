#!/usr/bin/env bash
# Checks driftscope on a machine that has an NVIDIA GPU and PyTorch, but no Rust, from a bundle of bundle.sh:
#
#   scripts/gpu/check.sh [BUNDLE] [--device cuda] [--minutes 8] [--json FILE] [--only parity,resume,…]
#
# Prints one table, writes the same as JSON, and exits with 1 if a check failed or none was made, else with 0. What cannot be run here (no
# GPU, no such precision in this build, no time left) is a row that says so. With --device cpu the same table is made
# with the checks that need no GPU. BUNDLE is by default the folder that this script lies in, two above.
#
#   DRIFTSCOPE_PYTHON    the Python that has PyTorch, timm and torchvision [default: python3]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bundle=$here/../..
if [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; then bundle=$1; shift; fi
[ -f "$bundle/programs.tar.xz" ] || { echo "check: no programs.tar.xz in $bundle; scripts/gpu/bundle.sh makes a bundle" >&2; exit 2; }
python=${DRIFTSCOPE_PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" - "$bundle/programs.tar.xz" "$work" <<'PYTHON'
import sys, tarfile
tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")
PYTHON
# The programs take libtorch from where Python has it, and what it needs from NVIDIA's wheels beside it.
libraries=$("$python" - <<'PYTHON'
import importlib.util, pathlib
torch = pathlib.Path(importlib.util.find_spec("torch").origin).parent
print(":".join(map(str, [torch / "lib", *sorted(torch.parent.glob("nvidia/*/lib"))])))
PYTHON
)
DRIFTSCOPE_LIBRARIES=$libraries "$python" "$here/check.py" --bundle "$bundle" --programs "$work/bin" "$@"
