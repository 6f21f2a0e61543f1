#!/usr/bin/env bash
# Copies the first table and figure of results/reference into README.md, and into documents the tables that they name
# between '<!-- begin results/reference/... -->' and '<!-- end -->', so that no number there is typed.
# With --check, says whether they are what the copy gives.
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

readme() {
  awk -v table="$(block)" -v figure="![Time to first token against context]($figure)" '
    /<!-- end (table|figure) -->/ { skip = 0 }
    !skip
    /<!-- begin table -->/ { print table; skip = 1 }
    /<!-- begin figure -->/ { print figure; skip = 1 }' README.md
}

document() {
  awk '
    /<!-- end -->/ { skip = 0 }
    !skip
    /<!-- begin results\// {
      skip = 1
      file = $3
      while ((got = (getline line < file)) > 0) if (++count > 2) print line
      if (got < 0) { print "no " file > "/dev/stderr"; exit 1 }
      close(file)
      count = 0
    }' "$1"
}

put() {
  if [ "$3" = --check ]; then
    [ "$2" = "$(cat "$1")" ] || { echo "$1 is not what scripts/readme.sh makes of results/reference; run it" >&2; exit 1; }
  else
    printf '%s\n' "$2" > "$1"
  fi
}

mode=${1:-write}
put README.md "$(readme)" "$mode"
for file in $(grep -l '<!-- begin results/' docs/*.md); do
  new=$(document "$file")
  put "$file" "$new" "$mode"
done
