#!/usr/bin/env bash
# Everything a fresh checkout needs before `cargo build|run|test` work, and nothing twice:
#
#   scripts/setup.sh           finds libtorch ($LIBTORCH) or installs it from the PyPI wheel, links it as .libtorch
#   scripts/setup.sh --check   says what would be used, changes nothing
#
# The installed libtorch lies in a cache shared between checkouts (${XDG_CACHE_HOME:-~/.cache}/driftscope, or
# $DRIFTSCOPE_CACHE). With an NVIDIA GPU it is the whole of CUDA (about 7 GB), otherwise the CPU pieces (430 MB).
# DRIFTSCOPE_LIBTORCH=cpu|cuda overrides the detection. A second run, or one after an interruption, picks up cleanly:
# a version appears in the cache by rename only, complete or not at all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/packages.sh

torch_version=2.9.1
cuda_pieces_version=12.8.90 # what torch 2.9.1's own wheel metadata pins for cupti and cudart
cache=${DRIFTSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/driftscope}
check_only=false
[ "${1:-}" = --check ] && check_only=true

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- System packages: installed where we may, named where we may not. ------------------------------------------------
missing=()
command -v c++ >/dev/null || missing+=(g++)
command -v python3 >/dev/null || missing+=(python3)
command -v flock >/dev/null || missing+=(util-linux)
if command -v python3 >/dev/null; then python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
else missing+=(python3-pip); fi
if [ ${#missing[@]} -gt 0 ]; then
    if $check_only; then say "would install: ${missing[*]}"
    elif can_install; then
        say "installing ${missing[*]} with apt-get"
        install_packages "${missing[@]}"
    else
        die "please install these packages, then run this again: ${missing[*]}"
    fi
fi
command -v cargo >/dev/null || die "cargo was not found: install Rust 1.95 or newer from https://rustup.rs, then run this again"

# --- Which libtorch. -------------------------------------------------------------------------------------------------
flavour=${DRIFTSCOPE_LIBTORCH:-}
if [ -z "$flavour" ]; then
    if command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; then flavour=cuda; else flavour=cpu; fi
fi
case "$flavour" in cpu|cuda) ;; *) die "DRIFTSCOPE_LIBTORCH is '$flavour'; expected cpu or cuda" ;; esac

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=manylinux_2_28_x86_64 ;;
    *) platform= ;;
esac

link=.libtorch
own_link=$(readlink -f "$link" 2>/dev/null || true)
if [ -n "${LIBTORCH:-}" ] && [ "$(readlink -f "$LIBTORCH")" != "$own_link" ]; then
    target=$(readlink -f "$LIBTORCH") || die "LIBTORCH=$LIBTORCH does not exist"
    origin="\$LIBTORCH"
elif [ -n "${LIBTORCH:-}" ]; then
    target=$own_link
    origin="\$LIBTORCH"
else
    [ -n "$platform" ] || die "no libtorch wheel is known for $(uname -sm): set LIBTORCH to an installed libtorch $torch_version, or build without it (cargo build --no-default-features)"
    target=$cache/libtorch-$torch_version-$flavour/torch
    origin="PyPI wheel torch==$torch_version, $flavour"
fi
if $check_only; then
    say "libtorch: $target ($origin)$([ -e "$target/lib/libtorch_cpu.so" ] || echo ', not there yet')"
    exit 0
fi

# --- Install it, once a machine. -------------------------------------------------------------------------------------
download() { # download DIR REQUIREMENT... : wheels for CPython 3.11, whichever Python runs pip (we never import them)
    local into=$1; shift
    python3 -m pip download --quiet --disable-pip-version-check --only-binary=:all: --dest "$into" \
        --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
        --platform "$platform" --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_25_x86_64 "$@" >&2
}

install_libtorch() {
    local final=$cache/libtorch-$torch_version-$flavour
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -n 9 || { say "another checkout is installing libtorch; waiting for it"; flock 9; }
    [ -e "$final/torch/lib/libtorch_cpu.so" ] && return 0
    rm -rf "$cache"/*.partial # left by an interrupted run; nobody else is here, we hold the lock
    local partial=$final.partial
    mkdir -p "$partial/wheels"
    if [ "$flavour" = cuda ]; then
        say "downloading torch $torch_version with CUDA from PyPI (about 3 GB)"
        download "$partial/wheels" "torch==$torch_version"
    else
        say "downloading torch $torch_version from PyPI (about 900 MB, of which 430 MB are kept)"
        download "$partial/wheels" --no-deps "torch==$torch_version" \
            "nvidia-cuda-cupti-cu12==$cuda_pieces_version" "nvidia-cuda-runtime-cu12==$cuda_pieces_version"
    fi
    say "unpacking"
    python3 - "$partial" "$flavour" <<'PY'
import pathlib, sys, zipfile
root, flavour = pathlib.Path(sys.argv[1]), sys.argv[2]
# libtorch.so is for the linker; the CPU half of a CUDA wheel still names cupti and cudart as needed libraries.
cpu_libraries = {"libtorch.so", "libtorch_cpu.so", "libc10.so", "libgomp.so.1"}
beside = {"libcupti.so.12", "libcudart.so.12"}
for wheel in sorted((root / "wheels").glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            base = name.rsplit("/", 1)[-1]
            if flavour == "cuda":
                if name.startswith(("torch/include/", "torch/lib/")) or (name.startswith("nvidia/") and "/lib/" in name):
                    archive.extract(name, root)
            elif name.startswith("torch/include/") or (name.startswith("torch/lib/") and base in cpu_libraries):
                archive.extract(name, root)
            elif base in beside:
                path = root / "torch" / "lib" / base
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    wheel.unlink()
PY
    rm -rf "$partial/wheels" "$final"
    mv "$partial" "$final"
}

[ "$origin" = "\$LIBTORCH" ] || [ -e "$target/lib/libtorch_cpu.so" ] || install_libtorch
for needed in lib/libtorch_cpu.so lib/libc10.so include/ATen/ATen.h; do
    [ -e "$target/$needed" ] || die "$target is not a whole libtorch: $needed is missing"
done

# --- Link it, and forget what was built against another one. ---------------------------------------------------------
identity="$target $(stat -Lc %s "$target/lib/libtorch_cpu.so") $([ -e "$target/lib/libtorch_cuda.so" ] && echo cuda || echo cpu)"
if [ "$own_link" != "$target" ]; then ln -sfn "$target" "$link"; fi
mkdir -p target
if [ "$(cat target/.libtorch-identity 2>/dev/null || true)" != "$identity" ]; then
    if [ -e target/.libtorch-identity ]; then
        # Cargo sees the same path, .libtorch, so it cannot notice that another library lies behind it.
        say "libtorch changed: the crates that link it will be rebuilt"
        for package in torch-sys tch burn-tch driftscope; do cargo clean --quiet -p "$package" 2>/dev/null || true; done
    fi
    printf '%s\n' "$identity" >target/.libtorch-identity
fi
say "libtorch: $target ($origin)"
