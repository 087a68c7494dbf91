#include "evaluate/study/shown_input.h"

#include <algorithm>

#include "text/text_codec.h"

namespace asap::evaluate {
namespace {

/// The image, by means of squares of pixels where it is large.
void show_image(const data::Dataset& dataset, std::int64_t example, ShownInput& shown) {
  const int factor = (std::max(dataset.height, dataset.width) + kShownPixels - 1) / kShownPixels;
  shown.channels = dataset.channels;
  shown.height = dataset.height / factor;
  shown.width = dataset.width / factor;
  const std::uint8_t* image = dataset.pixels.data() + example * dataset.image_size();
  for (std::int64_t channel = 0; channel < dataset.channels; ++channel)
    for (std::int64_t y = 0; y < shown.height; ++y)
      for (std::int64_t x = 0; x < shown.width; ++x) {
        int total = 0;
        for (std::int64_t row = y * factor; row < (y + 1) * factor; ++row)
          for (std::int64_t column = x * factor; column < (x + 1) * factor; ++column)
            total += image[(channel * dataset.height + row) * dataset.width + column];
        shown.pixels.push_back(static_cast<std::uint8_t>(total / (factor * factor)));
      }
}

void show_points(const data::Dataset& dataset, std::int64_t example, ShownInput& shown) {
  const std::int64_t count = dataset.tokens(example), first = dataset.offsets[example];
  const int width = dataset.point_width;
  if (width == 2 || width == 3) {
    shown.points = tensor::Tensor<float>({count, width});
    std::copy_n(dataset.points.begin() + first * width, count * width, shown.points.data());
    return;
  }
  for (std::int64_t i = 0; i < count; ++i)
    shown.tokens.push_back(dataset.token_name ? dataset.token_name(dataset, first + i)
                                              : std::to_string(i));
}

std::string text_of(const data::Dataset& dataset, std::int64_t position) {
  if (dataset.token_name) return dataset.token_name(dataset, position);
  const std::int32_t id = dataset.ids[static_cast<std::size_t>(position)];
  return dataset.codec ? dataset.codec->tokenizer->piece(id) : std::to_string(id);
}

}  // namespace

ShownInput show_input(const data::Dataset& dataset, const config::ModelConfig& config,
                      std::int64_t example) {
  ShownInput shown;
  shown.class_token = config.has_class_token();
  switch (dataset.kind) {
    case data::ExampleKind::images:
      shown.patches_down = config.image_height / config.patch;
      shown.patches_across = config.image_width / config.patch;
      show_image(dataset, example, shown);
      break;
    case data::ExampleKind::tokens:
      for (std::int64_t i = dataset.offsets[example]; i < dataset.offsets[example + 1]; ++i)
        shown.tokens.push_back(text_of(dataset, i));
      break;
    case data::ExampleKind::points:
      show_points(dataset, example, shown);
      break;
  }
  return shown;
}

}  // namespace asap::evaluate
