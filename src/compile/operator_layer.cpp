#include "compile/operator_layer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compile/compile_config.h"

namespace asap::compile {
namespace {

// Far above any network; bounds what a damaged file can make us allocate.
constexpr std::int64_t kLargestExtent = 1 << 20;

constexpr const char* kBfloat16 = "bfloat16";
constexpr const char* kSingle = "single";

std::string prefix(const OperatorLayer& layer) {
  return "layers." + std::to_string(layer.index) + ".";
}

tensor::Shape slice_shape(const OperatorLayer& layer) {
  return {layer.heads, layer.slices, layer.width};
}
tensor::Shape weight_shape(const OperatorLayer& layer) {
  return {layer.heads, layer.features.weight_count(layer.slices)};
}
tensor::Shape landmark_shape(const OperatorLayer& layer) {
  return {layer.heads, layer.features.landmarks, layer.width};
}

/// The pieces of all heads of one layer, concatenated.
template <class Part>
tensor::Tensor<float> stack(const std::vector<attention::CompiledHead>& heads,
                            const tensor::Shape& shape, const Part& part) {
  tensor::Tensor<float> out(shape);
  const std::int64_t size = shape.size() / std::ssize(heads);
  for (std::size_t h = 0; h < heads.size(); ++h) {
    const tensor::VectorView<const float> values = part(heads[h]);
    base::check(std::ssize(values) == size, "save_operator: heads of different shapes");
    std::copy(values.begin(), values.end(), out.data() + static_cast<std::int64_t>(h) * size);
  }
  return out;
}

tensor::Tensor<float> read_tensor(const io::TensorFile& file, const std::string& name,
                                  const tensor::Shape& shape) {
  tensor::Tensor<float> out = file.get<float>(name, shape);
  for (const float value : out.flat())
    if (!std::isfinite(value))
      throw base::DataError(file.source + ": tensor '" + name +
                            "' holds a value that is not finite");
  return out;
}

/// Part `head` of a tensor [heads, rows, D].
tensor::Tensor<float> part(const tensor::Tensor<float>& stacked, std::int64_t head) {
  tensor::Tensor<float> out({stacked.shape()[1], stacked.shape()[2]});
  std::copy_n(stacked.data() + head * out.size(), out.size(), out.data());
  return out;
}

void get_scales(const OperatorLayer& layer, const io::TensorFile& file,
                std::vector<attention::CompiledHead>& heads) {
  const std::string name = prefix(layer) + "score_scales";
  const tensor::Tensor<float> scales = read_tensor(file, name, {layer.heads});
  for (std::int64_t h = 0; h < layer.heads; ++h) {
    if (!(scales[h] > 0))
      throw base::DataError(file.source + ": tensor '" + name + "' must be positive");
    heads[h].score_scale = scales[h];
  }
}

void get_slacks(const OperatorLayer& layer, const io::TensorFile& file,
                std::vector<attention::CompiledHead>& heads) {
  if (!layer.slack) return;
  const std::string name = prefix(layer) + "slacks";
  const tensor::Tensor<float> slacks = read_tensor(file, name, {layer.heads});
  for (std::int64_t h = 0; h < layer.heads; ++h) {
    if (!(slacks[h] >= 0))
      throw base::DataError(file.source + ": tensor '" + name + "' must not be negative");
    heads[h].slack = slacks[h];
  }
}

void get_maps(const OperatorLayer& layer, const io::TensorFile& file,
              std::vector<attention::CompiledHead>& heads) {
  const tensor::Tensor<float> weights =
      read_tensor(file, prefix(layer) + "weights", weight_shape(layer));
  tensor::Tensor<float> query, key, landmarks;
  if (layer.features.landmarks > 0)
    landmarks = read_tensor(file, prefix(layer) + "landmarks", landmark_shape(layer));
  if (layer.features.uses_slices()) {
    query = read_tensor(file, prefix(layer) + "query_slices", slice_shape(layer));
    key = read_tensor(file, prefix(layer) + "key_slices", slice_shape(layer));
  }
  for (std::int64_t h = 0; h < layer.heads; ++h) {
    const tensor::VectorView<const float> row = weights.rows().row(h);
    heads[h].weights.assign(row.begin(), row.end());
    if (layer.features.landmarks > 0) heads[h].landmarks = part(landmarks, h);
    if (!layer.features.uses_slices()) continue;
    heads[h].query_slices = part(query, h);
    heads[h].key_slices = part(key, h);
  }
}

/// One ascending row per head.
tensor::Tensor<float> read_sorted(const OperatorLayer& layer, const char* name,
                                  const io::TensorFile& file) {
  const std::string full_name = prefix(layer) + name;
  tensor::Tensor<float> errors = read_tensor(file, full_name, {layer.heads, layer.column_errors});
  for (std::int64_t h = 0; h < layer.heads; ++h)
    if (!std::ranges::is_sorted(errors.rows().row(h)))
      throw base::DataError(file.source + ": tensor '" + full_name + "' does not ascend");
  return errors;
}

/// The column errors of a layer's heads, if the operator has any.
void get_column_errors(const OperatorLayer& layer, const io::TensorFile& file,
                       std::vector<attention::CompiledHead>& heads) {
  if (layer.column_errors == 0) return;
  const tensor::Tensor<float> errors = read_sorted(layer, "column_errors", file);
  const tensor::Tensor<float> teacher =
      read_tensor(file, prefix(layer) + "teacher_column_errors", {layer.heads});
  tensor::Tensor<float> bounds;
  if (layer.bounds) bounds = read_sorted(layer, "column_error_bounds", file);
  tensor::Tensor<float> first;
  if (layer.start_errors)
    first = read_tensor(file, prefix(layer) + "largest_start_errors", {layer.heads});
  for (std::int64_t h = 0; h < layer.heads; ++h) {
    attention::ColumnErrors& out = heads[h].column_errors;
    const tensor::VectorView<const float> row = errors.rows().row(h);
    out.sorted.assign(row.begin(), row.end());
    out.teacher = teacher[h];
    if (layer.start_errors) out.largest_start = first[h];
    if (!layer.bounds) continue;
    const tensor::VectorView<const float> bound = bounds.rows().row(h);
    out.bounds.assign(bound.begin(), bound.end());
  }
}

using View = tensor::VectorView<const float>;

void put_maps(const OperatorLayer& layer, const std::vector<attention::CompiledHead>& heads,
              io::TensorFile& file) {
  const auto put = [&](const char* name, const tensor::Shape& shape, const auto& piece) {
    file.put(prefix(layer) + name, stack(heads, shape, piece));
  };
  if (layer.features.uses_slices()) {
    put("query_slices", slice_shape(layer),
        [](const attention::CompiledHead& head) -> View { return head.query_slices.flat(); });
    put("key_slices", slice_shape(layer),
        [](const attention::CompiledHead& head) -> View { return head.key_slices.flat(); });
  }
  if (layer.features.landmarks > 0)
    put("landmarks", landmark_shape(layer),
        [](const attention::CompiledHead& head) -> View { return head.landmarks.flat(); });
  put("weights", weight_shape(layer),
      [](const attention::CompiledHead& head) -> View { return head.weights; });
}

bool knows_start_error(const attention::CompiledHead& head) {
  return head.column_errors.measured() && std::isfinite(head.column_errors.largest_start);
}

/// An optional field of a layer.
bool read_flag(const io::Json& json, const char* key, const std::string& source) {
  if (!json.contains(key)) return false;
  if (!json[key].is_boolean())
    throw base::DataError(source + ": field '" + key + "': expected true or false, got " +
                          io::excerpt(json[key].dump()));
  return json[key].get<bool>();
}

attention::ProductPrecision parse_precision(const std::string& word, const std::string& source) {
  if (word == kSingle) return attention::ProductPrecision::single;
  if (word == kBfloat16) return attention::ProductPrecision::bfloat16;
  throw base::DataError(source + ": field 'precision': expected single or bfloat16, got '" +
                        io::excerpt(word) + "'");
}

}  // namespace

OperatorLayer describe_layer(std::size_t index, const std::vector<attention::CompiledHead>& heads,
                             std::int64_t width) {
  const attention::CompiledHead& first = heads.at(0);
  for (const attention::CompiledHead& head : heads)
    base::check(head.mode == first.mode && head.features == first.features &&
                    head.precision == first.precision && head.iterations == first.iterations,
                "describe_layer: the heads of a layer differ");
  return {.index = index,
          .mode = first.mode,
          .features = first.features,
          .precision = first.precision,
          .iterations = first.iterations,
          .slices = first.features.uses_slices() ? first.query_slices.shape()[0] : 0,
          .heads = std::ssize(heads),
          .width = width,
          .teacher_iterations = first.teacher_iterations,
          .column_errors = std::ssize(first.column_errors.sorted),
          .bounds = !first.column_errors.bounds.empty(),
          .start_errors = std::ranges::all_of(heads, knows_start_error),
          .slack = std::ranges::any_of(
              heads, [](const attention::CompiledHead& head) { return head.slack > 0; })};
}

io::Json layer_json(const OperatorLayer& layer) {
  io::Json json;
  if (layer.mode == attention::CompiledMode::sinkhorn)
    json = {{"iterations", layer.iterations}};
  else
    json = {{"features", feature_names(layer.features)}, {"slices", layer.slices}};
  json["precision"] =
      layer.precision == attention::ProductPrecision::bfloat16 ? kBfloat16 : kSingle;
  if (layer.slack) json["slack"] = true;
  if (layer.start_errors) json["start_errors"] = true;
  return json;
}

void read_layer_json(const io::Json& json, attention::CompiledMode mode, const std::string& source,
                     OperatorLayer& layer) {
  if (!json.is_object()) throw base::DataError(source + ": expected an object");
  const bool loop = json.contains("iterations");
  layer.slack = read_flag(json, "slack", source);
  layer.start_errors = read_flag(json, "start_errors", source);
  if (!loop || json.contains("precision"))  // loops had none at first
    layer.precision =
        parse_precision(require_field<std::string>(json, "precision", source), source);
  if (loop) {
    layer.mode = attention::CompiledMode::sinkhorn;
    layer.iterations = static_cast<int>(require_extent(json, "iterations", 1, source));
    return;
  }
  layer.mode = mode;
  const auto names = require_field<std::vector<std::string>>(json, "features", source);
  try {
    layer.features = parse_features(names, source);
  } catch (const base::UsageError& error) {  // what the user can do about it is different in a file
    throw base::DataError(error.what(), "compile the operator again");
  }
  if (mode == attention::CompiledMode::key_bias && !layer.features.known_before_scores())
    throw base::DataError(source + ": features: a key bias is known before the scores",
                          "compile the operator again");
  layer.slices = require_extent(json, "slices", 0, source);
}

void put_layer(const OperatorLayer& layer, const std::vector<attention::CompiledHead>& heads,
               io::TensorFile& file) {
  if (layer.mode != attention::CompiledMode::sinkhorn) put_maps(layer, heads, file);
  const auto put = [&](const char* name, const tensor::Shape& shape, const auto& piece) {
    file.put(prefix(layer) + name, stack(heads, shape, piece));
  };
  put("score_scales", {layer.heads}, [](const attention::CompiledHead& head) -> View {
    return {&head.score_scale, 1};
  });
  if (layer.slack)
    put("slacks", {layer.heads}, [](const attention::CompiledHead& head) -> View {
      return {&head.slack, 1};
    });
  if (layer.column_errors == 0) return;
  put("column_errors", {layer.heads, layer.column_errors},
      [](const attention::CompiledHead& head) -> View { return head.column_errors.sorted; });
  if (layer.bounds)
    put("column_error_bounds", {layer.heads, layer.column_errors},
        [](const attention::CompiledHead& head) -> View { return head.column_errors.bounds; });
  if (layer.start_errors)
    put("largest_start_errors", {layer.heads}, [](const attention::CompiledHead& head) -> View {
      return {&head.column_errors.largest_start, 1};
    });
  put("teacher_column_errors", {layer.heads}, [](const attention::CompiledHead& head) -> View {
    return {&head.column_errors.teacher, 1};
  });
}

std::vector<attention::CompiledHead> get_layer(const OperatorLayer& layer,
                                               const io::TensorFile& file) {
  std::vector<attention::CompiledHead> heads(static_cast<std::size_t>(layer.heads));
  for (attention::CompiledHead& head : heads) {
    head.mode = layer.mode;
    head.features = layer.features;
    head.precision = layer.precision;
    head.iterations = layer.iterations;
    head.teacher_iterations = layer.teacher_iterations;
  }
  get_scales(layer, file, heads);
  get_slacks(layer, file, heads);
  if (layer.mode != attention::CompiledMode::sinkhorn) get_maps(layer, file, heads);
  get_column_errors(layer, file, heads);
  return heads;
}

template <class T>
T require_field(const io::Json& json, const char* key, const std::string& source) {
  const auto found = json.find(key);
  if (found == json.end()) throw base::DataError(source + ": field '" + key + "' is missing");
  constexpr bool kText = std::is_same_v<T, std::string>, kObject = std::is_same_v<T, io::Json>,
                 kWords = std::is_same_v<T, std::vector<std::string>>;
  const auto is_text = [](const io::Json& word) { return word.is_string(); };
  const bool fits = kText     ? found->is_string()
                    : kObject ? found->is_object()
                    : kWords  ? found->is_array() && std::ranges::all_of(*found, is_text)
                              : found->is_number_integer();
  if (!fits)
    throw base::DataError(source + ": field '" + key + "': expected " +
                          (kText     ? "text"
                           : kObject ? "an object"
                           : kWords  ? "a list of texts"
                                     : "a whole number") +
                          ", got " + io::excerpt(found->dump()));
  return found->get<T>();
}

template std::string require_field(const io::Json&, const char*, const std::string&);
template io::Json require_field(const io::Json&, const char*, const std::string&);
template std::int64_t require_field(const io::Json&, const char*, const std::string&);

std::int64_t require_extent(const io::Json& json, const char* key, std::int64_t least,
                            const std::string& source) {
  const auto value = require_field<std::int64_t>(json, key, source);
  if (value < least || value > kLargestExtent)
    throw base::DataError(source + ": field '" + key + "': " + std::to_string(value) +
                          " is not between " + std::to_string(least) + " and " +
                          std::to_string(kLargestExtent));
  return value;
}

}  // namespace asap::compile
