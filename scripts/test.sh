#!/usr/bin/env bash
# Installs missing packages, builds and runs the tests; ctest's summary comes last.
#
#   scripts/test.sh                    preset release, all tests
#   scripts/test.sh sanitize           another preset of CMakePresets.json
#   scripts/test.sh sanitize -R unit/  passes further arguments to ctest
source "$(dirname "$0")/common.sh"

preset=${1:-release}
(($# > 0)) && shift

case $preset in
  mpi | ci) scripts/setup.sh --mpi ;;
  *) scripts/setup.sh ;;
esac
timed "configure ($preset)" cmake --preset "$preset" --log-level=WARNING
timed "build ($preset)" cmake --build --preset "$preset"
say "test ($preset)"
ctest --preset "$preset" --parallel "$(nproc)" --progress "$@"
