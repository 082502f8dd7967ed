# The steps of scripts/instance_run. Each is run in a process of its own, with the variables
# programs, out, gpu, shapes, calibrate_budget, roofline_budget and ridge_root exported. Exit code 77: skipped.
# shellcheck shell=bash disable=SC2154

skip() {
  echo "skipped: $*" >&2
  exit 77
}

# Adds the folders of CUDA libraries that the plugin needs and the loader does not find by itself:
# the toolkit's, then those of Python wheels.
complete_library_path() {
  local plugin=$programs/ridge_cuda.so missing library folder
  [[ -e $plugin ]] || return 0
  # CUDA's libraries, where they were carried, open parts of themselves by name.
  [[ ! -d $ridge_root/lib ]] || export LD_LIBRARY_PATH=$ridge_root/lib
  missing=$(ldd "$plugin" | awk '/not found/ { print $1 }')
  [[ -n $missing ]] || return 0
  local folders=(/usr/local/cuda/lib64 /usr/local/cuda-*/lib64 /usr/local/cuda*/targets/*/lib
    /usr/local/cuda*/lib)
  while read -r folder; do folders+=("$folder"); done < <(python3 -c '
import glob, sys
for path in sys.path:
    print(*glob.glob(path + "/nvidia/*/lib"), sep="\n")' 2> /dev/null)
  while read -r library; do
    for folder in "${folders[@]}"; do
      if [[ -n $folder && -e $folder/$library ]]; then
        export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
        break
      fi
    done
  done <<< "$missing"
  ldd "$plugin" | grep 'not found' || true
}

# The test programs with the ctest label gpu, by name: listed when packed, or asked of ctest.
gpu_test_programs() {
  if [[ -e $programs/gpu_tests.txt ]]; then
    cat "$programs/gpu_tests.txt"
  elif command -v ctest > /dev/null; then
    list_gpu_tests "$(dirname "$programs")"
  fi
}

list_gpu_tests() {
  ctest --test-dir "$1" --label-regex '^gpu$' --show-only=json-v1 2> /dev/null | python3 -c '
import json, os, sys
text = sys.stdin.read()
tests = json.loads(text[text.index("{"):])["tests"]
programs = {os.path.basename(t["command"][0]) for t in tests if t.get("command")}
print(*sorted(programs), sep="\n")'
}

step_environment() {
  date -u
  uname -a
  lscpu || true
  free -h || true
  nvidia-smi || echo "no nvidia-smi"
  nvidia-smi -q || true
  nvcc --version || /usr/local/cuda/bin/nvcc --version || echo "no nvcc"
  ldd "$programs/ridge_cuda.so" || echo "no CUDA plugin in this build"
  env | grep -E '^(CUDA|NVIDIA|OMP|LD_LIBRARY|RIDGE)' || true
  cat "$ridge_root/BUILD.txt" 2> /dev/null || git -C "$ridge_root" log -1 --oneline || true
}

# run_gpu_tests [command to run them under …]: every program runs, whatever the others do.
run_gpu_tests() {
  have_gpu || skip "no GPU here"
  local programs_found failed=0 program
  programs_found=$(gpu_test_programs)
  [[ -n $programs_found ]] || skip "this build has no GPU tests"
  complete_library_path
  while read -r program; do
    echo "-- $program"
    "$@" "$programs/$program" --gtest_brief=0 || failed=1
  done <<< "$programs_found"
  return "$failed"
}

step_gpu_tests() { run_gpu_tests; }

find_sanitizer() {
  command -v compute-sanitizer || {
    local at=/usr/local/cuda/bin/compute-sanitizer
    [[ -x $at ]] && echo "$at"
  } || skip "no compute-sanitizer here"
}

# The generic tests' shapes are small; what is named Large or Speed is left out. Only kernels of
# this project are watched: what the vendor's libraries do inside is not ours to judge.
sanitize() {
  local tool=$1 sanitizer options=()
  have_gpu || skip "no GPU here"
  sanitizer=$(find_sanitizer)
  export GTEST_FILTER=${RIDGE_SANITIZER_FILTER:--*Large*:*Speed*}
  # Tests of full memory make calls fail on purpose; what they return is checked by the tests.
  [[ $tool != memcheck ]] || options+=(--report-api-errors no)
  run_gpu_tests "$sanitizer" --tool "$tool" --error-exitcode 99 \
    --kernel-name "kernel_substring=ridge" "${options[@]}"
}

step_memcheck() { sanitize memcheck; }
step_racecheck() { sanitize racecheck; }

step_calibrate() {
  complete_library_path
  local resume=()
  [[ ! -e $out/device/measurements.jsonl ]] || resume=(--resume)
  "$programs/calibrate" --gpu "$gpu" --budget "$calibrate_budget" --out "$out/device" "${resume[@]}"
}

# Every ceiling, with charts where they can be drawn. In a folder of its own: calibrate's are the
# ceilings that its delay factors were taken against.
step_roofline() {
  complete_library_path
  "$programs/roofline" --gpu "$gpu" --budget "$roofline_budget" --out "$out/device/roofline" \
    --table "$out/device/delay_factors.json"
}

# Measures shapes that the sweep left out and holds the table's predictions against them.
step_validate() {
  local table=$out/device/delay_factors.json measured=$out/device/holdout.csv
  [[ -e $table ]] || skip "there is no table: calibrate did not finish"
  complete_library_path
  "$programs/calibrate" holdout --gpu "$gpu" --table "$table" --shapes "$shapes" --out "$measured"
  "$programs/predict" kernels --table "$table" --csv "$measured" \
    --out "$out/device/holdout_predicted.csv"
}

# Calls at sizes where only bandwidth or the tensor cores count, and beyond what the sweep covers:
# 1 GiB a tensor, square products, decode attention over a large batch.
large_calls() {
  local dtype=$1 size
  for size in 2048 4096 8192 16384; do echo "gemm m=$size n=$size k=$size $dtype"; done
  local op
  for op in copy add rmsnorm softmax silu_mul; do echo "$op rows=65536 cols=8192 $dtype"; done
  echo "attention_decode batch=64 context=8192 heads=32 kv_heads=8 head_dim=128 $dtype"
}

step_large_calls() {
  have_gpu || skip "no GPU here"
  complete_library_path
  local dtype=bf16 capability call arguments=() failed=0
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1)
  ((${capability%%.*} >= 8)) || dtype=f16
  [[ ! -e $out/device/ceilings.json ]] || arguments+=(--ceilings "$out/device/ceilings.json")
  mkdir -p "$out/device/large"
  # One process a call: one that this GPU cannot run does not take the others with it.
  while read -r call; do
    "$programs/profile" --gpu "$gpu" "${arguments[@]}" --call "$call" \
      --benchmark_out="$out/device/large/${call//[ =]/_}.json" --benchmark_out_format=json \
      --benchmark_counters_tabular=true || { failed=1 && echo "failed: $call"; }
  done < <(large_calls "$dtype")
  return "$failed"
}

step_compare_torch() {
  [[ -e $out/device/measurements.jsonl ]] || skip "there are no measurements to compare with"
  python3 -c 'import torch; raise SystemExit(not torch.cuda.is_available())' 2> /dev/null ||
    skip "no PyTorch with CUDA here"
  python3 "$ridge_root/scripts/compare_torch.py" --measurements "$out/device/measurements.jsonl" \
    --profiles "$out/device/large" --csv "$out/compare_torch.csv"
}

# Whole models by Hugging Face Transformers, held against this machine's own table: first with its
# kernels alone, then with what the host adds, fitted to batch 1 and tested on larger batches.
step_compare_transformers() {
  python3 -c 'import torch, transformers; raise SystemExit(not torch.cuda.is_available())' \
    2> /dev/null || skip "no PyTorch with CUDA, or no Transformers, here"
  local device=cuda folder=$out/transformers table=$out/device/delay_factors.json
  case $gpu in
    cuda:*) device=$gpu ;;
    cpu) skip "--gpu cpu: whole models are measured on a GPU" ;;
  esac
  mkdir -p "$folder"
  python3 "$ridge_root/scripts/compare_transformers.py" --csv "$folder/requests.csv" --device "$device"
  [[ -e $table ]] || { echo "there is no table to hold these rows against" && return; }
  "$programs/predict" validate --csv "$folder/requests.csv" --table "$table" --engine transformers \
    --out "$folder/kernels_alone" --no-charts
  awk -F, 'NR == 1 || $10 == 1' "$folder/requests.csv" > "$folder/batch_1.csv"
  awk -F, 'NR == 1 || $10 != 1' "$folder/requests.csv" > "$folder/larger.csv"
  "$programs/predict" fit-engine --csv "$folder/batch_1.csv" --table "$table" \
    --out "$folder/transformers.json"
  "$programs/predict" validate --csv "$folder/larger.csv" --table "$table" \
    --engine "$folder/transformers.json" --out "$folder/fitted" --no-charts
}

# A whole Llama on this project's kernels, predicted from the table that was just made; then beside
# PyTorch in turns.
step_speed_benchmark() {
  complete_library_path
  local table=$out/device/delay_factors.json folder=$out/speed dtype=bfloat16
  local words=(--device "${gpu/auto/cuda}" --output-dir "$folder" --profile --no-charts)
  have_gpu || skip "no GPU here"
  [[ ! -e $table ]] || words+=(--validate --table "$table")
  case $(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1) in
    7.*) dtype=float16 ;;
  esac
  "$programs/speed_benchmark" "${words[@]}" --dtype "$dtype" --model-name llama-3.1-8b \
    --prompt-lengths 128,1024,4096 --max-seq-len 8192 --max-gen-len 64 --sweep 64 ||
    "$programs/speed_benchmark" "${words[@]}" --dtype "$dtype" --model-name llama-3.2-1b
}

step_compare_speed() {
  have_gpu || skip "no GPU here"
  python3 -c 'import torch; raise SystemExit(not torch.cuda.is_available())' 2> /dev/null ||
    skip "no PyTorch with CUDA here"
  complete_library_path
  local ceilings=() model
  [[ ! -e $out/device/ceilings.json ]] || ceilings=(--ceilings "$out/device/ceilings.json")
  for model in llama-3.1-8b llama-3.2-1b; do
    python3 "$ridge_root/scripts/compare_speed.py" --device cuda --model "$model" --prompt 4096 \
      --bin "$programs" "${ceilings[@]}" --out "$out/compare_speed.json" && return
  done
  return 1
}

# One line of what a step's log says, for the summary.
step_note() {
  local log=$out/logs/$1.log
  case $1 in
    gpu_tests | memcheck | racecheck)
      awk '/^\[  PASSED  \]/ { passed += $4 } /^\[  SKIPPED \] [0-9]+ test/ { skipped += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { failed += $4 } /ERROR SUMMARY:/ { errors += $4; seen = 1 }
        /^skipped: / { print; stop = 1; exit }
        END { if (!stop) printf "%d passed, %d failed, %d skipped%s\n", passed, failed, skipped,
              seen ? ", sanitizer errors: " errors : "" }' "$log"
      ;;
    compare_transformers) awk '/^skipped: / { print; exit } /^all / { line = $0 }
      END { if (line) print "rows, then error, bias and % inside: " line }' "$log" | tr -s ' ' ;;
    environment) nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null |
      head -n 1 || true ;;
    *) grep -v '^ *$' "$log" | tail -n 1 | tr '|\r' '/ ' | cut -c 1-100 ;;
  esac
}

# Leaves at most eight files: the summary, all logs in one, the tables, and everything packed.
finish_results() {
  local folder=$1 result name state seconds note file
  shift
  {
    printf '%-21s %-12s %8s  %s\n' step result seconds note
    for result in "$@"; do
      IFS='|' read -r name state seconds note <<< "$result"
      printf '%-21s %-12s %8s  %s\n' "$name" "$state" "$seconds" "$note"
    done
  } > "$folder/summary.txt"
  for file in "$folder"/logs/*.log; do
    [[ -e $file ]] || continue
    printf '\n===== %s =====\n' "$(basename "$file" .log)"
    cat "$file"
  done > "$folder/all.log"
  local inside=()
  for file in summary.txt logs device compare_torch.csv compare_speed.json speed transformers; do
    [[ ! -e $folder/$file ]] || inside+=("$file")
  done
  tar -C "$folder" -czf "$folder/results.tar.gz.tmp" "${inside[@]}"
  mv "$folder/results.tar.gz.tmp" "$folder/results.tar.gz"
  rm -rf "$folder/logs" "$folder/device/large" "$folder/transformers" "$folder/speed"
  [[ ! -e $folder/device/holdout_predicted.csv ]] || rm -f "$folder/device/holdout.csv"
  say "== results in $folder"
  for file in "$folder"/* "$folder"/device/*; do
    [[ ! -f $file ]] || (($(stat -c %s "$file") < 16 * 1024 * 1024)) ||
      say "note: $file is larger than 16 MiB"
  done
  cat "$folder/summary.txt"
}

# What a step's own process needs of this file and of common.sh.
export -f skip complete_library_path gpu_test_programs list_gpu_tests run_gpu_tests find_sanitizer \
  sanitize large_calls have_gpu say die
# shellcheck disable=SC2046
export -f $(compgen -A function step_)
