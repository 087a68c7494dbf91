#include "data/batch.h"

#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "tensor/tensor.h"

using namespace asap;

namespace {

Dataset three_images() {
  Dataset dataset;
  dataset.channels = 2;
  dataset.height = 1;
  dataset.width = 2;
  dataset.pixels = {0, 51, 102, 255, 1, 2, 3, 4, 9, 8, 7, 6};
  dataset.labels = {2, 0, 1};
  dataset.class_names = {"a", "b", "c"};
  dataset.pixel_mean = 0.2;
  dataset.pixel_deviation = 0.4;
  return dataset;
}

}  // namespace

TEST_CASE("a batch holds the chosen images, normalised, with their labels") {
  const Dataset dataset = three_images();
  Tensor<float> images(Shape{3, 4});
  std::vector<std::int32_t> labels(3);
  const std::vector<std::int64_t> indices{2, 0, 2};
  fill_batch(dataset, indices, images.rows(), labels);
  CHECK(labels == std::vector<std::int32_t>{1, 2, 1});
  for (int row = 0; row < 3; ++row)
    for (int i = 0; i < 4; ++i) {
      const int pixel = dataset.pixels[static_cast<std::size_t>(indices[row] * 4 + i)];
      // One rounding from double to float.
      CHECK(images[row * 4 + i] == static_cast<float>((pixel / 255.0 - 0.2) / 0.4));
    }
}

TEST_CASE("a batch may be part of a wider matrix and leaves the rest alone") {
  const Dataset dataset = three_images();
  Tensor<float> wide(Shape{2, 6});
  std::fill_n(wide.data(), wide.size(), -9.0f);
  std::vector<std::int32_t> labels(2);
  const std::vector<std::int64_t> indices{0, 1};
  fill_batch(dataset, indices, wide.rows().block(0, 1, 2, 4), labels);
  for (int row = 0; row < 2; ++row) {
    CHECK(wide[row * 6] == -9.0f);
    CHECK(wide[row * 6 + 5] == -9.0f);
  }
  CHECK(wide[1] == static_cast<float>(-0.2 / 0.4));
}

TEST_CASE("indices outside the data set and buffers of another size are refused") {
  const Dataset dataset = three_images();
  Tensor<float> images(Shape{1, 4});
  std::vector<std::int32_t> labels(1);
  for (const std::int64_t index : {-1, 3})
    CHECK_THROWS_AS(fill_batch(dataset, std::vector{index}, images.rows(), labels), InternalError);
  CHECK_THROWS_AS(fill_batch(dataset, std::vector<std::int64_t>{0, 1}, images.rows(), labels),
                  InternalError);
  labels.resize(2);
  CHECK_THROWS_AS(fill_batch(dataset, std::vector<std::int64_t>{0}, images.rows(), labels),
                  InternalError);
}
