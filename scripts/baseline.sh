#!/usr/bin/env bash
# Runs the release build on three emulated processors, two without AVX and one with AVX2. This shows that kernels are
# chosen at run time and that nothing was compiled for a newer processor. The results of the kernels of older instruction
# sets are tested without emulation (ASAP_TEST_SIMD, tests/README.md). Needs qemu-x86_64 (scripts/setup.sh --ci).
#
#   scripts/baseline.sh [FOLDER]    FOLDER holds the executables (default build/bin)
source "$(dirname "$0")/common.sh"

binaries=${1:-build/bin}
command -v qemu-x86_64 >/dev/null || fail "qemu-x86_64 not found (hint: scripts/setup.sh --ci)"
[[ -x $binaries/asap-train ]] || fail "$binaries/asap-train not found (hint: scripts/test.sh builds it)"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

settings=()
for assignment in data.kind=shapes data.classes=4 data.shapes.examples=64 data.shapes.test_examples=32 \
  data.shapes.image_size=8 model.patch=2 model.width=16 model.layers=1 train.batch=16 train.epochs=1; do
  settings+=(--set "$assignment")
done

# emulated PROCESSOR COMMAND...: hides the emulator's warnings about missing features; prints everything if COMMAND fails.
emulated() {
  local processor=$1 log=$results/log
  shift
  qemu-x86_64 -cpu "$processor" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "failed on an emulated $processor: $*"
  }
}

# train_on PROCESSOR SIMD: checks that PROCESSOR runs the instruction set SIMD, then trains, compiles, compares and fits.
train_on() {
  local processor=$1 simd=$2 run=$results/$1
  emulated "$processor" "$binaries/asap-train" --version
  grep -v '^qemu' "$results/log" | sed "s/^/$processor: /"
  grep -q "SIMD $simd)" "$results/log" || fail "expected the instruction set $simd on an emulated $processor"
  emulated "$processor" "$binaries/asap-train" "${settings[@]}" --out "$run/teacher" --threads 2
  emulated "$processor" "$binaries/asap-compile" --run "$run/teacher" --out "$run/operator" --calibration 32 --set held_out=16
  emulated "$processor" "$binaries/asap-eval" compare --run "$run/teacher" --compiled "$run/operator" --out "$run/compare"
  emulated "$processor" "$binaries/relu-fit" fit --function 'x^2' --interval 0 1 --depth 2 --method kaiming --points 20 --out "$run/fit"
}

train_on qemu64 SCALAR
train_on Nehalem SCALAR
train_on Haswell AVX2
# Two processors with the same instruction set must produce the same bytes.
diff -r "$results/qemu64/teacher/checkpoint" "$results/Nehalem/teacher/checkpoint" ||
  fail "two processors of the same instruction set trained different networks"
say "passed: training, compiling, comparing and fitting work without AVX (same checkpoint on both processors) and with AVX2"
