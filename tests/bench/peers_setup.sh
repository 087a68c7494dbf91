#!/usr/bin/env bash
# Makes .venv in the repository's root with the packages that compare_peers.py compares the toolkit with: the
# newest versions of ONNX Runtime, JAX, OTT-JAX and PyTorch from PyPI. Does not change the system.
#
#   tests/bench/peers_setup.sh              everything
#   tests/bench/peers_setup.sh --no-torch   without the newest PyTorch
#
# PyTorch's wheel on PyPI is built for GPUs. It runs without one, but it does not load without the CUDA libraries,
# which make up most of .venv's 6 GB. scripts/setup.sh --developer installs Debian's own PyTorch.
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

# Installs the packages one by one: if one fails, the others remain, and the report names it as missing.
install() {
  local name=$1
  shift
  timed "peers: $name" .venv/bin/python -m pip install --quiet --upgrade "$@" ||
    say "peers: $name could not be installed; the report will name it as missing"
}
install "ONNX Runtime" numpy onnx onnxruntime
install "JAX and OTT-JAX" jax ott-jax
if [[ $with_torch == yes ]]; then install "PyTorch" torch; fi
.venv/bin/python -m pip list 2>/dev/null |
  grep -iE '^(numpy|onnx|onnxruntime|jax|jaxlib|ott-jax|torch) ' | sed 's/^/   /'
