#include "compile/operator_artefact.h"

#include "base/counted.h"
#include "base/files.h"
#include "compile/operator_layer.h"
#include "compile/transport_artefact.h"

namespace asap::compile {
namespace {

constexpr const char* kBoundExamples = "column_error_bound_examples";

constexpr const char* kOtherData = "calibration_data";
constexpr const char* kTensors = OperatorArtefact::kTensors;
constexpr const char* kDescription = OperatorArtefact::kDescription;
constexpr int kFirstWithLayers = 3;  // version in which every layer has a description of its own

void check_format(const io::Json& json, const std::string& source) {
  const std::string format =
      json.is_object() ? require_field<std::string>(json, "format", source) : std::string();
  if (format == TransportArtefact::kFormat)
    throw base::DataError(source + ": the operator of a matcher, not of a network with attention",
                          "name a folder that asap-compile wrote for this network");
  if (format != OperatorArtefact::kFormat)
    throw base::DataError(source + ": not a compiled operator",
                          "name a folder that asap-compile wrote");
  const auto version = require_field<std::int64_t>(json, "version", source);
  if (version < OperatorArtefact::kOldestVersion || version > OperatorArtefact::kVersion)
    throw base::DataError(source + ": format version " + std::to_string(version) +
                              ", this version of the toolkit reads versions " +
                              std::to_string(OperatorArtefact::kOldestVersion) + " to " +
                              std::to_string(OperatorArtefact::kVersion),
                          "compile the operator again");
}

CompileConfig read_fit(const io::Json& json, const std::string& source) {
  CompileConfig config;
  try {
    config::from_json(require_field<io::Json>(json, "fit", source), config, source + ": fit");
    config.validate(source + ": fit");
  } catch (const base::UsageError& error) {  // what the user can do about it is different in a file
    throw base::DataError(error.what(), "compile the operator again");
  }
  return config;
}

/// The layers of an artefact of any version.
std::vector<OperatorLayer> read_layers(const io::Json& json, const CompileConfig& config,
                                       const std::string& source) {
  OperatorLayer common;
  const std::int64_t count = require_extent(json, "layers", 1, source);
  common.heads = require_extent(json, "heads", 1, source);
  common.width = require_extent(json, "head_width", 1, source);
  common.teacher_iterations =
      static_cast<int>(require_extent(json, "teacher_iterations", 1, source));
  if (json.contains("column_error_examples"))
    common.column_errors = require_extent(json, "column_error_examples", 0, source);
  if (json.contains(kBoundExamples)) {  // later than column errors
    const std::int64_t bounds = require_extent(json, kBoundExamples, 0, source);
    if (bounds != 0 && bounds != common.column_errors)
      throw base::DataError(source + ": field '" + kBoundExamples + "': " + std::to_string(bounds) +
                            " is neither 0 nor column_error_examples");
    common.bounds = bounds > 0;
  }
  const io::Json* described = nullptr;
  if (json["version"].get<int>() >= kFirstWithLayers) {
    described = json.contains("operators") ? &json["operators"] : nullptr;
    if (!described || !described->is_array() || std::ssize(*described) != count)
      throw base::DataError(source + ": field 'operators': expected a list of " +
                            base::counted(count, "layer"));
  } else {
    if (config.chooses_features())
      throw base::DataError(source + ": fit: features: 'auto' is not what was fitted",
                            "compile the operator again");
    common.mode = config.mode;
    common.features = config.dual_features();
    common.slices = require_extent(json, "slices", 0, source);
  }
  std::vector<OperatorLayer> layers;
  for (std::int64_t index = 0; index < count; ++index) {
    common.index = static_cast<std::size_t>(index);
    layers.push_back(common);
    if (described)
      read_layer_json((*described)[layers.back().index], config.mode,
                      source + ": operators[" + std::to_string(index) + "]", layers.back());
  }
  return layers;
}

}  // namespace

void save_operator(const std::filesystem::path& folder, const OperatorArtefact& artefact) {
  io::TensorFile file;
  io::Json operators = io::Json::array();
  OperatorLayer last;
  bool slack = false;
  for (std::size_t index = 0; index < artefact.heads.size(); ++index) {
    last = describe_layer(index, artefact.heads[index], artefact.head_width);
    put_layer(last, artefact.heads[index], file);
    slack = slack || last.slack;
    operators.push_back(layer_json(last));
  }
  base::make_directories(folder);
  const std::string tensors = io::serialise_safetensors(file);
  base::write_file_atomically(folder / kTensors, tensors);
  io::Json json = {
      {"format", OperatorArtefact::kFormat},
      {"version", slack ? OperatorArtefact::kVersion : OperatorArtefact::kVersionWithoutSlack},
      {"model_fingerprint", artefact.model_fingerprint},
      {"tensors_fingerprint", base::content_fingerprint(tensors)},
      {"layers", artefact.heads.size()},
      {"heads", last.heads},
      {"head_width", last.width},
      {"operators", std::move(operators)},
      {"teacher_iterations", artefact.teacher_iterations},
      {"calibration_source", artefact.calibration_source},
      {"column_error_examples", last.column_errors},
      {kBoundExamples, last.bounds ? last.column_errors : 0},
      {"fit", fit_json(artefact.config)}};
  if (!artefact.other_data.empty()) json[kOtherData] = artefact.other_data;
  if (!artefact.choice.is_null()) json["choice"] = artefact.choice;
  io::write_json(folder / kDescription, json);
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
  artefact.model_fingerprint = require_field<std::string>(json, "model_fingerprint", source);
  artefact.calibration_source = require_field<std::string>(json, "calibration_source", source);
  if (json.contains(kOtherData)) {  // later than the others
    artefact.other_data = json[kOtherData];
    if (!artefact.other_data.is_object())
      throw base::DataError(source + ": field '" + kOtherData + "': expected an object of keys",
                            "compile the operator again");
  }
  if (json.contains("choice")) artefact.choice = json["choice"];
  const std::vector<OperatorLayer> layers = read_layers(json, artefact.config, source);
  artefact.teacher_iterations = layers[0].teacher_iterations;
  artefact.head_width = layers[0].width;
  if (base::content_fingerprint(tensors) !=
      require_field<std::string>(json, "tensors_fingerprint", source))
    throw base::DataError(
        tensor_source + ": does not belong to " + kDescription + " beside it, or is damaged",
        "compile the operator again");
  const io::TensorFile file = io::parse_safetensors(tensors, tensor_source);
  for (const OperatorLayer& layer : layers) artefact.heads.push_back(get_layer(layer, file));
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
