#!/usr/bin/env bash
# Installs what kvlab is compared with into .peers/, nothing outside it:
#   llama.cpp      built from the sources in the llama-cpp-python package with native flags (.peers/bin/llama-bench,
#                  llama-perplexity, llama-server)
#   mlx-lm         with mlx for CPUs on Linux, into the virtual environment .peers/python
#   transformers   with torch for CPUs on Linux and optimum-quanto, into the same
# Versions are pinned here, and the checksum of what is built. Does nothing for what is there already. Each is optional: one that
# cannot be installed costs its own numbers only. `peers.sh NAME` installs one of them.
#
# Needs Python 3 with venv, and a C++ compiler; cmake and ninja come from PyPI. PEERS=DIR puts it elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

llama_version=0.3.36
llama_sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
mlx_version=0.32.4
mlx_lm_version=0.32.2
torch_version=2.13.0
transformers_version=5.23.0
quanto_version=0.2.7
ninja_version=1.13.2
peers=${PEERS:-$PWD/.peers}

fail() { printf 'peers: %s\n' "$*" >&2; exit 1; }

command -v python3 >/dev/null ||
  fail "No python3 was found; install it, for example with: apt-get install python3-venv, or brew install python"
python3 -c 'import venv, ensurepip' 2>/dev/null ||
  fail "This python3 cannot make virtual environments; install its venv, for example with: apt-get install python3-venv"
mkdir -p "$peers"
[ -x "$peers/python/bin/python3" ] || python3 -m venv "$peers/python"

if [ $# -eq 0 ]; then
  missing=()
  for peer in llama.cpp mlx-lm transformers; do
    bash "$0" "$peer" || missing+=("$peer")
  done
  [ ${#missing[@]} -lt 3 ] || fail "Nothing could be installed."
  [ ${#missing[@]} -eq 0 ] || echo "peers: without ${missing[*]}; their rows will say so" >&2
  exit 0
fi

# install NAME PACKAGE…: into .peers/python, once for these versions.
install() {
  local name=$1 stamp
  shift
  stamp="$peers/python/$name: $*"
  stamp=${stamp// /_}
  if [ ! -e "$stamp" ]; then
    "$peers/python/bin/python3" -m pip install -q "$@" || return 1
    touch "$stamp"
  fi
  echo "peers: $name is in $peers/python"
}

case $1 in
  mlx-lm)
    mlx=mlx
    [ "$(uname)" = Darwin ] || mlx='mlx[cpu]'
    install mlx-lm "$mlx==$mlx_version" "mlx-lm==$mlx_lm_version" ||
      fail "mlx-lm could not be installed from PyPI; is the network there, and has mlx $mlx_version a package for this machine?"
    exit 0 ;;
  transformers)
    packages=("transformers==$transformers_version" "optimum-quanto==$quanto_version" "ninja==$ninja_version")
    # The small package for CPUs where pip's index has it, else the one that everybody gets.
    { [ "$(uname)" = Linux ] && install transformers "torch==$torch_version+cpu" "${packages[@]}" 2>/dev/null; } ||
      install transformers "torch==$torch_version" "${packages[@]}" ||
      fail "transformers could not be installed from PyPI; is the network there?"
    exit 0 ;;
  llama.cpp) ;;
  *) fail "There is no peer '$1': llama.cpp, mlx-lm or transformers." ;;
esac

compiler=${CXX:-c++}
command -v "$compiler" >/dev/null ||
  fail "No C++ compiler was found as '$compiler'; install one, for example with: apt-get install g++, or xcode-select --install"

stamp="$peers/bin/llama.cpp-$llama_version"
if [ -e "$stamp" ] && [ -x "$peers/bin/llama-server" ]; then
  echo "peers: llama.cpp of llama-cpp-python $llama_version is in $peers/bin"
  exit 0
fi

[ -x "$peers/build-tools/bin/cmake" ] || {
  python3 -m venv "$peers/build-tools"
  "$peers/build-tools/bin/pip" install -q cmake==4.4.4 ninja==$ninja_version ||
    fail "cmake and ninja could not be installed from PyPI; is the network there?"
}
export PATH="$peers/build-tools/bin:$PATH"
unset PYTHONHOME PYTHONPATH

sources="$peers/sources"
mkdir -p "$sources"
archive="$sources/llama_cpp_python-$llama_version.tar.gz"
if [ ! -e "$archive" ]; then
  # pip runs a part of the package to learn its name, and so checks it first.
  echo "llama-cpp-python==$llama_version --hash=sha256:$llama_sha256" > "$sources/requirements.txt"
  pip download -q --no-deps --no-binary llama-cpp-python --require-hashes -r "$sources/requirements.txt" -d "$sources" ||
    fail "llama-cpp-python $llama_version could not be downloaded from PyPI; is the network there, and is its checksum $llama_sha256?"
fi
found=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$archive")
[ "$found" = "$llama_sha256" ] || {
  rm -f "$archive"
  fail "$archive has the checksum $found and not $llama_sha256; it was removed"
}
tar -xzf "$archive" -C "$sources"

# GCC before 11.5, 12.4 and 13.3 throws away all but the first bytes of the AMX tile configuration (GCC bug 114098), and
# llama.cpp dies of an illegal instruction on processors that have AMX. Without dead store elimination it is right.
flags=()
if ! "$compiler" --version | grep -qi clang && printf '' | "$compiler" -march=native -dM -E - 2>/dev/null | grep -q __AMX_TILE__; then
  case "$("$compiler" -dumpfullversion)" in
    11.[0-4].* | 12.[0-3].* | 13.[0-2].*) flags=(-DCMAKE_CXX_FLAGS="-fno-tree-dse -fno-dse") ;;
  esac
fi

build="$peers/build"
cmake -S "$sources/llama_cpp_python-$llama_version/vendor/llama.cpp" -B "$build" -G Ninja "${flags[@]+"${flags[@]}"}" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DGGML_METAL=OFF \
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_USE_PREBUILT_UI=OFF \
  -DLLAMA_OPENSSL=OFF > "$peers/configure.log" 2>&1 || fail "llama.cpp could not be configured; see $peers/configure.log"
echo "peers: building llama.cpp, some 10 minutes of two cores; log: $peers/build.log" >&2
cmake --build "$build" --target llama-bench llama-perplexity llama-server > "$peers/build.log" 2>&1 ||
  fail "llama.cpp could not be built; see the end of $peers/build.log"
mkdir -p "$peers/bin"
cp "$build"/bin/llama-bench "$build"/bin/llama-perplexity "$build"/bin/llama-server "$peers/bin/"
touch "$stamp"
echo "peers: llama.cpp of llama-cpp-python $llama_version is in $peers/bin"
