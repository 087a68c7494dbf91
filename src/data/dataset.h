#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data_config.h"
#include "io/model_config.h"

namespace asap {

enum class Split { train, test };

/// "train" or "test".
const char* split_name(Split split);

/// Labelled images in memory. Pixels are bytes (a quarter of the memory of floats) and become
/// normalised floats when a batch is filled: (pixel / 255 - mean) / deviation.
struct Dataset {
  std::string name;  ///< for messages: "fashion-mnist train"
  int channels = 1;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< [examples, channels, height, width]
  std::vector<std::int32_t> labels;  ///< [examples], each in [0, classes())
  std::vector<std::string> class_names;
  double pixel_mean = 0.5;
  double pixel_deviation = 0.5;
  std::string fingerprint;  ///< of sizes, pixels and labels: recognises the data again

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t image_size() const { return std::int64_t{channels} * height * width; }
  int classes() const { return static_cast<int>(class_names.size()); }
};

/// Reads or draws one part of the data. DataError names the file, with a hint what to install or
/// which flag to set when it is missing.
Dataset load_dataset(const DataConfig& config, Split split);

/// Fills the sizes of the model that are 0 from the data and checks the others against them.
/// UsageError names the field. The result is complete and valid.
ModelConfig fit_model_to_data(ModelConfig model, const Dataset& dataset, const std::string& source);

/// Fingerprint of a data set's content; see Dataset::fingerprint.
std::string dataset_fingerprint(const Dataset& dataset);

/// Keeps the first `count` examples (0: all) and renews the fingerprint.
void keep_first(Dataset& dataset, std::int64_t count);

}  // namespace asap
