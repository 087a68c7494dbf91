#include "data/model_fit.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"

namespace asap::data {

ExampleKind examples_read_by(config::ModelKind kind) {
  switch (kind) {
    case config::ModelKind::vit:
    case config::ModelKind::mlp:
    case config::ModelKind::convolutional:
      return ExampleKind::images;
    case config::ModelKind::text:
      return ExampleKind::tokens;
    case config::ModelKind::set:
      return ExampleKind::points;
  }
  throw base::InternalError("examples_read_by: unknown kind");
}

config::ModelKind model_kind_for(ExampleKind kind) {
  if (kind == ExampleKind::images) return config::ModelKind::vit;
  return kind == ExampleKind::tokens ? config::ModelKind::text : config::ModelKind::set;
}

namespace {

const char* kind_name(config::ModelKind kind) {
  if (kind == config::ModelKind::vit) return "vit";
  if (kind == config::ModelKind::mlp) return "mlp";
  if (kind == config::ModelKind::convolutional) return "convolutional";
  return kind == config::ModelKind::text ? "text" : "set";
}

void check_kinds(const config::ModelConfig& model, const Dataset& dataset,
                 const std::string& source) {
  if (examples_read_by(model.kind) != dataset.kind)
    throw base::UsageError(
        source + ": model.kind is " + kind_name(model.kind) + ", but " + dataset.name + " holds " +
            examples_name(dataset.kind),
        std::string("--set model.kind=") + kind_name(model_kind_for(dataset.kind)));
  if (model.labels_tokens() != dataset.labels_tokens)
    throw base::UsageError(source + ": " + dataset.name + " has a label for every " +
                               (dataset.labels_tokens ? "token" : "example") +
                               ", and model.pooling " +
                               (dataset.labels_tokens ? "makes one answer per example"
                                                      : "is none, an answer per token"),
                           std::string("--set model.pooling=") +
                               (dataset.labels_tokens ? "none" : "mean, or class_token"));
}

/// Room for the longest example where positions need it. Data that are not longer fit a model with
/// more room.
void settle_max_tokens(config::ModelConfig& model, const Dataset& dataset,
                       const std::string& source) {
  const auto longest = static_cast<int>(dataset.longest());
  if (model.max_tokens == 0) model.max_tokens = std::max({longest, dataset.max_tokens, 1});
  if (model.has_positions() && longest > model.max_tokens)
    throw base::UsageError(
        source + ": model.max_tokens is " + std::to_string(model.max_tokens) +
            ", but the longest example of " + dataset.name + " has " +
            base::counted(longest, "token"),
        "raise model.max_tokens, or do without positions (model.positions=none)");
}

}  // namespace

config::ModelConfig fit_model_to_data(config::ModelConfig model, const Dataset& dataset,
                                      const std::string& source) {
  check_kinds(model, dataset, source);
  const auto settle = [&](const char* field, int& size, int found) {
    if (size == 0) size = found;
    if (size != found)
      throw base::UsageError(source + ": model." + field + " is " + std::to_string(size) +
                                 ", but " + dataset.name + " has " + std::to_string(found),
                             std::string("leave model.") + field + " out to take it from the data");
  };
  if (model.reads_images()) {
    settle("image_height", model.image_height, dataset.height);
    settle("image_width", model.image_width, dataset.width);
    settle("channels", model.channels, dataset.channels);
  } else if (model.kind == config::ModelKind::text) {
    settle("vocabulary", model.vocabulary, dataset.vocabulary);
    settle_max_tokens(model, dataset, source);
  } else {
    settle("point_width", model.point_width, dataset.point_width);
  }
  settle("classes", model.classes, dataset.classes());
  model.validate_complete(source);
  return model;
}

}  // namespace asap::data
