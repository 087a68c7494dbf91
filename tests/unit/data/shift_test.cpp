#include "data/shift.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "support/small_sequences.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

/// 40 images of 8x8 pixels, all of them grey, classes 0 to 3 in turn; the first pixel is the
/// number.
Dataset grey_images() {
  Dataset dataset;
  dataset.name = "grey";
  dataset.height = dataset.width = 8;
  dataset.class_names = {"a", "b", "c", "d"};
  for (int i = 0; i < 40; ++i) {
    dataset.labels.push_back(i % 4);
    dataset.pixels.push_back(static_cast<std::uint8_t>(i));
    dataset.pixels.insert(dataset.pixels.end(), 63, 128);
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace

TEST_CASE("the examples of some classes stay, with the classes as they were") {
  Dataset dataset = grey_images();
  const std::string before = dataset.fingerprint;
  apply_shift({.classes = {3, 1}}, dataset);
  REQUIRE(dataset.size() == 20);
  CHECK(dataset.classes() == 4);
  for (int i = 0; i < 20; ++i) {
    CHECK(dataset.labels[i] == 1 + 2 * (i % 2));
    CHECK(dataset.pixels[i * 64] == 2 * i + 1);
  }
  CHECK(dataset.pixels.size() == 20 * 64);
  CHECK(dataset.fingerprint != before);
  CHECK(dataset.name == "grey (classes 3, 1)");
}

TEST_CASE("sequences and sets of some lengths stay whole") {
  for (const ModelKind kind : {ModelKind::text, ModelKind::set})
    for (const bool labels_tokens : {false, true}) {
      const std::vector<std::int64_t> lengths = {3, 9, 1, 5, 7, 5};
      const Dataset all = small_sequences(kind, lengths, labels_tokens);
      Dataset some = all;
      apply_shift({.min_tokens = 3, .max_tokens = 7}, some);
      CHECK(some.offsets == std::vector<std::int64_t>{0, 3, 8, 15, 20});
      std::int64_t example = 0;
      for (const std::int64_t from : {0, 3, 4, 5}) {
        for (std::int64_t i = 0; i < lengths[from]; ++i) {
          const std::int64_t here = some.offsets[example] + i, there = all.offsets[from] + i;
          if (kind == ModelKind::text)
            CHECK(some.ids[here] == all.ids[there]);
          else
            CHECK(some.points[2 * here + 1] == all.points[2 * there + 1]);
          if (labels_tokens) CHECK(some.labels[here] == all.labels[there]);
        }
        if (!labels_tokens) CHECK(some.labels[example] == all.labels[from]);
        ++example;
      }
      CHECK(some.labels.size() == static_cast<std::size_t>(labels_tokens ? 20 : 4));
    }
}

TEST_CASE("noise has the deviation asked for and is the same every time") {
  Dataset images = grey_images(), again = grey_images();
  apply_shift({.noise = 0.1}, images);
  apply_shift({.noise = 0.1}, again);
  CHECK(images.pixels == again.pixels);
  double squares = 0;
  for (int i = 0; i < 40; ++i)
    for (int k = 1; k < 64; ++k)
      squares += std::pow(images.pixels[i * 64 + k] / 255.0 - 128.0 / 255, 2);
  // 2520 draws: the deviation's own deviation is 1.4 percent.
  CHECK(std::sqrt(squares / (40 * 63)) == doctest::Approx(0.1).epsilon(0.06));

  const Dataset calm = small_sequences(ModelKind::set, {400, 400});
  Dataset noisy = calm;
  apply_shift({.noise = 0.5}, noisy);
  squares = 0;
  for (std::size_t i = 0; i < calm.points.size(); ++i)
    squares += std::pow(noisy.points[i] - calm.points[i], 2);
  CHECK(std::sqrt(squares / 1600) == doctest::Approx(0.5).epsilon(0.08));
}

TEST_CASE("a negative image has inverted pixels") {
  Dataset dataset = grey_images();
  apply_shift({.negative = true}, dataset);
  CHECK(dataset.pixels[64] == 254);
  CHECK(dataset.pixels[65] == 127);
  CHECK(dataset.name == "grey (negative)");
  CHECK(dataset.fingerprint != grey_images().fingerprint);
  apply_shift({.negative = true}, dataset);
  CHECK(dataset.fingerprint == grey_images().fingerprint);
}

TEST_CASE("nothing happens unless it is asked for") {
  Dataset dataset = grey_images();
  apply_shift({}, dataset);
  CHECK(dataset.fingerprint == grey_images().fingerprint);
  CHECK(dataset.name == "grey");
}

TEST_CASE("what the data do not have cannot be chosen by") {
  const auto refuse = [](const ShiftConfig& shift, Dataset dataset,
                         std::initializer_list<const char*> parts) {
    expect_error<UsageError>([&] { apply_shift(shift, dataset); }, parts);
  };
  refuse({.max_tokens = 5}, grey_images(), {"images of grey have no lengths"});
  refuse({.classes = {4}}, grey_images(), {"4 is not between 0 and 3"});
  refuse({.noise = 1}, small_sequences(ModelKind::text, {3}), {"no noise", "texts of sequences"});
  refuse({.negative = true}, small_sequences(ModelKind::text, {3}), {"no negatives"});
  refuse({.classes = {1}}, small_sequences(ModelKind::set, {3}, true), {"every token"});
  refuse({.min_tokens = 5, .max_tokens = 4}, small_sequences(ModelKind::set, {3}), {"exceeds"});
  Dataset dataset = small_sequences(ModelKind::text, {3, 4});
  expect_error<DataError>([&] { apply_shift({.min_tokens = 5}, dataset); },
                          {"sequences (from 5 tokens)", "no example is left"});
}
