#include "data/batch.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace asap::data {

void Batch::fill(const Dataset& dataset, std::span<const std::int64_t> examples) {
  for (const std::int64_t example : examples)
    base::check(example >= 0 && example < dataset.size(),
                "Batch::fill: index outside the data set");
  examples_ = std::ssize(examples);
  ids_.clear();
  live_.clear();
  values_.clear();
  tokens_ = height_ = width_ = 0;
  if (dataset.kind == ExampleKind::images)
    fill_images(dataset, examples);
  else
    fill_tokens(dataset, examples);
  fill_labels(dataset, examples);
}

void Batch::fill(const Dataset& dataset, std::span<const std::int64_t> examples,
                 const ExampleDraw& draw) {
  fill(dataset, examples);
  if (dataset.drawn_points > 0) draw_points(dataset, examples, draw);
}

void Batch::draw_points(const Dataset& dataset, std::span<const std::int64_t> examples,
                        const ExampleDraw& draw) {
  base::check(!dataset.labels_tokens,
              "Batch::fill: points with labels of their own cannot be drawn");
  std::vector<std::int64_t> order;
  for (std::int64_t row = 0; row < examples_; ++row) {
    const std::int64_t example = examples[static_cast<std::size_t>(row)];
    const std::int64_t stored = dataset.stored_tokens(example), count = dataset.tokens(example);
    base::RandomStream random(draw.seed, base::RandomPurpose::augmentation, draw.step,
                              draw.first_example + static_cast<std::uint32_t>(row));
    order.resize(static_cast<std::size_t>(stored));
    std::iota(order.begin(), order.end(), dataset.offsets[example]);
    float* out = values_.data() + row * tokens_ * value_width_;
    for (std::int64_t i = 0; i < count; ++i, out += value_width_) {
      const auto left = static_cast<std::uint64_t>(stored - i);
      std::swap(order[static_cast<std::size_t>(i)],
                order[static_cast<std::size_t>(i) + random.below(left)]);
      std::copy_n(dataset.points.begin() + order[static_cast<std::size_t>(i)] * value_width_,
                  value_width_, out);
    }
  }
}

void Batch::fill_images(const Dataset& dataset, std::span<const std::int64_t> examples) {
  std::array<float, 256> normalised;
  for (int pixel = 0; pixel < 256; ++pixel)
    normalised[static_cast<std::size_t>(pixel)] =
        static_cast<float>((pixel / 255.0 - dataset.pixel_mean) / dataset.pixel_deviation);
  value_width_ = dataset.image_size();
  height_ = dataset.height;
  width_ = dataset.width;
  values_.resize(static_cast<std::size_t>(examples_ * value_width_));
  float* out = values_.data();
  for (const std::int64_t example : examples) {
    const std::uint8_t* pixels = dataset.pixels.data() + example * value_width_;
    for (std::int64_t i = 0; i < value_width_; ++i) *out++ = normalised[pixels[i]];
  }
}

void Batch::fill_tokens(const Dataset& dataset, std::span<const std::int64_t> examples) {
  tokens_ = 1;
  for (const std::int64_t example : examples) tokens_ = std::max(tokens_, dataset.tokens(example));
  const bool text = dataset.kind == ExampleKind::tokens;
  value_width_ = text ? 0 : dataset.point_width;
  unknown_ = dataset.codec ? dataset.codec->tokenizer->unknown() : text::kUnknownToken;
  ids_.assign(static_cast<std::size_t>(text ? examples_ * tokens_ : 0), text::kUnknownToken);
  values_.assign(static_cast<std::size_t>(examples_ * tokens_ * value_width_), 0.0f);
  bool padded = false;
  for (std::int64_t row = 0; row < examples_; ++row) {
    const std::int64_t example = examples[static_cast<std::size_t>(row)];
    const std::int64_t count = dataset.tokens(example), first = dataset.offsets[example];
    live_.push_back(static_cast<std::int32_t>(count));
    padded = padded || count < tokens_;
    if (text)
      std::copy_n(dataset.ids.begin() + first, count, ids_.begin() + row * tokens_);
    else
      std::copy_n(dataset.points.begin() + first * value_width_, count * value_width_,
                  values_.begin() + row * tokens_ * value_width_);
  }
  if (!padded) live_.clear();
}

void Batch::fill_labels(const Dataset& dataset, std::span<const std::int64_t> examples) {
  const std::int64_t per_example = dataset.labels_tokens ? tokens_ : 1;
  labels_.assign(static_cast<std::size_t>(examples_ * per_example), kNotScored);
  for (std::int64_t row = 0; row < examples_; ++row) {
    const std::int64_t example = examples[static_cast<std::size_t>(row)];
    std::copy_n(dataset.labels.begin() + dataset.first_label(example), dataset.label_count(example),
                labels_.begin() + row * per_example);
  }
}

void Batch::drop_words(double rate, const ExampleDraw& draw) {
  if (rate <= 0 || ids_.empty()) return;
  for (std::int64_t row = 0; row < examples_; ++row) {
    base::RandomStream random(draw.seed, base::RandomPurpose::augmentation, draw.step,
                              draw.first_example + static_cast<std::uint32_t>(row));
    const std::int64_t count = live_.empty() ? tokens_ : live_[static_cast<std::size_t>(row)];
    for (std::int64_t i = 0; i < count; ++i)
      if (random.uniform() < rate) ids_[static_cast<std::size_t>(row * tokens_ + i)] = unknown_;
  }
}

void Batch::augment_images(const ImageAugmentation& augmentation, const ExampleDraw& draw) {
  const std::int64_t padding = augmentation.crop_padding;
  if (height_ == 0 || (!augmentation.flip && padding == 0)) return;
  const std::int64_t rows = value_width_ / width_;  // of all channels
  for (std::int64_t example = 0; example < examples_; ++example) {
    base::RandomStream random(draw.seed, base::RandomPurpose::augmentation, draw.step,
                              draw.first_example + static_cast<std::uint32_t>(example));
    const auto shift = [&] {
      return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * padding + 1))) -
             padding;
    };
    const bool flip = augmentation.flip && random.below(2) == 1;
    const std::int64_t down = shift(), right = shift();
    float* image = values_.data() + example * value_width_;
    moved_.assign(static_cast<std::size_t>(value_width_), 0.0f);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t from = row % height_ + down;
      if (from < 0 || from >= height_) continue;
      const float* source = image + (row + down) * width_;
      float* out = moved_.data() + row * width_;
      for (std::int64_t column = 0; column < width_; ++column) {
        const std::int64_t at = (flip ? width_ - 1 - column : column) + right;
        if (at >= 0 && at < width_) out[column] = source[at];
      }
    }
    std::ranges::copy(moved_, image);
  }
}

config::ModelInput<float> Batch::input() const {
  const std::int64_t rows = tokens_ > 0 ? examples_ * tokens_ : examples_;
  config::ModelInput<float> input{
      .examples = examples_, .tokens = tokens_, .ids = ids_, .live = live_};
  if (!values_.empty()) input.values = {values_.data(), rows, value_width_};
  return input;
}

}  // namespace asap::data
