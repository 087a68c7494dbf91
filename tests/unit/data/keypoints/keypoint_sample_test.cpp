#include "data/keypoints/keypoint_sample.h"

#include <algorithm>
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

TEST_CASE("a varied sample keeps partners, descriptors and the inputs' formulas") {
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(drawn_keypoints(), config::DescriptorKind::histogram);
  data::KeypointSample whole;
  data::fill_sample(pairs, 0, 0, 1, whole);
  int swaps = 0, kept_matches = 0;
  for (std::uint32_t step = 0; step < 20; ++step) {
    data::KeypointSample sample = whole, again = whole;
    data::vary_sample({1, step, 3}, 10, sample);
    data::vary_sample({1, step, 3}, 10, again);
    CHECK(sample.images[0].rows == again.images[0].rows);
    const data::KeypointSample::Image &first = sample.images[0], &second = sample.images[1];
    REQUIRE(first.rows.size() == 10);
    const auto same = [&](int e) {  // whether image 0 of the sample is image e of the pair
      for (std::int64_t i = 0; i < 10; ++i)
        for (std::int64_t w = 0; w < 16; ++w)
          if (first.descriptors.rows()(i, w) !=
              whole.images[e].descriptors.rows()(first.rows[i], w))
            return false;
      return true;
    };
    CHECK((same(0) || same(1)));
    const int e = same(0) ? 0 : 1;
    swaps += e;
    for (std::size_t i = 0; i < 10; ++i) {
      const std::int32_t partner = first.matches[i];
      const std::int32_t before = whole.images[e].matches[first.rows[i]];
      if (partner >= 0) {
        ++kept_matches;
        CHECK(second.matches[partner] == static_cast<std::int32_t>(i));
        CHECK(second.rows[partner] == before);
      } else if (before >= 0) {
        CHECK(std::ranges::find(second.rows, before) == second.rows.end());
      }
    }
    // Turning keeps distances to the centre, and angles between positions and orientations.
    const auto in = first.inputs.rows().row(4);
    const auto old = whole.images[e].inputs.rows().row(first.rows[4]);
    CHECK(std::hypot(in[0], in[1]) == doctest::Approx(std::hypot(old[0], old[1])).epsilon(1e-5));
    CHECK(in[0] * in[3] + in[1] * in[4] ==
          doctest::Approx(old[0] * old[3] + old[1] * old[4]).epsilon(1e-4));
    CHECK(in[6] == doctest::Approx(std::sin(3 * in[0])));
    CHECK(in[9] == doctest::Approx(std::cos(3 * in[1])));
  }
  CHECK(swaps > 0);
  CHECK(swaps < 20);
  CHECK(kept_matches > 20);
}
