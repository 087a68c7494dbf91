#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model_input.h"
#include "data/dataset.h"

namespace asap::data {

/// Which points of an example a step of the training uses, how it changes images and which words it
/// drops: a pure function of the seed, the step, and which examples of the step's batch
/// (`first_example` and following) these are.
struct ExampleDraw {
  std::uint64_t seed = 0;
  std::uint32_t step = 0, first_example = 0;
};

/// How training changes images.
struct ImageAugmentation {
  bool flip = false;
  int crop_padding = 0;  ///< pixels
};

/// Examples as a network takes them, padded to the longest of them, with their labels. Buffers are
/// kept from one fill to the next. Padding is kUnknownToken, points of zeros, and labels
/// kNotScored.
class Batch {
 public:
  /// Copies the chosen examples; images normalised: (pixel / 255 - mean) / deviation. InternalError
  /// when an index lies outside the data set. Where Dataset::drawn_points asks for fewer points
  /// than there are, these are the first ones.
  void fill(const Dataset& dataset, std::span<const std::int64_t> examples);

  /// The same with points drawn at random, without repetition.
  void fill(const Dataset& dataset, std::span<const std::int64_t> examples,
            const ExampleDraw& draw);

  /// Word dropout (Iyyer et al. 2015): each live token id becomes kUnknownToken with probability
  /// `rate`. Padding does not change it.
  void drop_words(double rate, const ExampleDraw& draw);

  /// Mirrors each image left to right with probability 1/2, and cuts its size out of a picture with
  /// crop_padding more pixels on every side, at a random place (He et al. 2016, section 4.2). What
  /// is added is the mean pixel. Nothing changes where neither is asked for, or without images.
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
  std::int64_t height_ = 0, width_ = 0;  // of images; 0 without
  std::vector<float> values_, moved_;
  std::vector<std::int32_t> ids_, live_, labels_;
};

}  // namespace asap::data
