#pragma once

#include <string>

#include "region/network/network_file.h"

namespace asap::region {

/// The type that exported C code computes in.
enum class CNumber { float64, float32 };

/// A C99 (and C++) header with one pure function that computes the network: `static inline double
/// NAME(double x)` (or float), or `NAME(const double* x)` for several inputs, as straight-line code
/// over the non-zero weights. `comment` goes to the top of the header. UsageError when `name`
/// cannot name a function in C.
std::string export_c_header(const StoredNetwork& stored, const std::string& name,
                            const std::string& comment, CNumber number = CNumber::float64);

}  // namespace asap::region
