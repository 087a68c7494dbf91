#pragma once

#include "c_source/c_file.h"
#include "c_source/head_tables.h"

namespace asap::c_source {

/// The layers of a compiled operator as one C99 file, in float32:
///
///   int NAME_attend(int layer, const float *queries, int n, const float *keys,
///                   const float *values, int m, float *output, float *scratch);
///
/// queries, output: [n, H * D], keys, values: [m, H * D], as projections write them; head h has
/// columns h D to (h + 1) D. UsageError for what cannot be written (require_writable) and for a
/// name that is none in C.
std::string operator_source(const Heads& heads, std::int64_t head_width,
                            const SourceDescription& description);

}  // namespace asap::c_source
