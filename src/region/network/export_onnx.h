#pragma once

#include <string>

#include "io/json.h"
#include "region/network/network_file.h"

namespace asap::region {

/// The network as an ONNX model: input "x" [N, inputs], output "y" [N, 1], float64, one Gemm per
/// layer with Relu between them. Operator set 13, IR version 7. UsageError for an empty name.
std::string export_onnx(const StoredNetwork& stored, const std::string& name);

/// The bounds of the inputs as OMLT reads them from MODEL.onnx.bounds.json:
/// [{"key": 0, "lower_bound": low, "upper_bound": high}, ...]. DataError when the network does not
/// store its interval.
io::Json onnx_bounds(const StoredNetwork& stored);

}  // namespace asap::region
