#!/usr/bin/env bash
# Checks the scripts and styles of the report's page: format and lints by Biome, types by TypeScript, from the types that
# JSDoc comments and types.d.ts give. Both are installed in the cache folder, at the versions named here.
#
# usage: scripts/check-page.sh [--write]     --write mends the format, and those lints that can be mended safely
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../src/report/html"
. ../../../scripts/packages.sh
biome=2.6.8 typescript=5.9.3

if ! command -v npm >/dev/null; then
    if can_install; then
        echo "installing npm with apt-get" >&2
        install_packages npm
    else
        echo "please install npm (Node.js 18 or later), which brings the tools that check the page, then run this again" >&2
        exit 1
    fi
fi

tools=${DRIFTSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/driftscope}/page-tools/biome-$biome-typescript-$typescript
if [ ! -e "$tools/complete" ]; then
    rm -rf "$tools"
    mkdir -p "$tools"
    npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$tools" \
        "@biomejs/biome@$biome" "typescript@$typescript"
    touch "$tools/complete"
fi
bin=$tools/node_modules/.bin

if [ "${1:-}" = --write ]; then "$bin/biome" check --write --error-on-warnings .; else "$bin/biome" ci --error-on-warnings .; fi
"$bin/tsc" --project .

# The page runs its files as one script, in the order in which page.rs names them: what none of them uses is dead.
joined=$(mktemp -d)
trap 'rm -rf "$joined"' EXIT
grep -o '"[a-z]*\.js"' page.rs | tr -d '"' | xargs cat > "$joined/page.js"
cd "$joined"
"$bin/biome" lint --error-on-warnings --only=correctness/noUnusedVariables page.js
