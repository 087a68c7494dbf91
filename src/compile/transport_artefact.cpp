#include "compile/transport_artefact.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "compile/operator_artefact.h"
#include "compile/operator_layer.h"
#include "io/safetensors.h"

namespace asap::compile {
namespace {

constexpr const char* kWeights = "weights";
constexpr const char* kAgain = "compile the operator again";
constexpr int kMostTeacherIterations = 10000;

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

void check_transport_format(const io::Json& json, const std::string& source) {
  const std::string format =
      json.is_object() ? require_field<std::string>(json, "format", source) : std::string();
  if (format == OperatorArtefact::kFormat)
    throw base::DataError(source + ": the operator of a network with attention, not of a matcher",
                          "name a folder that asap-compile wrote for this matcher");
  if (format != TransportArtefact::kFormat)
    throw base::DataError(source + ": not the compiled operator of a matcher",
                          "name a folder that asap-compile wrote for this matcher");
  const auto version = require_field<std::int64_t>(json, "version", source);
  if (version != TransportArtefact::kVersion)
    throw base::DataError(source + ": format version " + std::to_string(version) +
                              ", this version of the toolkit reads version " +
                              std::to_string(TransportArtefact::kVersion),
                          kAgain);
}

}  // namespace

void save_transport(const std::filesystem::path& folder, const TransportArtefact& artefact) {
  const auto& weights = artefact.map.weights;
  if (!all_finite(weights))
    throw base::NumericalError("the fitted weights of the transport are not finite",
                               "look for extreme scores: fit on other pairs");
  tensor::Tensor<double> tensor({std::ssize(weights)});
  std::ranges::copy(weights, tensor.data());
  io::TensorFile file;
  file.put(kWeights, tensor);
  base::make_directories(folder);
  const std::string bytes = io::serialise_safetensors(file);
  base::write_file_atomically(folder / OperatorArtefact::kTensors, bytes);
  io::write_json(folder / OperatorArtefact::kDescription,
                 {{"format", TransportArtefact::kFormat},
                  {"version", TransportArtefact::kVersion},
                  {"model_fingerprint", artefact.model_fingerprint},
                  {"tensors_fingerprint", base::content_fingerprint(bytes)},
                  {"teacher_iterations", artefact.teacher_iterations},
                  {"calibration_source", artefact.calibration_source},
                  {"calibration_pairs", artefact.calibration_pairs},
                  {"evidence", artefact.evidence}});
}

TransportArtefact load_transport(const std::filesystem::path& folder) {
  const std::string description = base::read_file(folder / OperatorArtefact::kDescription);
  const std::string source = (folder / OperatorArtefact::kDescription).string();
  check_transport_format(io::parse_json(description, source), source);  // before any other file
  return parse_transport(description, base::read_file(folder / OperatorArtefact::kTensors), folder);
}

TransportArtefact parse_transport(std::string_view description, std::string_view tensors,
                                  const std::filesystem::path& folder) {
  const std::string source = (folder / OperatorArtefact::kDescription).string();
  const std::string tensor_source = (folder / OperatorArtefact::kTensors).string();
  const io::Json json = io::parse_json(description, source);
  check_transport_format(json, source);
  TransportArtefact artefact;
  artefact.model_fingerprint = require_field<std::string>(json, "model_fingerprint", source);
  artefact.calibration_source = require_field<std::string>(json, "calibration_source", source);
  artefact.calibration_pairs = require_extent(json, "calibration_pairs", 1, source);
  const std::int64_t iterations = require_extent(json, "teacher_iterations", 1, source);
  if (iterations > kMostTeacherIterations)
    throw base::DataError(source + ": field 'teacher_iterations': " + std::to_string(iterations) +
                              " is more than " + std::to_string(kMostTeacherIterations),
                          kAgain);
  artefact.teacher_iterations = static_cast<int>(iterations);
  artefact.evidence = require_field<io::Json>(json, "evidence", source);
  if (base::content_fingerprint(tensors) !=
      require_field<std::string>(json, "tensors_fingerprint", source))
    throw base::DataError(tensor_source + ": does not belong to " + OperatorArtefact::kDescription +
                              " beside it, or is damaged",
                          kAgain);
  const io::TensorFile file = io::parse_safetensors(tensors, tensor_source);
  const tensor::Tensor<double> weights =
      file.get<double>(kWeights, {std::ssize(artefact.map.weights)});
  if (!all_finite(weights.flat()))
    throw base::DataError(tensor_source + ": tensor 'weights' has a value that is not finite",
                          kAgain);
  std::ranges::copy(weights.flat(), artefact.map.weights.begin());
  return artefact;
}

void require_compiled_for(const TransportArtefact& artefact, const std::filesystem::path& folder,
                          const std::string& model_fingerprint) {
  if (artefact.model_fingerprint == model_fingerprint) return;
  throw base::DataError(folder.string() + ": compiled for the matcher " +
                            artefact.model_fingerprint + ", but this one is " + model_fingerprint,
                        "compile the operator for this run with asap-compile");
}

}  // namespace asap::compile
