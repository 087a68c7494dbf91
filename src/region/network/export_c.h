#pragma once

#include <string>

#include "region/network/network_file.h"

namespace asap::region {

/// A C99 (and C++) header with one pure function `static inline double NAME(double x)`, or
/// `NAME(const double* x)` for several inputs, that computes the network, straight-line code of the
/// weights that are not zero. `comment` goes to its top. UsageError when `name` is not an
/// identifier of C.
std::string export_c_header(const StoredNetwork& stored, const std::string& name,
                            const std::string& comment);

}  // namespace asap::region
