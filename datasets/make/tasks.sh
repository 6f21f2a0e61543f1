#!/usr/bin/env bash
# Writes the task documents that train.py reads: bash tasks.sh KVLAB FOLDER [hard]
# train splits to learn from, test-* to measure with; the same bytes on every machine. With `hard` a step of a word problem
# adds or takes up to 40, and words to copy may come twice: what the first runs of the checkpoints were trained on.
set -euo pipefail
kvlab=$1
folder=$2
arithmetic=() copy=()
case ${3:-} in
  "") ;;
  hard) arithmetic=(--largest-step 40) copy=(--repeated-words) ;;
  *) echo "tasks.sh: '$3' is not known; the third argument can be: hard." >&2; exit 2 ;;
esac
mkdir -p "$folder"

write() {
  local name=$1
  shift
  "$kvlab" tasks generate "$@" > "$folder/$name.jsonl"
}

write recall-128    --task recall --split train --seed 10 --count 16000 --facts 4-8 --questions 3 --distractors 0
write recall-256    --task recall --split train --seed 1 --count 9000 --facts 2-6 --questions 2
write recall-512    --task recall --split train --seed 2 --count 7000 --facts 4-18 --questions 3-4
write recall-1024   --task recall --split train --seed 3 --count 8000 --facts 8-45 --questions 4-8
write recall-2048   --task recall --split train --seed 4 --count 3000 --facts 20-90 --questions 6-12
write several-1024  --task recall-several --split train --seed 5 --count 3000 --facts 8-35 --questions 2-4
write arithmetic    --task arithmetic --split train --seed 6 --count 40000 ${arithmetic[@]+"${arithmetic[@]}"}
write copy          --task copy --split train --seed 7 --count 12000 --words 4-40 ${copy[@]+"${copy[@]}"}
write tool-call     --task tool-call --split train --seed 8 --count 12000
write dialogue      --task dialogue --split train --seed 9 --count 8000 --agents 3-7

write test-recall     --task recall --split test --seed 101 --count 200
write test-several    --task recall-several --split test --seed 102 --count 60 --questions 3
write test-arithmetic --task arithmetic --split test --seed 103 --count 500 ${arithmetic[@]+"${arithmetic[@]}"}
write test-copy       --task copy --split test --seed 104 --count 200 ${copy[@]+"${copy[@]}"}
write test-tool-call  --task tool-call --split test --seed 105 --count 200
write test-dialogue   --task dialogue --split test --seed 106 --count 100
