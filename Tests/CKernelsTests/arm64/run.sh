#!/bin/sh
# Builds the kernels for 64-bit Arm with clang and runs the comparison with the scalar bodies under qemu.
# Needs clang, qemu-aarch64 and an Arm C library (Debian: qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross).
# On an Arm machine it builds and runs natively.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../../Sources/CKernels
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

target=""
emulator=""
if [ "$(uname -m)" != aarch64 ] && [ "$(uname -m)" != arm64 ]; then
  target="--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include -fuse-ld=${ARM_LINKER:-lld}"
  emulator="qemu-aarch64 -L /usr/aarch64-linux-gnu"
fi

# shellcheck disable=SC2086  # the options are words
${CC:-clang} $target -O2 -Wall -Wextra -Wno-unused-parameter -I "$kernels/include" -I "$kernels" \
  "$here/driver.c" "$kernels"/*.c -lm -o "$build/driver"
if $emulator "$build/driver" >"$build/log"; then
  tail -1 "$build/log"
else
  status=$?
  sed -n /FAIL/p "$build/log"
  tail -1 "$build/log"
  exit "$status"
fi
