#include "data/images/shapes_dataset.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/load/load_dataset.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::test;

namespace {

DataConfig small_config() {
  DataConfig config;
  config.kind = DataKind::shapes;
  config.shapes.examples = 300;
  config.shapes.test_examples = 200;
  return config;
}

std::vector<std::uint8_t> image(const Dataset& dataset, std::int64_t index) {
  const auto first = dataset.pixels.begin() + index * dataset.image_size();
  return {first, first + dataset.image_size()};
}

std::string fingerprint(const std::vector<std::uint8_t>& pixels) {
  return content_fingerprint({reinterpret_cast<const char*>(pixels.data()), pixels.size()});
}

/// Share of the image that is clearly brighter than its darkest pixel.
double bright_share(const std::vector<std::uint8_t>& pixels) {
  const int low = *std::min_element(pixels.begin(), pixels.end());
  const int high = *std::max_element(pixels.begin(), pixels.end());
  const auto count = std::count_if(pixels.begin(), pixels.end(),
                                   [&](int pixel) { return 2 * pixel > low + high; });
  return static_cast<double>(count) / static_cast<double>(pixels.size());
}

}  // namespace

TEST_CASE("drawn shapes are a pure function of the configuration") {
  DataConfig config = small_config();
  const Dataset first = load_dataset(config, Split::train);
  const Dataset second = load_dataset(config, Split::train);
  CHECK(first.pixels == second.pixels);
  CHECK(first.labels == second.labels);
  CHECK(first.fingerprint == second.fingerprint);
  config.shapes.seed = 2;
  CHECK(load_dataset(config, Split::train).fingerprint != first.fingerprint);
}

TEST_CASE("more examples begin with the same ones, and a limit draws only the first") {
  DataConfig config = small_config();
  const Dataset few = load_dataset(config, Split::train);
  config.shapes.examples = 400;
  const Dataset more = load_dataset(config, Split::train);
  CHECK(std::equal(few.pixels.begin(), few.pixels.end(), more.pixels.begin()));
  config.train_examples = 300;
  CHECK(load_dataset(config, Split::train).fingerprint == few.fingerprint);
}

TEST_CASE("the training and the test part share no image") {
  const DataConfig config = small_config();
  const Dataset train = load_dataset(config, Split::train);
  const Dataset test = load_dataset(config, Split::test);
  CHECK(train.size() == 300);
  CHECK(test.size() == 200);
  std::set<std::string> seen;  // of fingerprints
  for (std::int64_t i = 0; i < train.size(); ++i) seen.insert(fingerprint(image(train, i)));
  CHECK(seen.size() == 300);
  for (std::int64_t i = 0; i < test.size(); ++i)
    CHECK(seen.count(fingerprint(image(test, i))) == 0);
}

TEST_CASE("every class is drawn about equally often and has a name") {
  DataConfig config = small_config();
  config.shapes.examples = 5000;
  config.shapes.image_size = 8;
  const Dataset dataset = load_dataset(config, Split::train);
  CHECK(dataset.class_names.front() == "circle");
  CHECK(dataset.classes() == kShapeKinds);
  // Binomial with mean 500 and standard deviation 21.2; five of them on either side.
  for (int label = 0; label < kShapeKinds; ++label) {
    const auto count = std::count(dataset.labels.begin(), dataset.labels.end(), label);
    CHECK(std::abs(static_cast<double>(count) - 500) <= 5 * 21.2);
  }
}

TEST_CASE("fewer classes draw only the first kinds") {
  DataConfig config = small_config();
  config.classes = 3;
  const Dataset dataset = load_dataset(config, Split::test);
  CHECK(dataset.classes() == 3);
  CHECK(*std::max_element(dataset.labels.begin(), dataset.labels.end()) == 2);
  config.classes = kShapeKinds + 1;
  expect_error<UsageError>([&] { load_dataset(config, Split::test); },
                           {"data.classes is 11", "10"});
}

TEST_CASE("without noise every image shows one shape, edges are smooth and centres differ") {
  DataConfig config = small_config();
  config.shapes.noise = 0;
  config.shapes.image_size = 32;
  const Dataset dataset = load_dataset(config, Split::train);
  std::set<int> levels;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const auto pixels = image(dataset, i);
    const double share = bright_share(pixels);
    // The thinnest shape is a bar of 2 by 0.5 with the smallest radius .28 of the side: .078 of the
    // image; the fullest a square of area 2, or a circle of 2.27, with the largest, .44: .44.
    CHECK(share >= 0.05);
    CHECK(share <= 0.46);
    levels = {pixels.begin(), pixels.end()};
    // Two levels would be a hard edge; at most background, foreground and 15 between.
    CHECK(levels.size() >= 3);
    CHECK(levels.size() <= 17);
  }
}

TEST_CASE("noise has about the standard deviation it was given") {
  DataConfig config = small_config();
  config.shapes.noise = 0;
  const Dataset clean = load_dataset(config, Split::train);
  config.shapes.noise = 0.05;
  const Dataset noisy = load_dataset(config, Split::train);
  double squares = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < clean.pixels.size(); ++i) {
    // Pixels near black or white are clamped, which cuts the noise; they are left out.
    if (clean.pixels[i] < 70 || clean.pixels[i] > 185) continue;
    squares += std::pow((noisy.pixels[i] - clean.pixels[i]) / 255.0, 2);
    ++count;
  }
  REQUIRE(count > 10'000);
  // The sample deviation of 10,000 draws is within .7% (one sigma); 5 sigma allowed.
  CHECK(std::sqrt(squares / static_cast<double>(count)) == doctest::Approx(0.05).epsilon(0.035));
}
