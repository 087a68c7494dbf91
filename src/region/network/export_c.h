#pragma once

#include <string>

#include "region/network/network_file.h"

namespace asap::region {

/// A C99 (and C++) header with one pure function that computes the network: `static inline double
/// NAME(double x)`, or `NAME(const double* x)` for several inputs, as straight-line code over the
/// non-zero weights. `comment` goes to the top of the header. UsageError when `name` cannot name a
/// function in C.
std::string export_c_header(const StoredNetwork& stored, const std::string& name,
                            const std::string& comment);

}  // namespace asap::region
