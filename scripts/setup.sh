#!/usr/bin/env bash
# Installs the Debian 12 packages that the toolkit needs to build, test and run on Fashion-MNIST, and nothing
# else. Does nothing if all of them are installed. Needs root or sudo.
#
#   scripts/setup.sh              the packages for the build, the tests and the quickstart
#   scripts/setup.sh --mpi        also Open MPI, for the preset mpi (several processes: scripts/slurm)
#   scripts/setup.sh --ci         also Open MPI, the emulator that shows that no AVX is needed, the browser that opens the
#                                 reports, clang with its linter, sanitizers and coverage tools, the linter of Debian
#                                 packages, and what the Python package is built and tested with
#   scripts/setup.sh --developer  also clang's formatter, and the packages for micro-benchmarks, for comparisons
#                                 with other libraries and for the golden-value script
source "$(dirname "$0")/common.sh"

packages=(
  g++ cmake ninja-build pkg-config
  libcli11-dev          # command lines
  gnuplot-nox           # plots of relu-fit
  libeigen3-dev         # small dense solvers
  libhwy-dev            # SIMD
  libpng-dev libturbojpeg0-dev  # image files
  libmuparser-dev       # functions given as text to relu-fit
  libprotozero-dev      # ONNX files
  librandom123-dev      # random numbers
  libsentencepiece-dev  # subwords
  libspdlog-dev         # --verbose
  libutf8proc-dev       # Unicode text
  libxxhash-dev         # fingerprints
  nlohmann-json3-dev    # configurations and summaries
  node-d3               # charts in reports
  python3               # scripts/reproduce.sh
  zlib1g-dev            # compressed data sets
  doctest-dev librapidcheck-dev  # tests
  dpkg-dev              # Debian packages of the toolkit
  dataset-fashion-mnist # 70,000 images, in /usr/share/datasets
)
case ${1:-} in
  '') ;;
  --mpi) packages+=(libopenmpi-dev openmpi-bin) ;;
  --ci)
    packages+=(libopenmpi-dev openmpi-bin qemu-user chromium chromium-driver clang clang-tidy libclang-rt-14-dev libomp-dev lld llvm lintian
      python3-dev python3-venv) ;;
  --developer)
    packages+=(qemu-user chromium chromium-driver clang libclang-rt-14-dev libomp-dev lld llvm clang-format clang-tidy ccache graphviz lintian
      libopenmpi-dev openmpi-bin iproute2
      libbenchmark-dev libopenblas0-pthread python3-numpy python3-pot python3-torch python3-venv) ;;
  *) fail "unknown option '$1' (hint: --mpi, --ci or --developer)" ;;
esac

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=absent
  [[ $state == installed ]] || missing+=("$package")
done

if ((${#missing[@]} == 0)); then
  say "setup: all ${#packages[@]} packages are installed"
  exit 0
fi

command -v apt-get >/dev/null ||
  fail "apt-get not found (hint: install the equivalents of these Debian packages: ${missing[*]})"
if ((EUID == 0)); then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  fail "installing packages needs root (hint: run as root: apt-get install ${missing[*]})"
fi

say "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
say "setup: installed ${#missing[@]} packages"
