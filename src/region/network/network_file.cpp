#include "region/network/network_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/counted.h"
#include "base/error.h"
#include "base/text.h"

namespace asap::region {
namespace {

constexpr const char* kInterval = "interval";
constexpr const char* kInputs = "inputs";
constexpr const char* kTarget = "target";

/// A sort key that compares the numbers in a name as numbers: layer 10 comes after layer 9.
std::vector<std::pair<std::int64_t, std::string>> natural_key(const std::string& name) {
  std::vector<std::pair<std::int64_t, std::string>> key{{0, ""}};
  for (std::size_t i = 0; i < name.size();) {
    if (name[i] >= '0' && name[i] <= '9') {
      std::int64_t number = 0;
      while (i < name.size() && name[i] >= '0' && name[i] <= '9' && number < 1'000'000'000)
        number = number * 10 + (name[i++] - '0');
      key.emplace_back(number, "");
    } else {
      key.back().second += name[i++];
    }
  }
  return key;
}

/// DataError unless shapes chain to one output and all numbers are finite.
void check_network(const ReluNetwork& network, const std::string& source) {
  if (network.layers.size() < 2)
    throw base::DataError(source + ": " + base::counted(network.layers.size(), "layer") +
                              "; a ReLU network has at least one hidden layer and an output layer",
                          "expected pairs of *.weight and *.bias");
  std::int64_t inputs = std::max<std::int64_t>(network.inputs(), 1);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const DenseLayer& layer = network.layers[l];
    const std::string name = source + ": layer " + std::to_string(l);
    if (layer.inputs() != inputs)
      throw base::DataError(name + " reads " + base::counted(layer.inputs(), "value") +
                            ", expected " + std::to_string(inputs));
    if (static_cast<std::int64_t>(layer.bias.size()) != layer.outputs())
      throw base::DataError(name + " has " + base::counted(layer.outputs(), "row") + " and " +
                            base::counted(layer.bias.size(), "bias", "biases"));
    bool finite = true;
    for (const double value : layer.weight.flat()) finite = finite && std::isfinite(value);
    for (const double value : layer.bias) finite = finite && std::isfinite(value);
    if (!finite) throw base::DataError(name + " holds a value that is not finite");
    inputs = layer.outputs();
  }
  if (inputs != 1)
    throw base::DataError(source + ": the network has " + base::counted(inputs, "output") +
                          ", expected one");
}

DenseLayer layer_from(const io::TensorFile& file, const std::string& stem) {
  const io::StoredTensor& weight = file.at(stem + "weight");
  const io::StoredTensor& bias = file.at(stem + "bias");
  if (bias.shape.rank() != 1)
    throw base::DataError(file.source + ": " + stem + "bias has shape " + bias.shape.text() +
                          ", expected one dimension");
  DenseLayer layer;
  layer.weight = weight.to<double>();
  const tensor::Tensor<double> values = bias.to<double>();
  layer.bias.assign(values.data(), values.data() + values.size());
  return layer;
}

double number(const io::Json& value, const std::string& place) {
  if (!value.is_number()) throw base::DataError(place + ": expected a number");
  return value.get<double>();
}

std::optional<numerics::Interval> interval_from(const io::Json& json, const std::string& source) {
  if (!json.contains(kInterval)) return std::nullopt;
  const io::Json& bounds = json.at(kInterval);
  if (!bounds.is_array() || bounds.size() != 2)
    throw base::DataError(source + ": 'interval' must be [low, high]");
  const numerics::Interval interval{number(bounds[0], source + ": interval"),
                                    number(bounds[1], source + ": interval")};
  if (!(interval.low < interval.high))
    throw base::DataError(source + ": 'interval' must be [low, high] with low < high");
  return interval;
}

/// Names of inputs and target from `json`, where it has them.
void read_names(const io::Json& json, const std::string& source, StoredNetwork& stored) {
  if (json.contains(kTarget)) {
    if (!json.at(kTarget).is_string()) throw base::DataError(source + ": 'target' must be a name");
    stored.target = json.at(kTarget).get<std::string>();
  }
  if (!json.contains(kInputs)) return;
  const io::Json& names = json.at(kInputs);
  bool good =
      names.is_array() && static_cast<std::int64_t>(names.size()) == stored.network.inputs();
  for (const io::Json& name : names) good = good && name.is_string();
  if (!good)
    throw base::DataError(source + ": 'inputs' must be a list of " +
                          base::counted(stored.network.inputs(), "name"));
  stored.inputs = names.get<std::vector<std::string>>();
}

DenseLayer layer_from(const io::Json& json, const std::string& place) {
  if (!json.is_object() || !json.contains("weight") || !json.contains("bias") ||
      !json["weight"].is_array() || json["weight"].empty() || !json["bias"].is_array())
    throw base::DataError(place + ": expected {\"weight\": [[...]], \"bias\": [...]}");
  const io::Json& rows = json["weight"];
  const std::size_t inputs = rows[0].is_array() ? rows[0].size() : 0;
  if (inputs == 0) throw base::DataError(place + ": 'weight' must be a list of rows of numbers");
  DenseLayer layer(static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(inputs));
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (!rows[k].is_array() || rows[k].size() != inputs)
      throw base::DataError(place + ": row " + std::to_string(k) + " of 'weight' does not have " +
                            base::counted(inputs, "number"));
    for (std::size_t j = 0; j < inputs; ++j)
      layer.w(static_cast<std::int64_t>(k), static_cast<std::int64_t>(j)) =
          number(rows[k][j], place + ": weight");
  }
  layer.bias.clear();
  for (const io::Json& value : json["bias"]) layer.bias.push_back(number(value, place + ": bias"));
  return layer;
}

}  // namespace

io::TensorFile network_tensors(const StoredNetwork& stored) {
  io::TensorFile file;
  for (std::size_t l = 0; l < stored.network.layers.size(); ++l) {
    const DenseLayer& layer = stored.network.layers[l];
    const std::string stem = "layers." + std::to_string(l) + ".";
    tensor::Tensor<double> bias({layer.outputs()});
    std::copy(layer.bias.begin(), layer.bias.end(), bias.data());
    file.put(stem + "weight", layer.weight);
    file.put(stem + "bias", bias);
  }
  file.metadata["format"] = "relu-network";
  if (stored.interval)
    file.metadata[kInterval] =
        io::format_json_line(io::Json::array({stored.interval->low, stored.interval->high}));
  if (!stored.inputs.empty())
    file.metadata[kInputs] = io::format_json_line(io::Json(stored.inputs));
  if (!stored.target.empty()) file.metadata[kTarget] = stored.target;
  return file;
}

io::Json network_json(const StoredNetwork& stored) {
  io::Json layers = io::Json::array();
  for (const DenseLayer& layer : stored.network.layers) {
    io::Json rows = io::Json::array();
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      const auto row = layer.weight.rows().row(k);
      rows.push_back(std::vector<double>(row.begin(), row.end()));
    }
    layers.push_back({{"weight", rows}, {"bias", layer.bias}});
  }
  io::Json json = {{"format", "relu-network"}, {"layers", layers}};
  if (stored.interval) json[kInterval] = {stored.interval->low, stored.interval->high};
  if (!stored.inputs.empty()) json[kInputs] = stored.inputs;
  if (!stored.target.empty()) json[kTarget] = stored.target;
  return json;
}

StoredNetwork network_from(const io::TensorFile& file) {
  constexpr std::string_view kWeight = "weight";
  std::vector<std::string> stems;
  for (const auto& [name, tensor] : file.tensors) {
    if (!name.ends_with(kWeight)) continue;
    if (tensor.shape.rank() != 2)
      throw base::DataError(file.source + ": " + name + " has shape " + tensor.shape.text() +
                            ", expected [outputs, inputs]");
    stems.push_back(name.substr(0, name.size() - kWeight.size()));
  }
  std::sort(stems.begin(), stems.end(), [](const std::string& a, const std::string& b) {
    return natural_key(a) < natural_key(b);
  });
  StoredNetwork stored;
  for (const std::string& stem : stems) stored.network.layers.push_back(layer_from(file, stem));
  check_network(stored.network, file.source);
  if (const auto found = file.metadata.find(kInterval); found != file.metadata.end())
    stored.interval =
        interval_from({{kInterval, io::parse_json(found->second, file.source)}}, file.source);
  io::Json names = io::Json::object();
  if (const auto found = file.metadata.find(kInputs); found != file.metadata.end())
    names[kInputs] = io::parse_json(found->second, file.source);
  if (const auto found = file.metadata.find(kTarget); found != file.metadata.end())
    names[kTarget] = found->second;
  read_names(names, file.source, stored);
  return stored;
}

StoredNetwork network_from(const io::Json& json, const std::string& source) {
  if (!json.is_object() || !json.contains("layers") || !json["layers"].is_array())
    throw base::DataError(source + ": expected an object with a list 'layers'");
  StoredNetwork stored;
  for (std::size_t l = 0; l < json["layers"].size(); ++l)
    stored.network.layers.push_back(
        layer_from(json["layers"][l], source + ": layer " + std::to_string(l)));
  check_network(stored.network, source);
  stored.interval = interval_from(json, source);
  read_names(json, source, stored);
  return stored;
}

StoredNetwork read_network(const std::filesystem::path& path) {
  if (path.extension() == ".json") return network_from(io::read_json(path), path.string());
  if (path.extension() == ".safetensors") return network_from(io::read_safetensors(path));
  throw base::UsageError(path.string() + ": expected a network in .safetensors or .json",
                         "relu-fit fit writes both");
}

void write_network(const StoredNetwork& stored, const std::filesystem::path& path) {
  if (path.extension() == ".json")
    io::write_json(path, network_json(stored));
  else if (path.extension() == ".safetensors")
    io::write_safetensors(path, network_tensors(stored));
  else
    throw base::UsageError(path.string() + ": the name must end in .json or .safetensors");
}

}  // namespace asap::region
