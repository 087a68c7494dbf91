#pragma once

#include <string>

#include "region/network/network_file.h"

namespace asap::region {

/// The network as an ONNX model: input "x" [N, inputs], output "y" [N, 1], float64, one Gemm per
/// layer with Relu between them. Operator set 13, IR version 7. Written without the ONNX library:
/// little of its format (onnx.proto3, a protocol buffer) is needed. UsageError for an empty name.
std::string export_onnx(const StoredNetwork& stored, const std::string& name);

}  // namespace asap::region
