#!/usr/bin/env bash
# Fuzzes every file reader with libFuzzer under the address and undefined-behaviour sanitizers, one reader
# after the other, starting from tests/fuzz/corpus. New inputs stay in build-fuzz/corpus. Inputs that crash,
# leak, hang or allocate more than 64 MiB at once go to build-fuzz/findings and make the script fail. Needs
# clang (scripts/setup.sh --developer).
#
#   scripts/fuzz.sh                        10 minutes for each reader
#   scripts/fuzz.sh --seconds 60 npy idx   one minute for each of these readers
source "$(dirname "$0")/common.sh"

seconds=600
if [[ ${1:-} == --seconds ]]; then
  seconds=${2:?"$0: --seconds needs a number"}
  shift 2
fi
readers=("$@")
((${#readers[@]} > 0)) || readers=($(ls tests/fuzz/corpus))

command -v clang++ >/dev/null || fail "clang++ not found (hint: scripts/setup.sh --developer)"
for reader in "${readers[@]}"; do
  [[ -d tests/fuzz/corpus/$reader ]] || fail "unknown reader '$reader' (hint: one of $(ls -x -w 0 tests/fuzz/corpus))"
done
cmake --preset fuzz --log-level=WARNING
cmake --build --preset fuzz --target "${readers[@]/#/fuzz_}"

failed=()
mkdir -p build-fuzz/findings
for reader in "${readers[@]}"; do
  learnt=build-fuzz/corpus/$reader log=build-fuzz/findings/$reader.log
  mkdir -p "$learnt"
  say "$reader for $seconds s"
  nice -n 19 build-fuzz/bin/"fuzz_$reader" -max_total_time="$seconds" -max_len=1000000 -timeout=10 \
    -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="build-fuzz/findings/$reader-" "$learnt" "tests/fuzz/corpus/$reader" >"$log" 2>&1 ||
    failed+=("$reader")
  grep -E '^(stat::(number_of_executed|average_exec)|SUMMARY|.*Test unit written)' "$log" || true
done
((${#failed[@]} == 0)) || fail "findings for ${failed[*]} (hint: see build-fuzz/findings; fix the reader, then add the input to tests/fuzz/corpus)"
say "no findings for ${readers[*]}"
