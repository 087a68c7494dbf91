#include "train/checkpoint.h"

#include <algorithm>

#include "base/files.h"
#include "base/version.h"
#include "data/data_origin.h"
#include "train/resume_check.h"

namespace asap::train {
namespace fs = std::filesystem;
namespace {

constexpr int kFormatVersion = 1;

void fill_from(const io::TensorFile& file, const std::string& name, tensor::VectorView<float> out,
               const tensor::Shape& shape) {
  const io::StoredTensor& stored = file.at(name);
  if (!(stored.shape == shape))
    throw base::DataError(file.source + ": tensor '" + name + "' has shape " + stored.shape.text() +
                              ", the model needs " + shape.text(),
                          "the checkpoint belongs to a model of another shape");
  std::ranges::copy(stored.to<float>().flat(), out.begin());
}

/// A part of a flat buffer that belongs to one parameter.
tensor::VectorView<float> part(tensor::VectorView<float> flat,
                               const autodiff::ParameterStore<float>::Entry& entry) {
  return flat.subspan(static_cast<std::size_t>(entry.offset),
                      static_cast<std::size_t>(entry.shape.size()));
}

io::TensorFile export_optimizer(const autodiff::ParameterStore<float>& parameters,
                                optim::AdamW<float>& optimizer) {
  io::TensorFile file;
  for (const auto& entry : parameters.entries()) {
    const auto add = [&](const std::string& moment, tensor::VectorView<float> flat) {
      file.tensors.emplace(entry.name + "." + moment,
                           io::StoredTensor::from(tensor::TensorView<const float>(
                               part(flat, entry).data(), entry.shape)));
    };
    add("first_moment", optimizer.first_moment());
    add("second_moment", optimizer.second_moment());
  }
  return file;
}

std::string text_field(const io::Json& state, const char* name, const std::string& source) {
  if (!state.contains(name) || !state.at(name).is_string())
    throw base::DataError(source + ": '" + name + "' is missing or no text",
                          "the checkpoint is damaged");
  return state.at(name).get<std::string>();
}

std::int64_t natural_field(const io::Json& state, const char* name, const std::string& source) {
  if (!state.contains(name) || !state.at(name).is_number_integer() || state.at(name) < 0)
    throw base::DataError(source + ": '" + name + "' is missing or no natural number",
                          "the checkpoint is damaged");
  return state.at(name).get<std::int64_t>();
}

io::Json best_json(const BestTest& best) {
  return {{"step", best.step}, {"accuracy", best.accuracy}, {"loss", best.loss}};
}

std::optional<BestTest> read_best(const io::Json& state, const std::string& source) {
  const auto found = state.find("best");
  if (found == state.end()) return std::nullopt;
  const auto number = [&](const char* name) {
    if (!found->is_object() || !found->contains(name) || !found->at(name).is_number())
      throw base::DataError(source + ": 'best' needs the number '" + name + "'",
                            "the checkpoint is damaged");
    return found->at(name).get<double>();
  };
  return BestTest{static_cast<std::int64_t>(number("step")), number("accuracy"), number("loss")};
}

InitialWeights read_initial(const io::Json& state, const std::string& source) {
  InitialWeights initial;
  const auto found = state.find("initial_weights");
  if (found == state.end()) return initial;
  if (!found->is_object() || !found->contains("fresh") || !found->at("fresh").is_array())
    throw base::DataError(source + ": 'initial_weights' needs the list 'fresh'",
                          "the checkpoint is damaged");
  initial.fingerprint = text_field(*found, "fingerprint", source);
  for (const io::Json& name : found->at("fresh"))
    initial.fresh.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  return initial;
}

/// The part of state.json that TrainingProgress is. What a training never met is left out.
void put_progress(const TrainingProgress& progress, io::Json& state) {
  state["step"] = progress.step;
  if (progress.skipped_steps > 0) {
    state["skipped_steps"] = progress.skipped_steps;
    state["skipped_in_a_row"] = progress.skipped_in_a_row;
  }
  if (progress.rollbacks > 0) {
    state["rollbacks"] = progress.rollbacks;
    state["learning_rate_factor"] = progress.learning_rate_factor;
  }
  if (progress.best) state["best"] = best_json(*progress.best);
  if (!progress.initial.fingerprint.empty())
    state["initial_weights"] = {{"fingerprint", progress.initial.fingerprint},
                                {"fresh", progress.initial.fresh}};
}

TrainingProgress read_progress(const io::Json& state, const std::string& source) {
  const auto counter = [&](const char* name) {
    return state.contains(name) ? natural_field(state, name, source) : 0;
  };
  TrainingProgress progress;
  progress.step = natural_field(state, "step", source);
  progress.skipped_steps = counter("skipped_steps");
  progress.skipped_in_a_row = counter("skipped_in_a_row");
  progress.rollbacks = counter("rollbacks");
  if (const auto factor = state.find("learning_rate_factor"); factor != state.end()) {
    progress.learning_rate_factor = factor->is_number() ? factor->get<double>() : 0;
    if (!(progress.learning_rate_factor > 0 && progress.learning_rate_factor <= 1))
      throw base::DataError(source + ": 'learning_rate_factor' is not between 0 and 1",
                            "the checkpoint is damaged");
  }
  progress.best = read_best(state, source);
  progress.initial = read_initial(state, source);
  return progress;
}

/// Reads one file of a checkpoint and compares it with the fingerprint in state.json, if there is
/// one.
StoredWeights read_tensors(const fs::path& file, const io::Json& state) {
  const std::string bytes = base::read_file(file);
  const std::string fingerprint = base::content_fingerprint(bytes);
  const io::Json& files = state.value("files", io::Json::object());
  const auto expected = files.find(file.filename().string());
  if (expected != files.end() && *expected != fingerprint)
    throw base::DataError(file.string() + ": damaged: its content is not what was written",
                          "restore it from a copy, or remove this checkpoint");
  return {io::parse_safetensors(bytes, file.string()), fingerprint};
}

/// The content of an undamaged checkpoint folder.
struct StoredCheckpoint {  // NOLINT(bugprone-exception-escape): moving Json only says it may throw
  io::Json state;
  std::string source;  ///< path of state.json
  TrainingProgress progress;
  io::TensorFile model, moments;
};

StoredCheckpoint read_checkpoint(const fs::path& folder) {
  StoredCheckpoint stored;
  stored.source = (folder / config::kStateFile).string();
  stored.state = io::read_json(folder / config::kStateFile);
  if (!stored.state.is_object())
    throw base::DataError(stored.source + ": expected an object", "the checkpoint is damaged");
  if (natural_field(stored.state, "format_version", stored.source) != kFormatVersion)
    throw base::DataError(
        stored.source + ": unknown format_version " + stored.state.at("format_version").dump(),
        "the checkpoint was written by a newer asap-train");
  stored.progress = read_progress(stored.state, stored.source);
  stored.model = read_tensors(folder / config::kModelFile, stored.state).tensors;
  stored.moments = read_tensors(folder / config::kOptimizerFile, stored.state).tensors;
  return stored;
}

/// The newest checkpoint that can be read. If none can, the error of the newest one.
StoredCheckpoint read_newest(const config::RunFolder& run, const ResumeOptions& options) {
  const std::vector<std::int64_t> steps = run.checkpoint_steps();
  for (std::size_t i = steps.size(); i-- > 0;) {
    try {
      return read_checkpoint(run.checkpoint(steps[i]));
    } catch (const base::DataError& error) {
      if (i == 0) break;
      if (options.on_note)
        options.on_note(std::string(error.what()) + "; trying the checkpoint before it");
    }
  }
  return read_checkpoint(run.checkpoint(steps.back()));
}

/// Writes tensors and returns their fingerprint.
std::string write_tensors(const fs::path& path, const io::TensorFile& file) {
  const std::string bytes = io::serialise_safetensors(file);
  base::write_file_atomically(path, bytes);
  return base::content_fingerprint(bytes);
}

/// Restores the newest undamaged checkpoint of a training with a configuration of either type.
template <class Config>
bool load_any_checkpoint(const config::RunFolder& run, TrainingState& state, const Config& config,
                         const std::string& data_fingerprint, const ResumeOptions& options) {
  if (run.checkpoint_steps().empty()) return false;
  const StoredCheckpoint stored = read_newest(run, options);
  const bool same_data =
      text_field(stored.state, "data_fingerprint", stored.source) == data_fingerprint;
  check_same_configuration(stored.state.value("config", io::Json::object()), config,
                           options.allowed_changes, stored.source, same_data);
  if (!same_data) {
    const std::string folder = data::remembered_folder(run, data::Split::train);
    throw base::DataError(
        stored.source + ": the training data are not those the run was started with",
        "restore the original files" + (folder.empty() ? "" : ", which were in '" + folder + "'") +
            ", or train into another `out`");
  }
  autodiff::ParameterStore<float>& parameters = state.parameters;
  for (const auto& entry : parameters.entries()) {
    fill_from(stored.model, entry.name, part(parameters.flat(), entry), entry.shape);
    fill_from(stored.moments, entry.name + ".first_moment",
              part(state.optimizer.first_moment(), entry), entry.shape);
    fill_from(stored.moments, entry.name + ".second_moment",
              part(state.optimizer.second_moment(), entry), entry.shape);
  }
  state.progress = stored.progress;
  state.optimizer.set_steps(natural_field(stored.state, "optimizer_steps", stored.source));
  state.sampler.restore(stored.state.value("sampler", io::Json::object()), stored.source);
  return true;
}

}  // namespace

StoredWeights read_newest_weights(const config::RunFolder& run) {
  const fs::path checkpoint = run.require_checkpoint();
  return read_tensors(checkpoint / config::kModelFile,
                      io::read_json(checkpoint / config::kStateFile));
}

io::TensorFile export_parameters(const autodiff::ParameterStore<float>& parameters) {
  io::TensorFile file;
  for (const auto& entry : parameters.entries())
    file.tensors.emplace(entry.name, io::StoredTensor::from(tensor::TensorView<const float>(
                                         parameters.flat().data() + entry.offset, entry.shape)));
  return file;
}

void write_checkpoint(const fs::path& path, const TrainingState& state, const io::Json& config,
                      const std::string& data_fingerprint) {
  base::StagedDirectory folder(path);
  const autodiff::ParameterStore<float>& parameters = state.parameters;
  const std::string model =
      write_tensors(folder.path() / config::kModelFile, export_parameters(parameters));
  const std::string moments = write_tensors(folder.path() / config::kOptimizerFile,
                                            export_optimizer(parameters, state.optimizer));
  io::Json json = {{"format_version", kFormatVersion},
                   {"toolkit_version", base::version()},
                   {"files", {{config::kModelFile, model}, {config::kOptimizerFile, moments}}},
                   {"optimizer_steps", state.optimizer.steps()},
                   {"sampler", state.sampler.position()},
                   {"config", config},
                   {"data_fingerprint", data_fingerprint}};
  put_progress(state.progress, json);
  io::write_json(folder.path() / config::kStateFile, json);
  folder.commit();
}

void save_checkpoint(const config::RunFolder& run, const TrainingState& state,
                     const io::Json& config, const std::string& data_fingerprint, int keep) {
  write_checkpoint(run.checkpoint(state.progress.step), state, config, data_fingerprint);
  remove_old_checkpoints(run, keep);
}

void remove_old_checkpoints(const config::RunFolder& run, int keep) {
  const std::vector<std::int64_t> steps = run.checkpoint_steps();
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i)
    base::remove_folder(run.checkpoint(steps[i]));
}

bool load_checkpoint(const config::RunFolder& run, TrainingState& state,
                     const config::TrainConfig& config, const std::string& data_fingerprint,
                     const ResumeOptions& options) {
  return load_any_checkpoint(run, state, config, data_fingerprint, options);
}

bool load_checkpoint(const config::RunFolder& run, TrainingState& state,
                     const config::MatcherTrainConfig& config, const std::string& data_fingerprint,
                     const ResumeOptions& options) {
  return load_any_checkpoint(run, state, config, data_fingerprint, options);
}

}  // namespace asap::train
