#pragma once

#include <string>

namespace asap::cli {

/// The instruction set that the kernels use on this machine, for example "AVX-512".
std::string simd_name();

/// What --version prints: version, commit, compiler, whether built with MPI, and
/// instruction set on one line.
std::string version_line(const std::string& program);

}  // namespace asap::cli
