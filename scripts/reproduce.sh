#!/usr/bin/env bash
# Makes the tables of the ASAP paper on the data that are there, and one report of them: a frozen layer with each kind
# of attention, accuracy against latency; layers of trained networks replaced one by one and all together, nothing
# retrained; what training costs; what a shift of the data does. Run again, it skips what is finished and continues
# what was interrupted.
#
#   scripts/reproduce.sh [--quick] [--data SET,...] [--experiments NAME,...] [--seeds N] [--out DIR]
#                        [--threads N]
#
#   --quick      one seed, few steps, few examples: under 15 minutes on two cores, numbers to look at, not to quote
#   --data       names of configs/train/SET_sinkhorn.json; default: all of the paper that are found
#   --experiments  some of training,retraining,levels,frozen,replacement,imitation,shift,cost,linear
#                (default: all; networks are always trained; levels: matching with other noise)
#   --seeds      default 3 (--quick: 1)
#   --out        default runs/reproduce (--quick: runs/reproduce-quick)
#   ASAP_DATA_DIR   folder of the data sets that no Debian package brings
#
# Ends in DIR/report.html and DIR/summary.json.
source "$(dirname "$0")/common.sh"

for word in "$@"; do
  [[ $word != -h && $word != --help ]] || { sed -n '2,/^source/{/^#/s/^# \{0,1\}//p}' scripts/reproduce.sh; exit 0; }
done
build() { cmake --preset release --log-level=WARNING && cmake --build --preset release --target asap-train asap-compile asap-eval; }
timed setup scripts/setup.sh
timed build build
exec python3 scripts/reproduce/main.py --caller "$caller" "$@"
