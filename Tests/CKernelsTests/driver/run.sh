#!/bin/sh
# Compares the bodies of the kernels with the scalar ones, without Swift.
#   run.sh arm64      built for 64-bit Arm; elsewhere with clang, qemu-aarch64 and an Arm C library
#                     (Debian: qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
#   run.sh sanitize   built for this machine, under AddressSanitizer and UndefinedBehaviorSanitizer
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../../Sources/CKernels
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

options=""
emulator=""
case "${1:-}" in
  arm64)
    if [ "$(uname -m)" != aarch64 ] && [ "$(uname -m)" != arm64 ]; then
      options="--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include -fuse-ld=${ARM_LINKER:-lld}"
      emulator="qemu-aarch64 -L /usr/aarch64-linux-gnu"
    fi ;;
  sanitize)
    # The driver frees nothing: leaks are not what is looked for.
    options="-g -fsanitize=address,undefined -fno-sanitize-recover=all"
    if command -v ld.lld >/dev/null; then options="$options -fuse-ld=lld"; fi  # older linkers warn of the sanitizers' symbols
    export ASAN_OPTIONS=detect_leaks=0 ;;
  *)
    sed -n 's/^# \{0,1\}//p' "$0" >&2
    exit 2 ;;
esac

# shellcheck disable=SC2086  # the options are words
${CC:-clang} $options -O2 -Wall -Wextra -Wno-unused-parameter -I "$kernels/include" -I "$kernels" \
  "$here/driver.c" "$kernels"/*.c -lm -o "$build/driver"
if $emulator "$build/driver" >"$build/log"; then
  tail -1 "$build/log"
else
  status=$?
  sed -n /FAIL/p "$build/log"
  tail -1 "$build/log"
  exit "$status"
fi
