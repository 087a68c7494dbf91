#include "evaluate/matching/pair_picture.h"

#include <algorithm>

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

TEST_CASE("the images of a pair lie behind its keypoints, where the file has them") {
  io::TensorFile file = drawn_keypoints();
  for (const char* name : {"image0", "image1"}) {
    tensor::Tensor<std::uint8_t> images({1, 20, 30});
    std::ranges::fill(images.flat(), std::uint8_t{90});
    file.put(name, images);
  }
  const auto pairs = data::KeypointPairs::parse(file, config::DescriptorKind::histogram);
  const infer::Matches none = infer::Matches::none(16);
  const std::string with = evaluate::pair_picture(pairs, 0, none);
  CHECK(occurrences(with, "href=\"data:image/jpeg;base64,/9j/") == 2);
  CHECK(with.find("<image x=\"120.0\" y=\"0\" width=\"100.0\" height=\"100.0\"") !=
        std::string::npos);
  CHECK(with.rfind("<image") < with.rfind("<circle"));
  CHECK(occurrences(evaluate::pair_picture(pairs, 1, none), "<image") == 0);
}
