#include "evaluate/matching/pair_picture.h"

#include <doctest/doctest.h>

#include "support/keypoint_files.h"

using namespace asap;
using namespace asap::test;

namespace {

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a picture has a dot per keypoint and a line per match, right and wrong ones apart") {
  const data::KeypointPairs pairs =
      data::KeypointPairs::parse(drawn_keypoints(), config::DescriptorKind::histogram);
  const auto truth = pairs.view(1, 0).matches;
  infer::Matches matches = infer::Matches::none(16);
  matches.partners[0] = truth[0];
  matches.partners[1] = truth[1];
  matches.partners[2] = truth[3];
  const std::string picture = evaluate::pair_picture(pairs, 1, matches);
  CHECK(occurrences(picture, "<circle") == 32);
  CHECK(occurrences(picture, "<line") == 3);
  CHECK(occurrences(picture, "#0072b2") == 2);
  CHECK(occurrences(picture, "#d55e00") == 1);
  CHECK(picture.find("viewBox=\"0 0 220.0 100.0\"") != std::string::npos);
}
