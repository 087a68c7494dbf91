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

/// A network as it is kept in a file, with the interval it was fitted on where that is known, and
/// the names of what it reads and computes where they have any.
struct StoredNetwork {
  ReluNetwork network;
  std::optional<numerics::Interval> interval;
  std::vector<std::string> inputs{};  ///< [inputs] or empty
  std::string target{};
};

/// Tensors layers.K.weight [outputs, inputs] and layers.K.bias [outputs], float64, and the interval
/// and names in the metadata. y = W h + b, ReLU between layers: PyTorch's nn.Linear.
io::TensorFile network_tensors(const StoredNetwork& stored);
/// {"interval": [low, high], "inputs": [names], "target": name,
///  "layers": [{"weight": [[...]], "bias": [...]}, ...]}
io::Json network_json(const StoredNetwork& stored);

/// Also takes other names, PyTorch's nn.Sequential for one ("0.weight", "2.weight"): all pairs
/// *.weight and
/// *.bias in the order of the numbers in their names, float32 or float64. DataError names file and
/// tensor when shapes do not chain to one output or a value is not finite.
StoredNetwork network_from(const io::TensorFile& file);
StoredNetwork network_from(const io::Json& json, const std::string& source);

/// Reads .safetensors or .json, told apart by the name's end.
StoredNetwork read_network(const std::filesystem::path& path);

}  // namespace asap::region
