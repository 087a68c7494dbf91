#!/usr/bin/env bash
# Makes the tables of the ASAP paper on the available data sets and writes one report: accuracy against latency of one
# frozen layer with each method; trained networks with their layers replaced, one by one and all together, without
# retraining; every attention kind with an equal budget; the cost of training; the effect of shifted data. Also the
# numbers that the paper on region-constrained ReLU networks claims. A second run skips finished stages and continues
# interrupted ones.
#
#   scripts/reproduce.sh [--quick] [--data SET,...] [--experiments NAME,...] [--seeds N] [--steps N] [--share I/N]
#                        [--out DIR] [--threads N] [--update-readme]
#
#   --quick      one seed, few steps, few examples: under 15 minutes on two cores; do not quote its numbers
#   --data       names of configs/train/SET_sinkhorn.json (default: all sets of the paper that are found)
#   --experiments  some of training,slack,retraining,levels,frozen,replacement,imitation,shift,cost,linear,kinds,
#                temperature,relu,heads,ablations,rank,long
#                (default: all, with --quick all but kinds, temperature, heads and rank; cost, kinds, temperature, relu,
#                heads and rank train networks of their own, all others need those of training; slack: Sinkhorn whose column sums
#                are bounded instead of fixed; levels: matching with other noise levels; kinds: every attention kind;
#                temperature: ESPFormer at the temperature that is best on held-out training data; relu: convex
#                functions and regions of activations; heads: dense heads behind convolutions;
#                ablations: one value of the map or its teacher changed at a time; rank: rank collapse in 12 layers;
#                long: speed on the sets with long sequences, which take no other experiment)
#   --seeds      default 3 (--quick: 1)
#   --steps      of every training of kinds and temperature (default: those of the configurations)
#   --share      runs only the I-th of N shares of the sets and seeds, and makes no report, so that several processes or
#                machines can share the work; the same command without it makes the report of what all of them left
#   --out        default runs/reproduce (--quick: runs/reproduce-quick)
#   --update-readme  copies DIR/claims.md into scripts/reproduce/README.md
#   ASAP_DATA_DIR   folder of the data sets that no Debian package provides (data/README.md)
#
# Writes DIR/report.html, DIR/summary.json and DIR/claims.md, the table "paper claim, our number, command".
source "$(dirname "$0")/common.sh"

for word in "$@"; do
  [[ $word != -h && $word != --help ]] || { sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' scripts/reproduce.sh; exit 0; }
done
build() { cmake --preset release --log-level=WARNING && cmake --build --preset release --target asap-train asap-compile asap-eval relu-fit; }
timed setup scripts/setup.sh
timed build build
exec python3 scripts/reproduce/main.py --caller "$caller" "$@"
