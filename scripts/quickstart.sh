#!/usr/bin/env bash
# Takes you from a fresh clone to a compiled Transformer: installs missing packages, builds, trains a Vision
# Transformer with Sinkhorn attention on Fashion-MNIST, compiles its attention, and compares the two on the
# 10,000 test images. A second run skips finished stages and continues an interrupted one.
#
#   scripts/quickstart.sh [DIR]    writes the results to DIR (default runs/quickstart)
source "$(dirname "$0")/common.sh"

results=runs/quickstart
(($# > 0)) && results=$(cd "$caller" && realpath -m -- "$1")
teacher=$results/teacher
operator=$results/operator
comparison=$results/compare
times=$results/bench
config=configs/train/fashion_mnist_patch2_sinkhorn.json

# finished OUTPUT INPUT: succeeds if OUTPUT exists and INPUT is not newer.
finished() { [[ -f $1 && ! $2 -nt $1 ]]; }

train() { build/bin/asap-train --config "$config" --out "$teacher" --resume; }
compile() {
  build/bin/asap-compile --run "$teacher" --out "$operator" --overwrite
}
compare() {
  build/bin/asap-eval bench --sizes 64,196,512,1024 --head-width 32 --rounds 3 --threads 1 --quiet \
    --forms softmax,sinkhorn_exp,compiled --out "$times" --overwrite
  build/bin/asap-eval compare --bench "$times" --run "$teacher" --compiled "$operator" --out "$comparison" \
    --methods teacher,teacher_log,softmax,sinkhorn:3,sinkhorn:5,f0,compiled,compiled+1 --overwrite
}

timed "1/5 setup" scripts/setup.sh
build() { cmake --preset release --log-level=WARNING && cmake --build --preset release --target asap-train asap-compile asap-eval relu-fit; }
timed "2/5 build" build
if finished "$teacher/summary.json" "$config"; then
  say "3/5 train: already finished ($teacher/summary.json)"
else
  timed "3/5 train" train
fi
if finished "$operator/summary.json" "$teacher/summary.json"; then
  say "4/5 compile: already finished ($operator/summary.json)"
else
  timed "4/5 compile" compile
fi
if finished "$comparison/summary.json" "$operator/summary.json"; then
  say "5/5 compare: already finished ($comparison/summary.json)"
else
  timed "5/5 compare" compare
fi

cat <<END

Where to look:
  $comparison/report.html         the comparison with charts; open it in a browser
  $comparison/summary.json        the same numbers as JSON
  $operator/operator.json         the description of the compiled operator
  $teacher/metrics.jsonl          loss and accuracy during training
  configs/train/                  other data and models: build/bin/asap-train --config FILE --out DIR
  build/bin/asap-eval --help      more commands
END
