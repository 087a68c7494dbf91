#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model_input.h"
#include "data/dataset.h"
#include "text/tokenizer.h"

namespace asap::data {

/// The key of all random choices of a training step: which points of an example it uses, how it
/// changes images, which words it drops. They are a pure function of the seed, the step and the
/// position of an example in the batch of the step (`first_example` and following).
struct ExampleDraw {
  std::uint64_t seed = 0;
  std::uint32_t step = 0, first_example = 0;
};

/// Image augmentation in training.
struct ImageAugmentation {
  bool flip = false;
  int crop_padding = 0;  ///< pixels
};

/// Examples in the form a network reads, padded to the longest, with their labels. Buffers are kept
/// from one fill to the next. Padding consists of kUnknownToken, points of zeros, and labels
/// kNotScored.
class Batch {
 public:
  /// Copies the chosen examples and normalises images: (pixel / 255 - mean) / deviation. Where
  /// Dataset::drawn_points is less than the points of an example, it takes the first ones.
  /// InternalError when an index lies outside the data set.
  void fill(const Dataset& dataset, std::span<const std::int64_t> examples);

  /// The same with points drawn at random, without repetition.
  void fill(const Dataset& dataset, std::span<const std::int64_t> examples,
            const ExampleDraw& draw);

  /// Word dropout (Iyyer et al. 2015): each live token id becomes that of the unknown token with
  /// probability `rate`. Padding does not change it.
  void drop_words(double rate, const ExampleDraw& draw);

  /// Mirrors each image left to right with probability 1/2 (`flip`), pads it by crop_padding mean
  /// pixels on every side and crops its size at a random place (He et al. 2016, section 4.2). Does
  /// nothing when both are off, or without images.
  void augment_images(const ImageAugmentation& augmentation, const ExampleDraw& draw);

  /// Views of this batch, valid until the next fill.
  config::ModelInput<float> input() const;
  /// [B], or [B * N] when every token has a label: as many as rows of logits.
  std::span<const std::int32_t> labels() const { return labels_; }
  std::int64_t size() const { return examples_; }

 private:
  void fill_images(const Dataset& dataset, std::span<const std::int64_t> examples);
  void fill_tokens(const Dataset& dataset, std::span<const std::int64_t> examples);
  void draw_points(const Dataset& dataset, std::span<const std::int64_t> examples,
                   const ExampleDraw& draw);
  void fill_labels(const Dataset& dataset, std::span<const std::int64_t> examples);

  std::int64_t examples_ = 0, tokens_ = 0, value_width_ = 0;
  std::int64_t height_ = 0, width_ = 0;  // of images; 0: no images
  std::int32_t unknown_ = text::kUnknownToken;
  std::vector<float> values_, moved_;
  std::vector<std::int32_t> ids_, live_, labels_;
};

}  // namespace asap::data
