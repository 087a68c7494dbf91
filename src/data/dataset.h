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

/// What the examples of a data set are: images, sequences of token ids, or sets of points. The
/// pairs of a matching task are sets of points whose points have labels.
enum class ExampleKind { images, tokens, points };

/// "images", "texts" or "point sets", for messages.
const char* examples_name(ExampleKind kind);

/// Labelled examples in memory, all of one kind. Token sequences and sets of points differ in
/// length: their tokens lie one example after the other, and `offsets` holds the begin of each.
struct Dataset {
  std::string name;  ///< for messages: "fashion-mnist train"
  ExampleKind kind = ExampleKind::images;

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
  int max_tokens = 0;                 ///< largest length that loading allows; 0: no limit
  std::vector<float> points;          ///< [offsets.back(), point_width]
  int point_width = 0;
  int drawn_points = 0;  ///< points used of each example; 0: all

  std::vector<std::int32_t> labels;  ///< [examples], or [offsets.back()] when labels_tokens; each
                                     ///< in [0, classes()) or kNotScored
  bool labels_tokens = false;        ///< every token has a label, instead of every example
  std::vector<std::string> class_names;
  std::string fingerprint;   ///< identifies the content, without names
  std::string place;         ///< folder or file that it was read from; empty: drawn
  std::string skipped;       ///< files beside the data that were not read: "3 (2 .webp, 1 hidden)"
  std::string columns;       ///< texts: "label column 'label', text column 'text'"
  std::string likely_label;  ///< texts: "column 'label' has 2 values", when another column looks
                             ///< like the labels
  std::string warning;       ///< what about the files may be read wrongly; empty: nothing
  std::shared_ptr<const text::TextCodec>
      codec;  ///< only for texts from files, else null: see text/text_codec.h

  /// The text to show for the token at a position of `ids` or `points`; null: its number.
  std::function<std::string(const Dataset& dataset, std::int64_t position)> token_name;

  std::int64_t size() const {
    return static_cast<std::int64_t>(kind == ExampleKind::images ? labels.size()
                                                                 : offsets.size() - 1);
  }
  std::int64_t image_size() const { return std::int64_t{channels} * height * width; }
  int classes() const { return static_cast<int>(class_names.size()); }
  /// Tokens of one example as a network reads it; 0 for images, where the model decides.
  std::int64_t tokens(std::int64_t example) const {
    const std::int64_t stored = stored_tokens(example);
    return drawn_points > 0 && drawn_points < stored ? drawn_points : stored;
  }
  /// Tokens that are stored of one example.
  std::int64_t stored_tokens(std::int64_t example) const {
    return offsets.empty() ? 0 : offsets[example + 1] - offsets[example];
  }
  /// Tokens of the longest example.
  std::int64_t longest() const;
  /// Index of the first label of one example.
  std::int64_t first_label(std::int64_t example) const {
    return labels_tokens ? offsets[example] : example;
  }
  std::int64_t label_count(std::int64_t example) const {
    return labels_tokens ? tokens(example) : 1;
  }
};

/// A warning when most examples of a data set are the only ones of their class, as when numbers of
/// rows are taken for labels; empty: no doubt.
std::string doubt_about_labels(const Dataset& dataset);

/// "2: neg, pos (label column 'label', text column 'text')": classes of texts, and where they come
/// from; empty for other examples.
std::string describe_classes(const Dataset& dataset);

/// "3 (2 .webp, 1 hidden) in photos/train: not .png, .jpg or .jpeg"; empty: nothing was skipped.
std::string describe_skipped(const Dataset& dataset);

/// Fingerprint of a data set's content; see Dataset::fingerprint.
std::string dataset_fingerprint(const Dataset& dataset);

/// Keeps the first `count` examples (0: all) and renews the fingerprint.
void keep_first(Dataset& dataset, std::int64_t count);

/// All examples sorted by length (images, and examples of equal length, in their order), so that
/// neighbours need little padding.
std::vector<std::int64_t> length_order(const Dataset& dataset);

/// The number of labels of these examples that are scored.
std::int64_t count_scored(const Dataset& dataset, std::span<const std::int64_t> examples);

}  // namespace asap::data
