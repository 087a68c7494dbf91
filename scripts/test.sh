#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests; ctest's summary is the last thing printed.
#
#   scripts/test.sh                    preset release, all tests
#   scripts/test.sh sanitize           another preset of CMakePresets.json
#   scripts/test.sh sanitize -R unit/  further arguments go to ctest
source "$(dirname "$0")/common.sh"

preset=${1:-release}
(($# > 0)) && shift

scripts/setup.sh
timed "configure ($preset)" cmake --preset "$preset" --log-level=WARNING
timed "build ($preset)" cmake --build --preset "$preset"
say "test ($preset)"
ctest --preset "$preset" --parallel "$(nproc)" --progress "$@"
