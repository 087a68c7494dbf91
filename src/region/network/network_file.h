#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/safetensors.h"
#include "numerics/curve.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// A network as stored in a file, with the interval it was fitted on and the names of its inputs
/// and its target, if known.
struct StoredNetwork {
  ReluNetwork network;
  std::optional<numerics::Interval> interval;
  std::vector<std::string> inputs{};  ///< [inputs] or empty
  std::string target{};
};

/// Tensors layers.K.weight [outputs, inputs] and layers.K.bias [outputs] in float64; interval and
/// names in the metadata. y = W h + b as in PyTorch's nn.Linear, ReLU between layers.
io::TensorFile network_tensors(const StoredNetwork& stored);
/// {"interval": [low, high], "inputs": [names], "target": name,
///  "layers": [{"weight": [[...]], "bias": [...]}, ...]}
io::Json network_json(const StoredNetwork& stored);

/// Reads all pairs *.weight and *.bias, float32 or float64, in the order of the numbers in their
/// names, so also those of PyTorch's nn.Sequential ("0.weight", "2.weight"). DataError names the
/// file and layer when shapes do not chain to one output or a value is not finite.
StoredNetwork network_from(const io::TensorFile& file);
StoredNetwork network_from(const io::Json& json, const std::string& source);

/// Reads a .safetensors or .json file, by its extension.
StoredNetwork read_network(const std::filesystem::path& path);
/// Writes a .safetensors or .json file, by its extension. UsageError for any other.
void write_network(const StoredNetwork& stored, const std::filesystem::path& path);

}  // namespace asap::region
