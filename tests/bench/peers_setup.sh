#!/usr/bin/env bash
# Makes .venv in the repository's root, with the packages that compare_peers.py measures the toolkit against:
# ONNX Runtime, JAX, OTT-JAX and the newest PyTorch. From PyPI, newest versions. Does nothing to the system.
#
#   tests/bench/peers_setup.sh              everything
#   tests/bench/peers_setup.sh --no-torch   without the newest PyTorch
#
# PyTorch's wheel on PyPI is built for GPUs. It runs without one but does not load without the libraries of CUDA:
# most of the 6 GB that `du -sh .venv` shows. Debian's own PyTorch is installed by scripts/setup.sh --developer.
source "$(dirname "$0")/../../scripts/common.sh"

with_torch=yes
case ${1:-} in
  '') ;;
  --no-torch) with_torch=no ;;
  *) fail "unknown option '$1' (hint: --no-torch is the only one)" ;;
esac

python=/usr/bin/python3
[[ -x $python ]] || python=python3
[[ -x .venv/bin/python ]] ||
  "$python" -m venv .venv ||
  fail "cannot make .venv (hint: apt-get install python3-venv)"

# One after the other: a peer that cannot be had leaves the others in place, and the table names it as missing.
install() {
  local name=$1
  shift
  timed "peers: $name" .venv/bin/python -m pip install --quiet --upgrade "$@" ||
    say "peers: $name could not be installed; it will be named as missing"
}
install "ONNX Runtime" numpy onnx onnxruntime
install "JAX and OTT-JAX" jax ott-jax
if [[ $with_torch == yes ]]; then install "PyTorch" torch; fi
.venv/bin/python -m pip list 2>/dev/null |
  grep -iE '^(numpy|onnx|onnxruntime|jax|jaxlib|ott-jax|torch) ' | sed 's/^/   /'
