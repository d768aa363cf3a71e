#!/usr/bin/env bash
# Checks the report's page, and the script that tests it: format and lints by Biome, types by TypeScript, from the types
# that JSDoc comments and *.d.ts files give. Both are installed in the cache folder, at the versions named here.
#
# usage: scripts/check-page.sh [--write]     --write mends the format, and those lints that can be mended safely
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/packages.sh
page=$PWD/src/report/html probe=$PWD/tests/suite/report
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

check=(ci)
[ "${1:-}" = --write ] && check=(check --write)
for folder in "$page" "$probe"; do
    (cd "$folder" && "$bin/biome" "${check[@]}" --error-on-warnings .)
    "$bin/tsc" --project "$folder"
done

# The page runs its files as one script, in the order in which page.rs names them: what none of them uses is dead.
joined=$(mktemp -d)
trap 'rm -rf "$joined"' EXIT
(cd "$page" && grep -o '"[a-z]*\.js"' page.rs | tr -d '"' | xargs cat > "$joined/page.js")
# The HTML is checked as a person gets it, with data in its place. Headings and the address of a link are empty in the
# file, because scripts fill them. A table that scrolls must be reachable by the keyboard, and has a role and a name.
sed 's#/\*DATA\*/#{}#' "$page/page.html" > "$joined/page.html"
cd "$joined"
"$bin/biome" lint --error-on-warnings --only=correctness/noUnusedVariables page.js
"$bin/biome" lint --error-on-warnings --skip=a11y/useHeadingContent --skip=a11y/useValidAnchor \
    --skip=a11y/noNoninteractiveTabindex --skip=a11y/useSemanticElements page.html
