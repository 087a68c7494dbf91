// Folders of runs with random weights, for readers of trained networks.
#pragma once

#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/random.h"
#include "compile/operator_artefact.h"
#include "config/run_folder.h"
#include "data/data_origin.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "support/random_encoder.h"
#include "support/text_folder.h"
#include "text/text_codec.h"

namespace asap::test {

/// Writes the folder of a run that was trained, so to speak, on these data.
inline void write_run(const std::filesystem::path& folder, config::TrainConfig config) {
  const data::Dataset train = data::load_dataset(config.data, data::Split::train);
  config.model.width = 8;
  config.model.heads = 2;
  config.model.layers = 2;
  config.model.attention.iterations = 4;
  config.model = data::fit_model_to_data(config.model, train, "test");
  const config::RunFolder run(folder);
  base::make_directories(run.checkpoint(1));
  io::write_json(run.config(), config::to_json(config));
  io::write_safetensors(run.checkpoint(1) / config::kModelFile, random_weights(config.model));
  io::write_json(run.checkpoint(1) / config::kStateFile, io::Json::object());
  if (train.codec) text::write_text_codec(*train.codec, run.text());
  data::remember_data(run, train, data::load_dataset(config.data, data::Split::test, train.codec));
}

/// A run on texts of two classes, "good" and "bad", that lie in `data`.
inline void write_text_run(const std::filesystem::path& folder, const std::filesystem::path& data,
                           const config::TextConfig& text = {}) {
  write_text_folder(data, 48);
  config::TrainConfig config;
  config.model.kind = config::ModelKind::text;
  config.data.kind = config::DataKind::text;
  config.data.path = data.string();
  config.data.text = text;
  write_run(folder, config);
}

/// A run on drawn images of 8 x 8 pixels and four classes.
inline void write_image_run(const std::filesystem::path& folder) {
  config::TrainConfig config;
  config.data = small_data();
  config.data.shapes.examples = 40;
  config.model.patch = 2;
  write_run(folder, config);
}

/// A run on drawn sets of points in space.
inline void write_point_run(const std::filesystem::path& folder) {
  config::TrainConfig config;
  config.model.kind = config::ModelKind::set;
  config.data.kind = config::DataKind::solids;
  config.data.classes = 3;
  config.data.solids.examples = config.data.solids.test_examples = 12;
  config.data.solids.points = 16;
  write_run(folder, config);
}

/// An operator of random weights for the network of a run.
inline void write_operator(const std::filesystem::path& folder, const std::filesystem::path& run) {
  const infer::Encoder encoder = infer::Encoder::load(run);
  base::RandomStream random(51, base::RandomPurpose::test);
  compile::OperatorArtefact artefact;
  artefact.config.features = {"lse"};
  artefact.head_width = encoder.config().head_width();
  artefact.teacher_iterations = encoder.config().attention.iterations;
  artefact.model_fingerprint = encoder.fingerprint();
  artefact.calibration_source = (run / "train.tsv").string();
  for (const std::vector<float>& layer : encoder.score_scales()) {
    artefact.heads.emplace_back();
    for (const float scale : layer) {
      attention::CompiledHead head{.features = artefact.config.dual_features(),
                                   .score_scale = scale};
      head.teacher_iterations = artefact.teacher_iterations;
      head.column_errors = {
          .sorted = {0.01F, 0.02F, 0.5F}, .bounds = {0.02F, 0.03F, 0.9F}, .teacher = 0.25F};
      for (std::int64_t p = 0; p < head.features.weight_count(0); ++p)
        head.weights.push_back(static_cast<float>(random.normal()));
      artefact.heads.back().push_back(std::move(head));
    }
  }
  compile::save_operator(folder, artefact);
}

}  // namespace asap::test
