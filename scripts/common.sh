# Helpers of the scripts in this folder; to be sourced, not run.
set -euo pipefail
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# say TEXT...: one line about what the script does.
say() { printf '== %s\n' "$*"; }

# fail TEXT...: one line on stderr, and the end.
fail() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# timed NAME COMMAND...: announces a stage, runs it, says how long it took.
timed() {
  local name=$1 start=$SECONDS
  shift
  say "$name"
  "$@"
  say "$name: $((SECONDS - start)) s"
}
