#!/usr/bin/env bash
# From a fresh clone to a compiled Transformer: installs what is missing, builds, trains a Vision
# Transformer with Sinkhorn attention on Fashion-MNIST, compiles its attention, and compares the two on the
# 10,000 test images. Run again, it skips the stages that are finished and continues an interrupted one.
#
#   scripts/quickstart.sh [DIR]    results go to DIR, default runs/quickstart
source "$(dirname "$0")/common.sh"

results=runs/quickstart
(($# > 0)) && results=$(cd "$caller" && realpath -m -- "$1")
teacher=$results/teacher
operator=$results/operator
comparison=$results/compare
times=$results/bench
config=configs/train/fashion_mnist_sinkhorn.json

# finished OUTPUT INPUT: whether the stage that makes OUTPUT from INPUT need not run.
finished() { [[ -f $1 && ! $2 -nt $1 ]]; }

train() { build/bin/asap-train --config "$config" --out "$teacher" --resume; }
compile() {
  build/bin/asap-compile --run "$teacher" --out "$operator" --slices 4 --slice-kind canonical \
    --features pot,gau,lin,tilt,lse --calibration 256
}
compare() {
  build/bin/asap-eval bench --sizes 64,128,256,512,1024 --head-width 32 --rounds 3 --threads 1 --quiet \
    --forms softmax,sinkhorn_exp,compiled --out "$times"
  build/bin/asap-eval compare --bench "$times" --run "$teacher" --compiled "$operator" --out "$comparison" \
    --methods teacher,softmax,sinkhorn:1,sinkhorn:3,f0,compiled,compiled+1
}

timed "1/5 setup" scripts/setup.sh
build() { cmake --preset release --log-level=WARNING && cmake --build --preset release --target asap-train asap-compile asap-eval relu-fit; }
timed "2/5 build" build
if finished "$teacher/summary.json" "$config"; then
  say "3/5 train: finished before ($teacher/summary.json)"
else
  timed "3/5 train" train
fi
if finished "$operator/summary.json" "$teacher/summary.json"; then
  say "4/5 compile: finished before ($operator/summary.json)"
else
  timed "4/5 compile" compile
fi
if finished "$comparison/summary.json" "$operator/summary.json"; then
  say "5/5 compare: finished before ($comparison/summary.json)"
else
  timed "5/5 compare" compare
fi

cat <<END

Where to look:
  $comparison/report.html         the comparison, with pictures; open it in a browser
  $comparison/summary.json        the same numbers for programs
  $operator/operator.json         what the attention was compiled into
  $teacher/metrics.jsonl          loss and accuracy while training
  configs/train/                  other data and models: build/bin/asap-train --config FILE --out DIR
  build/bin/asap-eval --help      further commands
END
