#include "data/keypoints/keypoint_sample.h"

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "support/keypoint_files.h"

using namespace asap;
using namespace asap::test;

TEST_CASE("the eleven inputs of a keypoint follow their formulas") {
  const float numbers[] = {30, 90, 4, 60, .02F};
  data::KeypointView view;
  view.keypoints = {numbers, 1, 5};
  view.width = 100;
  view.height = 200;
  std::vector<float> out(11);
  data::keypoint_input(view, 0, 10, out);
  const double x = -.2, y = -.1, turn = std::numbers::pi / 3;
  const double expected[] = {x,
                             y,
                             std::log(4.0) - 1.5,
                             std::cos(turn),
                             std::sin(turn),
                             .2,
                             std::sin(3 * x),
                             std::cos(3 * x),
                             std::sin(3 * y),
                             std::cos(3 * y),
                             std::log(25.0) - 3};
  for (int i = 0; i < 11; ++i) CHECK(out[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

TEST_CASE("a sample keeps the strongest keypoints, and partners in its own numbers") {
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(drawn_keypoints(), config::DescriptorKind::histogram);
  data::KeypointSample all, some;
  data::fill_sample(pairs, 1, 0, 1, all);
  data::fill_sample(pairs, 1, 10, 1, some);
  REQUIRE(all.images[0].rows.size() == 16);
  REQUIRE(some.images[0].rows.size() == 10);
  int kept = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::int32_t partner = some.images[0].matches[i];
    const std::int32_t row = some.images[0].rows[i];
    if (partner >= 0) {
      ++kept;
      CHECK(some.images[1].rows[partner] == all.images[0].matches[row]);
      CHECK(some.images[1].matches[partner] == static_cast<std::int32_t>(i));
    } else if (const std::int32_t whole = all.images[0].matches[row]; whole >= 0) {
      CHECK(whole >= 10);  // drawn responses fall along the file
    }
    for (std::int64_t w = 0; w < 16; ++w)
      CHECK(some.images[0].descriptors.rows()(static_cast<std::int64_t>(i), w) ==
            all.images[0].descriptors.rows()(row, w));
  }
  CHECK(kept > 0);
}
