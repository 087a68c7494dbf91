#include "data/batch.h"

#include <algorithm>
#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "data/load/load_dataset.h"
#include "support/drawn_sets.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::text;
using namespace asap::test;

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

/// Ids 5 6 7, 8 9 and 3.
Dataset three_texts() {
  Dataset dataset;
  dataset.kind = ExampleKind::tokens;
  dataset.offsets = {0, 3, 5, 6};
  dataset.ids = {5, 6, 7, 8, 9, 3};
  dataset.vocabulary = 10;
  dataset.labels = {0, 1, 1};
  dataset.class_names = {"a", "b"};
  return dataset;
}

/// Six images of 2 x 3 x 4 pixels, all different.
Dataset six_images() {
  Dataset dataset;
  dataset.channels = 2;
  dataset.height = 3;
  dataset.width = 4;
  for (int i = 0; i < 6 * 24; ++i) dataset.pixels.push_back(static_cast<std::uint8_t>(i));
  dataset.labels = {0, 1, 0, 1, 0, 1};
  dataset.class_names = {"a", "b"};
  return dataset;
}

/// Whether `changed` is `image` mirrored if `flip`, and moved down and right with zeros around it.
bool is_moved(const float* changed, const float* image, bool flip, int down, int right) {
  for (int channel = 0; channel < 2; ++channel)
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 4; ++column) {
        const int from_row = row + down, from_column = (flip ? 3 - column : column) + right;
        const bool inside = from_row >= 0 && from_row < 3 && from_column >= 0 && from_column < 4;
        const float expected = inside ? image[channel * 12 + from_row * 4 + from_column] : 0;
        if (changed[channel * 12 + row * 4 + column] != expected) return false;
      }
  return true;
}

}  // namespace

TEST_CASE("a batch holds the chosen images, normalised, with their labels") {
  const Dataset dataset = three_images();
  Batch batch;
  const std::vector<std::int64_t> indices{2, 0, 2};
  batch.fill(dataset, indices);
  const ModelInput<float> input = batch.input();
  CHECK(input.examples == 3);
  CHECK(input.live.empty());
  CHECK(std::ranges::equal(batch.labels(), std::vector<std::int32_t>{1, 2, 1}));
  for (int row = 0; row < 3; ++row)
    for (int i = 0; i < 4; ++i) {
      const int pixel = dataset.pixels[static_cast<std::size_t>(indices[row] * 4 + i)];
      // One rounding from double to float.
      CHECK(input.values(row, i) == static_cast<float>((pixel / 255.0 - 0.2) / 0.4));
    }
}

TEST_CASE("token sequences are padded to the longest of the batch") {
  const Dataset dataset = three_texts();
  Batch batch;
  batch.fill(dataset, std::vector<std::int64_t>{2, 0});
  CHECK(batch.input().tokens == 3);
  CHECK(std::ranges::equal(batch.input().ids, std::vector<std::int32_t>{3, 0, 0, 5, 6, 7}));
  CHECK(std::ranges::equal(batch.input().live, std::vector<std::int32_t>{1, 3}));
  CHECK(std::ranges::equal(batch.labels(), std::vector<std::int32_t>{1, 0}));
  batch.fill(dataset, std::vector<std::int64_t>{2});
  CHECK(std::ranges::equal(batch.input().ids, std::vector<std::int32_t>{3}));
  CHECK(batch.input().live.empty());  // nothing is padded
}

TEST_CASE("points and labels of tokens are padded alike") {
  Dataset dataset = three_texts();
  dataset.kind = ExampleKind::points;
  dataset.ids.clear();
  dataset.point_width = 2;
  for (int i = 0; i < 12; ++i) dataset.points.push_back(static_cast<float>(i + 1));
  dataset.labels_tokens = true;
  dataset.labels = {0, 1, 0, 1, kNotScored, 1};
  Batch batch;
  batch.fill(dataset, std::vector<std::int64_t>{1, 2});
  const ModelInput<float> input = batch.input();
  CHECK(input.values.rows == 4);
  CHECK(input.values(1, 1) == 10);
  CHECK(input.values(2, 0) == 11);
  CHECK(input.values(3, 0) == 0);
  CHECK(std::ranges::equal(input.live, std::vector<std::int32_t>{2, 1}));
  CHECK(
      std::ranges::equal(batch.labels(), std::vector<std::int32_t>{1, kNotScored, 1, kNotScored}));
  CHECK(count_scored(dataset, std::vector<std::int64_t>{1, 2}) == 2);
}

TEST_CASE("word dropout replaces live tokens only, whatever the padding and the place in a shard") {
  Dataset dataset = three_texts();
  Batch together, alone;
  together.fill(dataset, std::vector<std::int64_t>{2, 0, 1});
  together.drop_words(0.5, {3, 11, 0});
  for (std::uint32_t row = 0; row < 3; ++row) {
    const std::int64_t example = std::array{2, 0, 1}[row];
    alone.fill(dataset, std::vector<std::int64_t>{example});
    alone.drop_words(0.5, {3, 11, row});
    for (std::int64_t i = 0; i < dataset.tokens(example); ++i)
      CHECK(alone.input().ids[i] == together.input().ids[row * 3 + i]);
  }
  int dropped = 0;
  for (std::uint32_t step = 0; step < 1000; ++step) {
    together.fill(dataset, std::vector<std::int64_t>{0, 1, 2});
    together.drop_words(0.3, {3, step, 0});
    for (std::int64_t i = 0; i < 6; ++i)
      dropped += together.input().ids[std::array{0, 1, 2, 3, 4, 6}[i]] == kUnknownToken ? 1 : 0;
  }
  CHECK(dropped == doctest::Approx(1800).epsilon(0.07));  // deviation of 6000 coins: 35
}

TEST_CASE("images are mirrored and moved, each in its own way, whatever its place in a shard") {
  const Dataset dataset = six_images();
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5};
  Batch plain, together, alone;
  plain.fill(dataset, all);
  int flips = 0, moves = 0;
  for (std::uint32_t step = 0; step < 200; ++step) {
    together.fill(dataset, all);
    together.augment_images({true, 2}, {9, step, 0});
    for (std::int64_t row = 0; row < 6; ++row) {
      const float *changed = together.input().values.row(row).data(),
                  *image = plain.input().values.row(row).data();
      int found = 0;
      for (int variant = 0; variant < 50; ++variant) {
        const bool flip = variant >= 25;
        const int down = variant % 25 / 5 - 2, right = variant % 5 - 2;
        if (!is_moved(changed, image, flip, down, right)) continue;
        ++found;
        flips += flip ? 1 : 0;
        moves += down != 0 ? 1 : 0;
      }
      CHECK(found == 1);
    }
    alone.fill(dataset, std::vector<std::int64_t>{4});
    alone.augment_images({true, 2}, {9, step, 4});
    CHECK(std::ranges::equal(alone.input().values.row(0), together.input().values.row(4)));
  }
  CHECK(flips == doctest::Approx(600).epsilon(0.1));  // deviation of 1200 coins: 17
  CHECK(moves == doctest::Approx(960).epsilon(0.1));
}

TEST_CASE("images do not change when neither flips nor crops are asked for") {
  const Dataset dataset = six_images();
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5};
  Batch plain, changed;
  plain.fill(dataset, all);
  changed.fill(dataset, all);
  changed.augment_images({}, {9, 1, 0});
  for (std::int64_t row = 0; row < 6; ++row)
    CHECK(std::ranges::equal(changed.input().values.row(row), plain.input().values.row(row)));
  changed.fill(three_texts(), std::vector<std::int64_t>{0, 1});
  changed.augment_images({true, 4}, {9, 1, 0});
  CHECK(std::ranges::equal(changed.input().ids, std::vector<std::int32_t>{5, 6, 7, 8, 9, 0}));
}

TEST_CASE("examples are put in order of length, equal ones in their own") {
  CHECK(length_order(three_texts()) == std::vector<std::int64_t>{2, 1, 0});
  CHECK(length_order(three_images()) == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("indices outside the data set are refused") {
  Batch batch;
  for (const std::int64_t index : {-1, 3})
    CHECK_THROWS_AS(batch.fill(three_images(), std::vector{index}), InternalError);
}

TEST_CASE("points are drawn without repetition, alike for a step and place, anew for others") {
  DataConfig config = solids_config();
  config.points.count = 10;
  const Dataset dataset = load_dataset(config, Split::train);
  const std::vector<std::int64_t> examples = {4, 7};
  const auto drawn = [&](std::uint32_t step, std::uint32_t first) {
    Batch batch;
    batch.fill(dataset, examples, {1, step, first});
    const ModelInput<float> input = batch.input();
    CHECK(input.tokens == 10);
    std::vector<std::vector<float>> points;
    for (std::int64_t i = 0; i < 20; ++i)
      points.emplace_back(input.values.row(i).begin(), input.values.row(i).end());
    return points;
  };
  const auto once = drawn(3, 0);
  CHECK(once == drawn(3, 0));
  CHECK(once != drawn(4, 0));
  CHECK(once != drawn(3, 8));
  for (int row = 0; row < 2; ++row) {
    std::vector<std::vector<float>> points(once.begin() + 10 * row, once.begin() + 10 * row + 10);
    std::ranges::sort(points);
    CHECK(std::ranges::adjacent_find(points) == points.end());
  }
  // Without a draw the first ones.
  Batch batch;
  batch.fill(dataset, examples);
  const float* first = dataset.points.data() + dataset.offsets[4] * 3;
  CHECK(std::equal(first, first + 30, batch.input().values.data));
}
