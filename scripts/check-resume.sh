#!/bin/bash
# Kills `kvlab reproduce` with SIGKILL at random moments, goes on with --resume each time, and compares the cells at the end with
# those of a run that was left alone. Ends with status 1 where they are not the same cells, each once.
#
#   bash scripts/check-resume.sh [KILLS] [PROFILE] [SEED]      20, quick and 1 by default; from the root, after make build
set -euo pipefail
kills=${1:-20} profile=${2:-quick} RANDOM=${3:-1}
kvlab=.build/release/kvlab
command -v h5dump >/dev/null || { echo "h5dump was not found; make setup installs it" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

arguments() { echo reproduce --profile "$profile" --out "$folder/$1" --resume; }
finish() { "$kvlab" $(arguments "$1") >"$folder/$1.log" 2>&1 || { tail "$folder/$1.log" >&2; exit 1; }; }
cells() { h5dump -y -w 0 -d /cells/name "$folder/$1/latest/results.h5" | grep -o '"[^"]*"' | sort; }

start=$SECONDS
finish alone
whole=$((SECONDS - start))
count=$(cells alone | wc -l)
[ "$count" -gt 0 ] || { echo "The run that was left alone has no cells" >&2; exit 1; }
echo "left alone: $whole s, $count cells"

# Between two kills: up to twice an even share of a whole run, in hundredths of a second.
for ((kill = 1; kill <= kills; ++kill)); do
  after=$((RANDOM % (200 * whole / (kills + 1) + 1) + 20))
  "$kvlab" $(arguments killed) >"$folder/killed.log" 2>&1 &
  process=$!
  sleep "$(printf '%d.%02d' $((after / 100)) $((after % 100)))"
  kill -9 "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
  echo "kill $kill after $((after / 100)) s: $(cells killed 2>/dev/null | wc -l) cells are kept"
done
finish killed

if ! diff <(cells alone) <(cells killed) >"$folder/diff"; then
  echo "The cells are not the same ('<' alone, '>' killed):" >&2
  head -20 "$folder/diff" >&2
  exit 1
fi
echo "killed $kills times: the same $count cells"
