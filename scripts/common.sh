# Helpers for the scripts of this folder. Source this file; do not run it.
set -euo pipefail
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# say TEXT...: prints one line of progress.
say() { printf '== %s\n' "$*"; }

# fail TEXT...: prints an error on stderr and exits.
fail() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# timed NAME COMMAND...: announces a stage, runs it and prints how long it took.
timed() {
  local name=$1 start=$SECONDS
  shift
  say "$name"
  "$@"
  say "$name: $((SECONDS - start)) s"
}
