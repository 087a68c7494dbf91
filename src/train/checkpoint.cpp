#include "train/checkpoint.h"

#include <algorithm>

#include "base/files.h"
#include "base/version.h"

namespace asap {
namespace fs = std::filesystem;
namespace {

constexpr int kFormatVersion = 1;

void fill_from(const TensorFile& file, const std::string& name, VectorView<float> out,
               const Shape& shape) {
  const StoredTensor& stored = file.at(name);
  if (!(stored.shape == shape))
    throw DataError(file.source + ": tensor '" + name + "' has shape " + stored.shape.text() +
                        ", the model needs " + shape.text(),
                    "the checkpoint belongs to a model of another shape");
  std::ranges::copy(stored.to<float>().flat(), out.begin());
}

/// A part of a flat buffer that belongs to one parameter.
VectorView<float> part(VectorView<float> flat, const ParameterStore<float>::Entry& entry) {
  return flat.subspan(static_cast<std::size_t>(entry.offset),
                      static_cast<std::size_t>(entry.shape.size()));
}

TensorFile export_optimizer(const ParameterStore<float>& parameters, AdamW<float>& optimizer) {
  TensorFile file;
  for (const auto& entry : parameters.entries()) {
    const auto add = [&](const std::string& moment, VectorView<float> flat) {
      file.tensors.emplace(entry.name + "." + moment,
                           StoredTensor::from(TensorView<const float>(part(flat, entry).data(),
                                                                      entry.shape)));
    };
    add("first_moment", optimizer.first_moment());
    add("second_moment", optimizer.second_moment());
  }
  return file;
}

/// UsageError naming the first field in which the configurations differ.
void check_same_configuration(const Json& saved, const TrainConfig& config,
                              const std::string& source) {
  for (const FieldDescription& field : list_fields(config)) {
    std::string pointer = "/" + field.path;
    std::ranges::replace(pointer, '.', '/');
    const Json::json_pointer path(pointer);
    const Json before = saved.contains(path) ? saved.at(path) : Json();
    if (before != field.value)
      throw UsageError(field.path + " is " + field.value.dump() + ", but the run was started with " +
                           before.dump() + " (" + source + ")",
                       "resume with the same configuration, or train into another --out");
  }
}

std::string text_field(const Json& state, const char* name, const std::string& source) {
  if (!state.contains(name) || !state.at(name).is_string())
    throw DataError(source + ": '" + name + "' is missing or no text", "the checkpoint is damaged");
  return state.at(name).get<std::string>();
}

std::int64_t integer_field(const Json& state, const char* name, const std::string& source) {
  if (!state.contains(name) || !state.at(name).is_number_integer())
    throw DataError(source + ": '" + name + "' is missing or no integer",
                    "the checkpoint is damaged");
  return state.at(name).get<std::int64_t>();
}

}  // namespace

TensorFile export_parameters(const ParameterStore<float>& parameters) {
  TensorFile file;
  for (const auto& entry : parameters.entries())
    file.tensors.emplace(entry.name,
                         StoredTensor::from(TensorView<const float>(
                             parameters.flat().data() + entry.offset, entry.shape)));
  return file;
}

void save_checkpoint(const RunFolder& run, const TrainingState& state, const TrainConfig& config,
                     const std::string& data_fingerprint, int keep) {
  StagedDirectory folder(run.checkpoint(state.step));
  write_safetensors(folder.path() / kModelFile, export_parameters(state.model.parameters()));
  write_safetensors(folder.path() / kOptimizerFile,
                    export_optimizer(state.model.parameters(), state.optimizer));
  write_json(folder.path() / kStateFile, {{"format_version", kFormatVersion},
                                          {"toolkit_version", version()},
                                          {"step", state.step},
                                          {"optimizer_steps", state.optimizer.steps()},
                                          {"sampler", state.sampler.position()},
                                          {"config", to_json(config)},
                                          {"data_fingerprint", data_fingerprint}});
  folder.commit();
  std::vector<std::int64_t> steps = run.checkpoint_steps();
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i)
    fs::remove_all(run.checkpoint(steps[i]));
}

bool load_checkpoint(const RunFolder& run, TrainingState& state, const TrainConfig& config,
                     const std::string& data_fingerprint) {
  const auto folder = run.newest_checkpoint();
  if (!folder) return false;
  const std::string source = (*folder / kStateFile).string();
  const Json saved = read_json(*folder / kStateFile);
  if (integer_field(saved, "format_version", source) != kFormatVersion)
    throw DataError(source + ": unknown format_version " + saved.at("format_version").dump(),
                    "the checkpoint was written by a newer asap-train");
  check_same_configuration(saved.value("config", Json::object()), config, source);
  if (text_field(saved, "data_fingerprint", source) != data_fingerprint)
    throw DataError(source + ": the training data are not those the run was started with",
                    "restore the original files, or train into another --out");

  const TensorFile model = read_safetensors(*folder / kModelFile);
  const TensorFile moments = read_safetensors(*folder / kOptimizerFile);
  ParameterStore<float>& parameters = state.model.parameters();
  for (const auto& entry : parameters.entries()) {
    fill_from(model, entry.name, part(parameters.flat(), entry), entry.shape);
    fill_from(moments, entry.name + ".first_moment",
              part(state.optimizer.first_moment(), entry), entry.shape);
    fill_from(moments, entry.name + ".second_moment",
              part(state.optimizer.second_moment(), entry), entry.shape);
  }
  state.step = integer_field(saved, "step", source);
  state.optimizer.set_steps(integer_field(saved, "optimizer_steps", source));
  state.sampler.restore(saved.value("sampler", Json::object()), source);
  return true;
}

}  // namespace asap
