#!/usr/bin/env bash
# Checks beyond the tests of the release build. Each builds in a folder of its own. CI runs house, lint, coverage, thread
# (the engine and compilation) and baseline; the others take too long to run on every change.
#
#   scripts/check.sh              all checks
#   scripts/check.sh house        folders, their dependencies, names, phrases and the picture of the house: scripts/house.py
#   scripts/check.sh lint         clang's warnings and clang-tidy's cheap checks on src and apps, as errors
#   scripts/check.sh clang        builds everything with clang, warnings as errors, each file by itself
#   scripts/check.sh tidy [PATH]  all of clang-tidy's checks on src and apps, or on the folders that match PATH (src/io/)
#   scripts/check.sh coverage     all tests under the address and undefined-behaviour sanitizers, built by clang with
#                                 warnings as errors; they must run at least 90 % of the lines of src
#   scripts/check.sh sanitize     all tests under the same sanitizers, built by GCC, which also finds pointer overflow in
#                                 kernels
#   scripts/check.sh sanitize unit_io property_attention_kinds    only these test executables
#   scripts/check.sh thread       the parallel code, or the test executables named, under the thread sanitizer
#   scripts/check.sh baseline     the release build on emulated processors, without AVX and with AVX2
source "$(dirname "$0")/common.sh"

build() {  # build PRESET [TARGET...]
  cmake --preset "$1" --log-level=WARNING
  cmake --build --preset "$1" ${2:+--target "${@:2}"}
}

check_house() { scripts/house.py check; }

check_clang() { build clang; }

# Most of clang-tidy's checks take far longer than parsing the file; these do not.
quick_checks='-*,clang-diagnostic-*,bugprone-dangling-handle,bugprone-fold-init-type,bugprone-integer-division'
quick_checks+=',bugprone-move-forwarding-reference,bugprone-suspicious-memset-usage'
quick_checks+=',cppcoreguidelines-virtual-class-destructor,misc-redundant-expression,modernize-use-override'
quick_checks+=',performance-for-range-copy,performance-unnecessary-copy-initialization'

# tidy FOLDERS ARGUMENT...: runs clang-tidy with the arguments on the files that match FOLDERS, without a build. It reads
# most folders as one file to parse headers only once; if two files of a folder define the same name, that is an error.
tidy() {
  cmake --preset lint --log-level=WARNING
  local files
  mapfile -t files < <(sed -n 's/^ *"file": "\(.*\)".*/\1/p' build-lint/compile_commands.json | sort -u | grep -E "$1")
  ((${#files[@]} > 0)) || fail "nothing matches '$1' (hint: src/io/)"
  printf '%s\n' "${files[@]}" |
    xargs -d '\n' -P "$(nproc)" -n 1 clang-tidy -quiet -p build-lint "${@:2}" \
      --header-filter='/(src|apps)/' --warnings-as-errors='*' >build-lint/tidy.log 2>&1 || {
    grep -E '(warning|error):' build-lint/tidy.log | sort -u
    fail "clang or clang-tidy has findings (hint: build-lint/tidy.log)"
  }
}

# Warnings that need code generation come from `coverage` and `clang`.
check_lint() { tidy . --checks="$quick_checks"; }

check_tidy() { tidy "${1:-.}" --checks=-bugprone-suspicious-include; }  # a unity file includes its folder's sources

least_coverage=90  # per cent of the lines of src

# Shortens the long loops of the tests: see ASAP_TEST_SHARE in tests/README.md.
check_coverage() {
  build coverage
  rm -rf build-coverage/profiles
  ASAP_TEST_SHARE=0.1 ctest --preset coverage --parallel "$(nproc)" --progress ||
    fail "tests failed under the sanitizers"
  llvm-profdata merge -sparse build-coverage/profiles/*.profraw -o build-coverage/coverage.profdata
  local executables=(build-coverage/bin/*) lines missed covered
  local objects=("${executables[@]/#/-object=}")
  llvm-cov report -instr-profile build-coverage/coverage.profdata "${executables[0]}" "${objects[@]:1}" \
    "$PWD/src" >build-coverage/coverage.txt
  read -r lines missed covered < <(awk '$1 == "TOTAL" { print $8, $9, $10 }' build-coverage/coverage.txt)
  say "coverage: tests run $covered of the $lines lines of src and miss $missed (build-coverage/coverage.txt)"
  awk -v covered="${covered%\%}" -v least="$least_coverage" 'BEGIN { exit !(covered >= least) }' ||
    fail "tests run fewer than $least_coverage % of the lines of src (hint: build-coverage/coverage.txt)"
}

# tests_of [TEST EXECUTABLE...]: prints a ctest filter that selects the tests of these executables, or all tests. Without
# it, ctest reports a failed test for each executable that was not built.
tests_of() {
  (($# == 0)) && echo . && return
  local executable filter=
  for executable; do
    case $executable in
      cli_* | fuzz_*) filter+="|${executable/_//}:" ;;  # one file
      *) filter+="|${executable//_//}/[^/:]*:" ;;         # the files of a folder
    esac
  done
  echo "^(${filter:1})"
}

check_sanitize() {  # [TEST EXECUTABLE...]
  build sanitize "$@"
  ctest --preset sanitize --parallel "$(nproc)" --progress -R "$(tests_of "$@")"
}

# Only the engine, the trainer, validation, comparison and compilation share data between threads.
check_thread() {  # [TEST EXECUTABLE...]
  (($# > 0)) || set -- unit_train unit_compile unit_evaluate_compare
  build thread "$@"
  TSAN_OPTIONS=halt_on_error=1 ctest --preset thread --progress -R "$(tests_of "$@")"
}

check_baseline() {
  build release asap-train asap-compile asap-eval relu-fit
  scripts/baseline.sh
}

all=(house lint clang tidy coverage sanitize thread baseline)
names=("${all[@]}")
if (($# > 0)); then
  names=("$1")
  shift
  [[ " ${all[*]} " == *" ${names[0]} "* ]] || fail "unknown check '${names[0]}' (hint: one of ${all[*]})"
fi
for name in "${names[@]}"; do
  scripts/setup.sh --ci
  timed "$name" "check_$name" "$@"
done
