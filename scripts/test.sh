#!/usr/bin/env bash
# Sets up and checks everything, cheapest first: format, build, lints, tests, documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/packages.sh
scripts/setup.sh

step() { printf '\n== %s\n' "$*"; }

# A browser, which opens the report as a person would.
if [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
    if can_install; then
        echo "installing chromium with apt-get" >&2
        install_packages chromium
    else
        echo "please install chromium, or name a browser of its family in CHROMIUM, then run this again" >&2
        exit 1
    fi
fi

# What Python users have, for the test that reads a run's maps as they would.
packages=${DRIFTSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/driftscope}/python-packages
if [ ! -e "$packages/complete" ]; then
    rm -rf "$packages"
    python3 -m pip install --quiet --disable-pip-version-check --target "$packages" 'numpy>=2' 'safetensors>=0.4'
    touch "$packages/complete"
fi
export DRIFTSCOPE_PYTHON_PACKAGES=$packages

if cargo fmt --version >/dev/null 2>&1; then step format; cargo fmt --check; fi
step "scripts and styles of the report's page"
scripts/check-page.sh
step "tests (libtorch and flex)"
cargo test --all-targets
step "doctests"
cargo test --doc
if cargo clippy --version >/dev/null 2>&1; then step lints; cargo clippy --all-targets -- -D warnings; fi
step documentation
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet
step "build without libtorch"
# Another feature set in the same target folder: only what depends on libtorch is built again.
cargo check --no-default-features --quiet
step "all passed"
