#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/data_config.h"
#include "config/model_config.h"
#include "config/model_input.h"
#include "config/run_folder.h"
#include "text/text_codec.h"

namespace asap::data {

enum class Split { train, test };

/// "train" or "test".
const char* split_name(Split split);

/// Label of a token or example that is not scored.
using config::kNotScored;

/// Labelled examples in memory, of one kind: images, token sequences or sets of points. Which, is
/// told by the model that reads them (`kind`). Examples of the latter two differ in length: their
/// tokens lie one example after the other, and `offsets` says where each begins.
struct Dataset {
  std::string name;  ///< for messages: "fashion-mnist train"
  config::ModelKind kind = config::ModelKind::vit;

  // Images. Pixels are bytes (a quarter of the memory of floats) and become normalised floats when
  // a batch is filled: (pixel / 255 - mean) / deviation.
  int channels = 1;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< [examples, channels, height, width]
  double pixel_mean = 0.5;
  double pixel_deviation = 0.5;

  // Token sequences and sets of points.
  std::vector<std::int64_t> offsets;  ///< [examples + 1]: first token of each; empty for images
  std::vector<std::int32_t> ids;      ///< [offsets.back()], each in [0, vocabulary)
  int vocabulary = 0;                 ///< number of token ids, kUnknownToken among them
  int max_tokens = 0;                 ///< bound that loading put on lengths; 0: none
  std::vector<float> points;          ///< [offsets.back(), point_width]
  int point_width = 0;
  int drawn_points = 0;  ///< of each example so many of its points are used; 0: all

  std::vector<std::int32_t> labels;  ///< [examples], or [offsets.back()] when labels_tokens; each
                                     ///< in [0, classes()) or kNotScored
  bool labels_tokens = false;        ///< every token has a label, instead of every example
  std::vector<std::string> class_names;
  std::string fingerprint;  ///< of everything but names: recognises the data again
  std::shared_ptr<const text::TextCodec>
      codec;  ///< of texts from files, else null: see text/text_codec.h

  /// What readers are shown of the token at a position of `ids` or `points`; null: its number.
  std::function<std::string(const Dataset& dataset, std::int64_t position)> token_name;

  std::int64_t size() const {
    return static_cast<std::int64_t>(kind == config::ModelKind::vit ? labels.size()
                                                                    : offsets.size() - 1);
  }
  std::int64_t image_size() const { return std::int64_t{channels} * height * width; }
  int classes() const { return static_cast<int>(class_names.size()); }
  /// Tokens of one example as a network is given it; 0 for images, whose number the model decides.
  std::int64_t tokens(std::int64_t example) const {
    const std::int64_t stored = stored_tokens(example);
    return drawn_points > 0 && drawn_points < stored ? drawn_points : stored;
  }
  /// Tokens of one example there are to choose from.
  std::int64_t stored_tokens(std::int64_t example) const {
    return offsets.empty() ? 0 : offsets[example + 1] - offsets[example];
  }
  /// Tokens of the longest example.
  std::int64_t longest() const;
  /// First of the labels of one example, and their number.
  std::int64_t first_label(std::int64_t example) const {
    return labels_tokens ? offsets[example] : example;
  }
  std::int64_t label_count(std::int64_t example) const {
    return labels_tokens ? tokens(example) : 1;
  }
};

/// Fingerprint of a data set's content; see Dataset::fingerprint.
std::string dataset_fingerprint(const Dataset& dataset);

/// Keeps the first `count` examples (0: all) and renews the fingerprint.
void keep_first(Dataset& dataset, std::int64_t count);

/// All examples, the shortest first (of equal ones the first first; images: in their order), so
/// that neighbours need little padding.
std::vector<std::int64_t> length_order(const Dataset& dataset);

/// How many labels of these examples are scored.
std::int64_t count_scored(const Dataset& dataset, std::span<const std::int64_t> examples);

}  // namespace asap::data
