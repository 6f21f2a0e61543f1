#!/usr/bin/env bash
# Runs the tests and, since hundreds of lines run past, ends with what failed. Arguments go to `swift test`.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build
log=.build/tests.log

swift test -c release --disable-testable-imports "$@" 2>&1 | tee "$log"
status=$?
if [ "$status" -ne 0 ]; then
  echo
  echo "What failed, of all that $log holds:"
  grep -E '✘|error:|Fatal|unexpected signal' "$log" | grep -v 'started\.$' | head -100
fi
exit "$status"
