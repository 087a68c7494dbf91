#!/usr/bin/env bash
# Runs the release build on emulated processors without AVX, and its kernels on one with AVX2: shows that they are
# chosen at run time, and that nothing else was compiled for a newer processor. Needs qemu-x86_64 (scripts/setup.sh --ci).
#
#   scripts/baseline.sh [FOLDER]    FOLDER holds the executables, default build/bin
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

# A warning that the emulation lacks a feature is of no interest; a failing command shows all it said.
emulated() {
  local processor=$1 log=$results/log
  shift
  qemu-x86_64 -cpu "$processor" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "failed on an emulated $processor: $*"
  }
}

for processor in qemu64 Nehalem; do
  emulated "$processor" "$binaries/asap-train" --version
  grep -v '^qemu' "$results/log" | sed "s/^/$processor: /"
  ! grep -q 'SIMD AVX' "$results/log" || fail "chooses AVX on a processor without it"
  run=$results/$processor
  emulated "$processor" "$binaries/asap-train" "${settings[@]}" --out "$run/teacher" --threads 2
  emulated "$processor" "$binaries/asap-compile" --run "$run/teacher" --out "$run/operator" --calibration 32 --set held_out=16
  emulated "$processor" "$binaries/asap-eval" compare --run "$run/teacher" --compiled "$run/operator" --out "$run/compare"
  emulated "$processor" "$binaries/relu-fit" fit --function 'x^2' --interval 0 1 --depth 2 --method kaiming --points 20 --out "$run/fit"
done
# The kernels of the instruction sets between, against loops in double.
for processor in Nehalem Haswell; do
  for kernels in unit_simd unit_gemm unit_kernels unit_kantorovich_1d unit_tiled_attention; do
    emulated "$processor" "$binaries/$kernels"
  done
done
# Processors of one instruction set give the same bytes.
diff -r "$results/qemu64/teacher/checkpoint" "$results/Nehalem/teacher/checkpoint" ||
  fail "two processors of the same instruction set trained different networks"
say "trains, compiles, compares and fits without AVX, and alike on both processors; kernels right with AVX2, too"
