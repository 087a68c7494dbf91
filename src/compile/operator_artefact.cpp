#include "compile/operator_artefact.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace asap::compile {
namespace {

constexpr const char* kTensors = "operator.safetensors";
constexpr const char* kDescription = "operator.json";

// Far above any network; bounds what a damaged file can make us allocate.
constexpr std::int64_t kLargestExtent = 1 << 20;

std::string prefix(std::size_t layer) { return "layers." + std::to_string(layer) + "."; }

/// Sizes of an operator, and with them the shape of every tensor.
struct Extents {
  std::int64_t layers, heads, width, slices;
  attention::DualFeatures features;
  int teacher_iterations;
  std::int64_t column_errors;  // examples behind them; 0: not measured

  tensor::Shape slice_shape() const { return {heads, slices, width}; }
  tensor::Shape weight_shape() const { return {heads, features.weight_count(slices)}; }
  tensor::Shape landmark_shape() const { return {heads, features.landmarks, width}; }
};

Extents extents_of(const OperatorArtefact& artefact) {
  const attention::CompiledHead& first = artefact.heads.at(0).at(0);
  return {std::ssize(artefact.heads),
          std::ssize(artefact.heads[0]),
          artefact.head_width,
          first.features.uses_slices() ? first.query_slices.shape()[0] : 0,
          first.features,
          artefact.teacher_iterations,
          std::ssize(first.column_errors.sorted)};
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

io::TensorFile operator_tensors(const OperatorArtefact& artefact) {
  const Extents extents = extents_of(artefact);
  io::TensorFile file;
  for (std::size_t layer = 0; layer < artefact.heads.size(); ++layer) {
    const std::vector<attention::CompiledHead>& heads = artefact.heads[layer];
    const auto put = [&](const char* name, const tensor::Shape& shape, const auto& part) {
      file.put(prefix(layer) + name, stack(heads, shape, part));
    };
    using View = tensor::VectorView<const float>;
    if (extents.features.uses_slices()) {
      put("query_slices", extents.slice_shape(),
          [](const attention::CompiledHead& head) -> View { return head.query_slices.flat(); });
      put("key_slices", extents.slice_shape(),
          [](const attention::CompiledHead& head) -> View { return head.key_slices.flat(); });
    }
    if (extents.features.landmarks > 0)
      put("landmarks", extents.landmark_shape(),
          [](const attention::CompiledHead& head) -> View { return head.landmarks.flat(); });
    put("weights", extents.weight_shape(),
        [](const attention::CompiledHead& head) -> View { return head.weights; });
    put("score_scales", {extents.heads}, [](const attention::CompiledHead& head) -> View {
      return {&head.score_scale, 1};
    });
    if (extents.column_errors == 0) continue;
    put("column_errors", {extents.heads, extents.column_errors},
        [](const attention::CompiledHead& head) -> View { return head.column_errors.sorted; });
    put("teacher_column_errors", {extents.heads}, [](const attention::CompiledHead& head) -> View {
      return {&head.column_errors.teacher, 1};
    });
  }
  return file;
}

/// A required field of operator.json.
template <class T>
T require(const io::Json& json, const char* key, const std::string& source) {
  const auto found = json.find(key);
  if (found == json.end()) throw base::DataError(source + ": field '" + key + "' is missing");
  const bool fits = std::is_same_v<T, std::string> ? found->is_string()
                    : std::is_same_v<T, io::Json>  ? found->is_object()
                                                   : found->is_number_integer();
  if (!fits)
    throw base::DataError(source + ": field '" + key + "': expected " +
                          (std::is_same_v<T, std::string> ? "text"
                           : std::is_same_v<T, io::Json>  ? "an object"
                                                          : "a whole number") +
                          ", got " + io::excerpt(found->dump()));
  return found->get<T>();
}

std::int64_t require_extent(const io::Json& json, const char* key, std::int64_t least,
                            const std::string& source) {
  const auto value = require<std::int64_t>(json, key, source);
  if (value < least || value > kLargestExtent)
    throw base::DataError(source + ": field '" + key + "': " + std::to_string(value) +
                          " is not between " + std::to_string(least) + " and " +
                          std::to_string(kLargestExtent));
  return value;
}

void check_format(const io::Json& json, const std::string& source) {
  if (!json.is_object() ||
      require<std::string>(json, "format", source) != OperatorArtefact::kFormat)
    throw base::DataError(source + ": not a compiled operator",
                          "name a folder that asap-compile wrote");
  const auto version = require<std::int64_t>(json, "version", source);
  if (version < OperatorArtefact::kOldestVersion || version > OperatorArtefact::kVersion)
    throw base::DataError(source + ": format version " + std::to_string(version) +
                              ", this version of the toolkit reads versions " +
                              std::to_string(OperatorArtefact::kOldestVersion) + " to " +
                              std::to_string(OperatorArtefact::kVersion),
                          "compile the operator again");
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

std::vector<attention::CompiledHead> read_layer(const io::TensorFile& file, std::size_t layer,
                                                const Extents& extents) {
  const tensor::Tensor<float> weights =
      read_tensor(file, prefix(layer) + "weights", extents.weight_shape());
  const tensor::Tensor<float> scales =
      read_tensor(file, prefix(layer) + "score_scales", {extents.heads});
  tensor::Tensor<float> query, key, landmarks;
  if (extents.features.landmarks > 0)
    landmarks = read_tensor(file, prefix(layer) + "landmarks", extents.landmark_shape());
  if (extents.features.uses_slices()) {
    query = read_tensor(file, prefix(layer) + "query_slices", extents.slice_shape());
    key = read_tensor(file, prefix(layer) + "key_slices", extents.slice_shape());
  }
  std::vector<attention::CompiledHead> heads(extents.heads);
  for (std::int64_t h = 0; h < extents.heads; ++h) {
    if (!(scales[h] > 0))
      throw base::DataError(file.source + ": tensor '" + prefix(layer) +
                            "score_scales' must be positive");
    const tensor::VectorView<const float> row = weights.rows().row(h);
    heads[h].features = extents.features;
    heads[h].score_scale = scales[h];
    heads[h].weights.assign(row.begin(), row.end());
    heads[h].teacher_iterations = extents.teacher_iterations;
    if (extents.features.landmarks > 0) heads[h].landmarks = part(landmarks, h);
    if (!extents.features.uses_slices()) continue;
    heads[h].query_slices = part(query, h);
    heads[h].key_slices = part(key, h);
  }
  return heads;
}

/// The column errors of a layer's heads, if the operator has any.
void read_column_errors(const io::TensorFile& file, std::size_t layer, const Extents& extents,
                        std::vector<attention::CompiledHead>& heads) {
  if (extents.column_errors == 0) return;
  const std::string name = prefix(layer) + "column_errors";
  const tensor::Tensor<float> errors =
      read_tensor(file, name, {extents.heads, extents.column_errors});
  const tensor::Tensor<float> teacher =
      read_tensor(file, prefix(layer) + "teacher_column_errors", {extents.heads});
  for (std::int64_t h = 0; h < extents.heads; ++h) {
    const tensor::VectorView<const float> row = errors.rows().row(h);
    if (!std::ranges::is_sorted(row))
      throw base::DataError(file.source + ": tensor '" + name + "' does not ascend");
    heads[h].column_errors = {{row.begin(), row.end()}, teacher[h]};
  }
}

CompileConfig read_fit(const io::Json& json, const std::string& source) {
  CompileConfig config;
  try {
    config::from_json(require<io::Json>(json, "fit", source), config, source + ": fit");
    config.validate(source + ": fit");
    if (config.chooses_features())
      throw base::UsageError(source + ": fit: features: 'auto' is not what was fitted");
  } catch (const base::UsageError& error) {  // what the user can do about it is different in a file
    throw base::DataError(error.what(), "compile the operator again");
  }
  return config;
}

}  // namespace

void save_operator(const std::filesystem::path& folder, const OperatorArtefact& artefact) {
  const Extents extents = extents_of(artefact);
  base::make_directories(folder);
  const std::string tensors = io::serialise_safetensors(operator_tensors(artefact));
  base::write_file_atomically(folder / kTensors, tensors);
  io::write_json(folder / kDescription,
                 {{"format", OperatorArtefact::kFormat},
                  {"version", OperatorArtefact::kVersion},
                  {"model_fingerprint", artefact.model_fingerprint},
                  {"tensors_fingerprint", base::content_fingerprint(tensors)},
                  {"layers", extents.layers},
                  {"heads", extents.heads},
                  {"head_width", extents.width},
                  {"slices", extents.slices},
                  {"teacher_iterations", artefact.teacher_iterations},
                  {"calibration_source", artefact.calibration_source},
                  {"column_error_examples", extents.column_errors},
                  {"fit", fit_json(artefact.config)}});
}

OperatorArtefact load_operator(const std::filesystem::path& folder) {
  return parse_operator(base::read_file(folder / kDescription), base::read_file(folder / kTensors),
                        folder);
}

OperatorArtefact parse_operator(std::string_view description, std::string_view tensors,
                                const std::filesystem::path& folder) {
  const std::string source = (folder / kDescription).string();
  const std::string tensor_source = (folder / kTensors).string();
  const io::Json json = io::parse_json(description, source);
  check_format(json, source);
  OperatorArtefact artefact;
  artefact.config = read_fit(json, source);
  artefact.model_fingerprint = require<std::string>(json, "model_fingerprint", source);
  artefact.calibration_source = require<std::string>(json, "calibration_source", source);
  artefact.teacher_iterations =
      static_cast<int>(require_extent(json, "teacher_iterations", 1, source));
  const Extents extents{require_extent(json, "layers", 1, source),
                        require_extent(json, "heads", 1, source),
                        require_extent(json, "head_width", 1, source),
                        require_extent(json, "slices", 0, source),
                        artefact.config.dual_features(),
                        artefact.teacher_iterations,
                        json.contains("column_error_examples")
                            ? require_extent(json, "column_error_examples", 0, source)
                            : 0};
  artefact.head_width = extents.width;

  if (base::content_fingerprint(tensors) !=
      require<std::string>(json, "tensors_fingerprint", source))
    throw base::DataError(
        tensor_source + ": does not belong to " + kDescription + " beside it, or is damaged",
        "compile the operator again");
  const io::TensorFile file = io::parse_safetensors(tensors, tensor_source);
  for (std::int64_t layer = 0; layer < extents.layers; ++layer) {
    artefact.heads.push_back(read_layer(file, static_cast<std::size_t>(layer), extents));
    read_column_errors(file, static_cast<std::size_t>(layer), extents, artefact.heads.back());
  }
  for (auto& layer : artefact.heads)
    for (attention::CompiledHead& head : layer) head.mode = artefact.config.mode;
  return artefact;
}

void require_compiled_for(const OperatorArtefact& artefact, const std::filesystem::path& folder,
                          const std::string& model_fingerprint) {
  if (artefact.model_fingerprint == model_fingerprint) return;
  const std::string compiled_for = artefact.model_fingerprint.empty()
                                       ? "activations of an unknown model"
                                       : "the model " + artefact.model_fingerprint;
  throw base::DataError(folder.string() + ": compiled for " + compiled_for +
                            ", but this model is " + model_fingerprint,
                        "compile the operator for this run with asap-compile");
}

}  // namespace asap::compile
