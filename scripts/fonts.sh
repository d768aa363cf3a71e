#!/usr/bin/env bash
# Makes the fonts of src/draw/fonts again: DejaVu Sans 2.37, cut down to what figures and plots write. The outlines are
# DejaVu's own; hinting is dropped, which antialiased text at this size does not use. Equal input gives equal bytes.
#
# usage: scripts/fonts.sh [DIRECTORY of DejaVuSans.ttf and DejaVuSans-Bold.ttf]     needs: pip install fonttools==4.68.0
set -euo pipefail
from=${1:-/usr/share/fonts/truetype/dejavu}
to=$(dirname "$0")/../src/draw/fonts
sha256sum --check --quiet <<SUMS
abdc775b21b1bc470d50c97e790d276f2054b7504e56e5bd3e64f48d68582322  $from/DejaVuSans.ttf
0d977336a6d5fba34eab8e3199eb218327161b5143749f802982c2bc34df0c96  $from/DejaVuSans-Bold.ttf
SUMS

# Latin-1 and Latin Extended-A, Greek, dashes and quotes, superscripts for powers of ten, arrows and signs of arithmetic.
letters=U+0020-007E,U+00A0-017F,U+0391-03A9,U+03B1-03C9
signs=U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2070,U+2074-207B,U+2190-2193,U+2202,U+2206,U+2211,U+2212
signs=$signs,U+221A,U+221E,U+2248,U+2260,U+2264,U+2265
for name in DejaVuSans DejaVuSans-Bold; do
    pyftsubset "$from/$name.ttf" --unicodes="$letters,$signs" --output-file="$to/$name.ttf" \
        --no-hinting --desubroutinize --notdef-outline --legacy-kern --layout-features= --drop-tables+=GPOS,GSUB,GDEF,FFTM,MATH,gasp
done
