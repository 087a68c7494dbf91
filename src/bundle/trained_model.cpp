#include "bundle/trained_model.h"

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle_file.h"
#include "config/run_folder.h"
#include "data/data_origin.h"
#include "data/load/load_dataset.h"

namespace asap::bundle {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> class_names_of(const config::RunFolder& run,
                                        const config::TrainConfig& config) {
  std::vector<std::string> names = data::remembered_class_names(run);
  if (std::ssize(names) != config.model.classes)
    names = data::load_dataset_for(run, config.data, data::Split::test).class_names;
  if (std::ssize(names) != config.model.classes)
    throw base::DataError(run.path().string() + ": the network has " +
                              base::counted(config.model.classes, "class", "classes") +
                              ", its data have " + std::to_string(names.size()),
                          "the data have changed since the training");
  return names;
}

}  // namespace

void require_fitting_operator(const compile::OperatorArtefact& compiled, const std::string& source,
                              const std::string& fingerprint, const config::ModelConfig& model) {
  compile::require_compiled_for(compiled, source, fingerprint);
  if (std::ssize(compiled.heads) != model.layers ||
      std::ssize(compiled.heads.front()) != model.heads ||
      compiled.head_width != model.head_width())
    throw base::DataError(source + ": the operator has " +
                              base::counted(compiled.heads.size(), "layer") + " of " +
                              base::counted(compiled.heads.front().size(), "head") + " of width " +
                              std::to_string(compiled.head_width) + ", the network " +
                              std::to_string(model.layers) + " of " + std::to_string(model.heads) +
                              " of width " + std::to_string(model.head_width()),
                          "compile the operator for this run with asap-compile");
}

TrainedModel load_run(const fs::path& run, const fs::path& compiled) {
  const config::RunFolder folder(run);
  const config::TrainConfig config = folder.read_config();
  TrainedModel model{run.string(), config, infer::Encoder::load(run), {}, nullptr, std::nullopt};
  if (config.data.kind == config::DataKind::text) {
    model.codec = text::read_text_codec(folder.text());
    model.class_names = model.codec->class_names;
  } else {
    model.class_names = class_names_of(folder, config);
  }
  if (compiled.empty()) return model;
  model.encoder.require_attention(run.string());
  model.compiled = compile::load_operator(compiled);
  require_fitting_operator(*model.compiled, compiled.string(), model.encoder.fingerprint(),
                           config.model);
  return model;
}

TrainedModel load_model(const fs::path& path, const fs::path& compiled) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return load_run(path, compiled);
  TrainedModel model = parse_bundle(base::read_file(path), path.string());
  if (compiled.empty()) return model;
  model.compiled = compile::load_operator(compiled);
  require_fitting_operator(*model.compiled, compiled.string(), model.encoder.fingerprint(),
                           model.config.model);
  model.cascade.reset();
  return model;
}

config::TrainConfig read_train_config(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? config::RunFolder(path).read_config()
                                         : load_model(path, "").config;
}

io::TensorFile read_weights(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return io::read_safetensors(config::RunFolder(path).require_checkpoint() / config::kModelFile);
  return parse_weights(base::read_file(path), path.string());
}

}  // namespace asap::bundle
