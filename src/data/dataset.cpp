#include "data/dataset.h"

#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "data/idx_dataset.h"
#include "data/shapes_dataset.h"

namespace asap {

const char* split_name(Split split) { return split == Split::train ? "train" : "test"; }

Dataset load_dataset(const DataConfig& config, Split split) {
  Dataset dataset = config.kind == DataKind::idx ? load_idx_dataset(config, split)
                                                 : draw_shapes_dataset(config, split);
  dataset.pixel_mean = config.pixel_mean;
  dataset.pixel_deviation = config.pixel_deviation;
  keep_first(dataset, split == Split::train ? config.train_examples : config.test_examples);
  return dataset;
}

ModelConfig fit_model_to_data(ModelConfig model, const Dataset& dataset,
                              const std::string& source) {
  const auto settle = [&](const char* field, int& size, int found) {
    if (size == 0) size = found;
    if (size != found)
      throw UsageError(source + ": model." + field + " is " + std::to_string(size) + ", but " +
                           dataset.name + " has " + std::to_string(found),
                       std::string("leave model.") + field + " out to take it from the data");
  };
  settle("image_height", model.image_height, dataset.height);
  settle("image_width", model.image_width, dataset.width);
  settle("channels", model.channels, dataset.channels);
  settle("classes", model.classes, dataset.classes());
  model.validate_complete(source);
  return model;
}

std::string dataset_fingerprint(const Dataset& dataset) {
  const auto bytes_of = [](const auto& values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(values[0]));
  };
  // The parts are hashed on their own first, so that a byte cannot move from one to the other
  // unseen.
  return content_fingerprint(
      std::to_string(dataset.size()) + "x" + std::to_string(dataset.channels) + "x" +
      std::to_string(dataset.height) + "x" + std::to_string(dataset.width) + "/" +
      std::to_string(dataset.classes()) + " " + content_fingerprint(bytes_of(dataset.pixels)) +
      " " + content_fingerprint(bytes_of(dataset.labels)));
}

void keep_first(Dataset& dataset, std::int64_t count) {
  if (count <= 0 || count >= dataset.size()) return;
  dataset.labels.resize(static_cast<std::size_t>(count));
  dataset.pixels.resize(static_cast<std::size_t>(count * dataset.image_size()));
  dataset.fingerprint = dataset_fingerprint(dataset);
}

}  // namespace asap
