#!/usr/bin/env bash
# Every shell script of the tree under $1 parses, and has no finding of shellcheck where that is.
set -euo pipefail
cd "$1"

is_shell() { [[ $1 == *.sh ]] || { head -n 1 "$1" | grep -qE '^#!.*\b(ba)?sh\b'; }; }

scripts=()
while IFS= read -r -d '' file; do
  if is_shell "$file"; then scripts+=("$file"); fi
done < <(find scripts .ci tests/checks -type f -print0)
((${#scripts[@]} > 0)) || { echo "no scripts found under $1: wrong folder?" && exit 1; }

failed=0
for file in "${scripts[@]}"; do
  bash -n "$file" || failed=1
  if [[ $file != *.sh && ! -x $file ]]; then
    echo "$file: not executable" && failed=1
  fi
done
if command -v shellcheck > /dev/null; then
  shellcheck -x "${scripts[@]}" || failed=1
else
  echo "shellcheck is not installed (scripts/setup --dev): only syntax was checked"
fi
echo "${#scripts[@]} scripts read"
exit "$failed"
