# Sourced by the scripts beside it: where things are, and how to configure and build.
# shellcheck shell=bash

ridge_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ridge_root
# The architectures that a build for every supported GPU has: T4, A100, A10G, L40S and L4, H100/H200.
# shellcheck disable=SC2034
readonly ridge_all_architectures="75;80;86;89;90"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# Prints the path of nvcc, or fails. CUDA_HOME wins, then PATH, then the usual folders, newest first.
find_nvcc() {
  local candidate
  for candidate in "${CUDA_HOME:+$CUDA_HOME/bin/nvcc}" "${CUDA_PATH:+$CUDA_PATH/bin/nvcc}" \
    "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    if [[ -n $candidate && -x $candidate ]]; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  candidate=$(printf '%s\n' /usr/local/cuda-*/bin/nvcc | sort -V | tail -n 1)
  [[ -x $candidate ]] && printf '%s\n' "$candidate"
}

# "13.0" from `nvcc --version`.
cuda_version() { "$1" --version | sed -n 's/.*release \([0-9]*\.[0-9]*\).*/\1/p'; }

# True where a driver answers and shows at least one GPU.
have_gpu() { command -v nvidia-smi > /dev/null && nvidia-smi -L 2> /dev/null | grep -q '^GPU '; }

# This machine's GPU architectures as CMake wants them ("90", "80;89"). One that nvcc does not know
# yet is replaced by the newest that it does: the driver compiles its PTX for the newer GPU.
native_architectures() {
  local nvcc=$1 capability known best wanted=""
  known=$("$nvcc" --list-gpu-arch | sed -n 's/^compute_\([0-9]*\)$/\1/p' | sort -n)
  while read -r capability; do
    capability=${capability//./}
    [[ $capability =~ ^[0-9]+$ ]] || continue
    best=$(awk -v have="$capability" '$1 <= have { best = $1 } END { print best }' <<< "$known")
    [[ -n $best ]] || die "this GPU (sm_$capability) is older than $nvcc can build for"
    [[ ";$wanted;" == *";$best;"* ]] || wanted="${wanted:+$wanted;}$best"
  done < <(nvidia-smi --query-gpu=compute_cap --format=csv,noheader)
  printf '%s\n' "$wanted"
}

# Compilers take up to 2 GiB each, so memory limits their number as well as cores do.
build_jobs() {
  local cores memory_kib
  cores=$(nproc)
  memory_kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  local fit=$((${memory_kib:-2097152} / 2097152))
  ((fit >= 1)) || fit=1
  printf '%s\n' $((cores < fit ? cores : fit))
}

# configure BUILD_FOLDER ARCHITECTURES [cmake flags …]: Release; CUDA where nvcc is found, unless
# RIDGE_CUDA=OFF is in the environment.
configure() {
  local build=$1 architectures=$2 nvcc
  shift 2
  local flags=(-G Ninja -DCMAKE_BUILD_TYPE=Release "-DRIDGE_CUDA=${RIDGE_CUDA:-AUTO}"
    "-DRIDGE_CUDA_ARCHITECTURES=$architectures")
  if nvcc=$(find_nvcc); then
    flags+=("-DRIDGE_NVCC=$nvcc")
  fi
  if [[ -e $ridge_root/.deps/cudnn/include/cudnn.h ]]; then
    flags+=("-DRIDGE_CUDNN_ROOT=$ridge_root/.deps/cudnn")
  fi
  say "== configure $build"
  cmake -S "$ridge_root" -B "$build" "${flags[@]}" "$@"
}

# build BUILD_FOLDER [targets …]
build() {
  local folder=$1
  shift
  say "== build $folder with $(build_jobs) jobs"
  if (($# > 0)); then
    cmake --build "$folder" --parallel "$(build_jobs)" --target "$@"
  else
    cmake --build "$folder" --parallel "$(build_jobs)"
  fi
}

# A value from BUILD_FOLDER's CMake cache, or nothing.
cache_value() {
  [[ -e $1/CMakeCache.txt ]] || return 0
  sed -n "s/^$2:[A-Z]*=//p" "$1/CMakeCache.txt"
}

# have_python NAME: what scripts/NAME-requirements.txt lists is in .venv/.
have_python() {
  [[ -x $ridge_root/.venv/bin/python ]] &&
    cmp -s "$ridge_root/scripts/$1-requirements.txt" "$ridge_root/.venv/$1-requirements.txt"
}

# install_python NAME: puts it there, or fails. The stamp is copied last, so that a killed run leaves
# nothing that looks complete.
install_python() {
  local requirements=$ridge_root/scripts/$1-requirements.txt
  { [[ -x $ridge_root/.venv/bin/pip ]] || python3 -m venv --clear "$ridge_root/.venv"; } &&
    "$ridge_root/.venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 \
      --only-binary=:all: -r "$requirements" &&
    cp "$requirements" "$ridge_root/.venv/$1-requirements.txt"
}
