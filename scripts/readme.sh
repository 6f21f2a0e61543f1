#!/usr/bin/env bash
# Copies the first table and figure of results/reference into README.md, so that no number there is typed.
# With --check, says whether README.md is what the copy gives.
set -euo pipefail
cd "$(dirname "$0")/.."

table=$(ls results/reference/tables/T3-llama*.md | head -n 1)
figure=results/reference/figures/F2-corrected.png
[ -e "$table" ] && [ -e "$figure" ] || { echo "results/reference lacks Table 3 or Figure 2; run make reproduce and copy its folder there" >&2; exit 1; }

block() {
  # The caption, the head of the table, and the states that the paper has too.
  awk 'NR == 3 { print; print "" } /^\| (Context|--)/ { print } /^\|/ && / (cold|warm exact, dropped|warm exact, resident|hot extend) / { print }' "$table"
  printf '\n<sup>a</sup> cold is what the speed-up is measured against. All states, budgets and figures: [report](results/reference/report.md).\n'
}
new=$(awk -v table="$(block)" -v figure="![Time to first token against context]($figure)" '
  /<!-- end (table|figure) -->/ { skip = 0 }
  !skip
  /<!-- begin table -->/ { print table; skip = 1 }
  /<!-- begin figure -->/ { print figure; skip = 1 }' README.md)

if [ "${1:-}" = --check ]; then
  [ "$new" = "$(cat README.md)" ] || { echo "README.md is not what scripts/readme.sh makes of results/reference; run it" >&2; exit 1; }
else
  printf '%s\n' "$new" > README.md
fi
