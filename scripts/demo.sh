#!/usr/bin/env bash
# The whole of driftscope in one command: sets up, builds, trains both minis on the embedded textures, explains them at
# every epoch, and writes a report that opens from disk. Nothing but packages is downloaded.
#
#   scripts/demo.sh [FOLDER]     default: checkpoints/demo; a finished run is kept, an interrupted one goes on
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-checkpoints/demo}
[ $# -eq 0 ] || case "$folder" in /*) ;; *) folder=$here/$folder ;; esac
scripts/setup.sh
cargo build

for model in resnet_mini deit_mini; do
    run=$folder/$model
    if [ -e "$run/run.json" ]; then
        cargo run --quiet -- train --resume "$run" >/dev/null
    else
        cargo run --quiet -- train --config "configs/textures_$model.toml" --run-dir "$run" >/dev/null
    fi
done

# When the evidence settled and what moved most, in words.
for model in resnet_mini deit_mini; do
    cargo run --quiet -- drift "$folder/$model"
done
report=$(cargo run --quiet -- report "$folder/resnet_mini" "$folder/deit_mini" --out "$folder/report.html")
printf '\nThe report is in %s: open it in a browser.\n' "$report"
