#!/usr/bin/env bash
# Installs what kvlab needs besides a Swift toolchain: HDF5 (library and tools), gnuplot, pkg-config.
# Debian and Ubuntu with apt, macOS with Homebrew. Does nothing when all of it is there.
set -euo pipefail

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v swift >/dev/null ||
  fail "No Swift toolchain was found; install Swift 6.2 or newer, for example with swiftly: https://www.swift.org/install/"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
case "$version" in
  6.[2-9]* | 6.[1-9][0-9]* | [7-9].* | [1-9][0-9].*) ;;
  *) fail "Swift ${version:-of an unknown version} is too old; install Swift 6.2 or newer, for example with swiftly: https://www.swift.org/install/" ;;
esac

if [ "$(uname -s)" = Darwin ]; then
  missing=()
  for formula in hdf5 gnuplot pkgconf; do
    command -v brew >/dev/null || fail "Homebrew is needed to install hdf5, gnuplot and pkgconf; see https://brew.sh"
    brew list --formula "$formula" >/dev/null 2>&1 || missing+=("$formula")
  done
  [ ${#missing[@]} -eq 0 ] || brew install "${missing[@]}"
elif command -v apt-get >/dev/null; then
  missing=()
  for package in libhdf5-dev hdf5-tools gnuplot-nox pkg-config make git; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' && continue
    # Another gnuplot, or pkgconf in place of pkg-config, does as well.
    [ "$package" = gnuplot-nox ] && command -v gnuplot >/dev/null && continue
    [ "$package" = pkg-config ] && command -v pkg-config >/dev/null && continue
    missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && exit 0
  if [ "$(id -u)" -eq 0 ]; then
    run=()
  elif command -v sudo >/dev/null; then
    run=(sudo)
  else
    fail "Root is needed to install ${missing[*]}; run as root: apt-get install ${missing[*]}"
  fi
  "${run[@]}" apt-get update -q
  "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
else
  for tool in pkg-config gnuplot; do
    command -v "$tool" >/dev/null ||
      fail "Neither apt nor Homebrew is here; install the HDF5 library with headers, gnuplot and pkg-config, then try again"
  done
  pkg-config --exists hdf5 || fail "pkg-config does not find hdf5; install the HDF5 library with its headers, then try again"
fi
