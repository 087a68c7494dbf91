#!/usr/bin/env bash
# Checks beside the tests of the release build. Each builds in a folder of its own. CI runs thread, sanitize (on
# some of the tests) and baseline; the others take too long for every change.
#
#   scripts/check.sh              all of them
#   scripts/check.sh clang        clang, warnings as errors, everything
#   scripts/check.sh tidy [PATH]  clang-tidy on src and apps, or on what matches PATH
#   scripts/check.sh coverage     all tests, and how many lines of src they run
#   scripts/check.sh sanitize     all tests under the address and undefined-behaviour sanitizers
#   scripts/check.sh sanitize unit_json property_attention    these test executables only
#   scripts/check.sh thread       what runs in parallel under the thread sanitizer
#   scripts/check.sh baseline     the release build on an emulated processor without AVX
source "$(dirname "$0")/common.sh"

build() {  # build PRESET [TARGET...]
  cmake --preset "$1" --log-level=WARNING
  cmake --build --preset "$1" ${2:+--target "${@:2}"}
}

check_clang() { build clang; }

check_tidy() {
  cmake --preset clang --log-level=WARNING
  run-clang-tidy -quiet -p build-clang "${1:-/(src|apps)/}" >build-clang/tidy.log 2>/dev/null || true
  if grep -E '(warning|error):' build-clang/tidy.log | sort -u; then
    fail "clang-tidy has findings (hint: build-clang/tidy.log)"
  fi
}

check_coverage() {
  build coverage
  ctest --preset coverage --parallel "$(nproc)" --progress >build-coverage/tests.log || fail "tests failed (hint: build-coverage/tests.log)"
  gcovr --root . --filter src/ --object-directory build-coverage --exclude-throw-branches \
    --gcov-ignore-parse-errors --print-summary -o build-coverage/coverage.txt
}

check_sanitize() {  # [TEST EXECUTABLE...]
  build sanitize "$@"
  # Tests of executables that were not built are listed by ctest as such: leave them out.
  local tests=.
  (($# == 0)) || tests="^($(printf '%s|' "${@/_//}" | sed 's/|$//')):"
  ctest --preset sanitize --parallel "$(nproc)" --progress -R "$tests"
}

# The engine, the trainer, validation, comparison and compilation are what shares data between threads.
check_thread() {
  build thread unit_training unit_compile unit_comparison
  TSAN_OPTIONS=halt_on_error=1 ctest --preset thread --progress -R 'unit/(training|compile|comparison):'
}

check_baseline() {
  build release asap-train asap-compile asap-eval relu-fit
  scripts/baseline.sh
}

all=(clang tidy coverage sanitize thread baseline)
names=("${all[@]}")
if (($# > 0)); then
  names=("$1")
  shift
  [[ " ${all[*]} " == *" ${names[0]} "* ]] || fail "unknown check '${names[0]}' (hint: one of ${all[*]})"
fi
for name in "${names[@]}"; do
  case $name in
    clang | tidy | coverage) scripts/setup.sh --developer ;;
    *) scripts/setup.sh --ci ;;
  esac
  timed "$name" "check_$name" "$@"
done
