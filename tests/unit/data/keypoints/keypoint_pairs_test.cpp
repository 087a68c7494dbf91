#include "data/keypoints/keypoint_pairs.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/keypoint_files.h"
#include "support/npz_file.h"
#include "support/temporary_folder.h"

using namespace asap;
using namespace asap::test;
using data::KeypointPairs;

namespace {

KeypointPairs parse(const io::TensorFile& file) {
  return KeypointPairs::parse(file, config::DescriptorKind::histogram);
}

template <class T>
void change(io::TensorFile& file, const std::string& name, std::int64_t index, T value) {
  tensor::Tensor<T> array = file.at(name).to<T>();
  array[index] = value;
  file.put(name, array);
}

template <class T>
void expect_refused(const std::string& name, std::int64_t index, T value,
                    std::initializer_list<const char*> parts) {
  io::TensorFile file = drawn_keypoints();
  change(file, name, index, value);
  expect_error<base::DataError>([&] { parse(file); }, {"pairs.npz"});
  expect_error<base::DataError>([&] { parse(file); }, parts);
}

}  // namespace

TEST_CASE("pairs of keypoints are read from npz and safetensors alike") {
  const TemporaryFolder folder;
  const io::TensorFile file = drawn_keypoints();
  base::write_file_atomically(folder / "a.npz", npz_file(file.tensors));
  io::write_safetensors(folder / "a.safetensors", file);
  for (const char* name : {"a.npz", "a.safetensors"}) {
    const KeypointPairs pairs =
        KeypointPairs::read(folder / name, config::DescriptorKind::histogram);
    CHECK(pairs.size() == 4);
    CHECK(pairs.keypoints(2, 1) == 16);
    CHECK(pairs.match_count() == 48);
    CHECK(pairs.descriptor_width() == 16);
    CHECK(pairs.fingerprint().size() == 32);
    const data::KeypointView view = pairs.view(3, 0), other = pairs.view(3, 1);
    CHECK(view.width == 100);
    CHECK(view.keypoints.rows == 16);
    const std::int32_t partner = view.matches[5];
    CHECK(other.matches[partner] == 5);
    CHECK(other.keypoints(partner, 0) == view.keypoints(5, 0) + 5);
    CHECK_FALSE(pairs.homography(0));
  }
}

TEST_CASE("a file may leave out what a detector does not give") {
  io::TensorFile file = drawn_keypoints();
  for (const char* e : {"0", "1"}) {
    file.tensors.erase(std::string("matches") + e);
    const std::string name = std::string("keypoints") + e;
    const tensor::Tensor<float> all = file.at(name).to<float>();
    tensor::Tensor<double> positions({all.shape()[0], 2});
    for (std::int64_t i = 0; i < all.shape()[0]; ++i)
      for (std::int64_t c : {0, 1}) positions.rows()(i, c) = all.rows()(i, c);
    file.put(name, positions);
  }
  const KeypointPairs pairs = parse(file);
  CHECK_FALSE(pairs.has_matches());
  CHECK(pairs.view(0, 0).matches.empty());
  CHECK(std::log(pairs.view(0, 0).keypoints(0, 2)) == doctest::Approx(1.5));
  CHECK(pairs.view(0, 0).keypoints(0, 3) == 0);
}

TEST_CASE("images without keypoints and pairs without partners are read") {
  const KeypointPairs none = parse(drawn_keypoints({.partners = 0, .alone = 0}));
  CHECK(none.size() == 4);
  CHECK(none.keypoints(0, 0) == 0);
  const KeypointPairs alone = parse(drawn_keypoints({.partners = 0, .alone = 1}));
  CHECK(alone.match_count() == 0);
  CHECK(alone.view(1, 0).matches[0] == data::kNoPartner);
}

TEST_CASE("damaged pairs are refused, with the place and what was expected") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  expect_refused<std::int64_t>("offset0", 0, 1, {"offset0", "begin with 0"});
  expect_refused<std::int64_t>("offset1", 2, 7, {"offset1", "falls", "pair 1"});
  expect_refused<std::int64_t>("offset1", 4, 65, {"ends with 65", "64 rows"});
  expect_refused<float>("keypoints0", 5 * 17, nan, {"pair 1, keypoint 1 of image 0", "finite"});
  expect_refused<float>("keypoints1", 5 * 16 + 1, 400, {"pair 1, keypoint 0", "outside", "width"});
  expect_refused<float>("keypoints1", 2, 0, {"pair 0, keypoint 0 of image 1", "size", "above 0"});
  expect_refused<std::int32_t>("matches0", 3, 16, {"pair 0, keypoint 3", "partner 16"});
  expect_refused<std::int32_t>("matches0", 3, -3, {"partner -3"});
  expect_refused<std::int32_t>("size", 4, 0, {"size", "pair 1", "not positive"});
  io::TensorFile file = drawn_keypoints();
  const std::int32_t first = file.at("matches0").to<std::int32_t>()[0];
  // Two keypoints of image 0 with the same partner.
  expect_refused<std::int32_t>("matches0", 1, first,
                               {"keypoint 1 of image 0", "assigns to 0", "one partner at most"});
  file.tensors.erase("matches1");
  expect_error<base::DataError>([&] { parse(file); }, {"matches1", "offset0"});
  file = drawn_keypoints();
  file.put("descriptors1", tensor::Tensor<std::uint8_t>({64, 17}));
  expect_error<base::DataError>([&] { parse(file); }, {"16", "17"});
  file.put("descriptors1", tensor::Tensor<std::uint8_t>({63, 16}));
  expect_error<base::DataError>([&] { parse(file); }, {"descriptors1", "[64, W]"});
  file = drawn_keypoints();
  file.put("keypoints0", tensor::Tensor<float>({64, 6}));
  expect_error<base::DataError>([&] { parse(file); }, {"keypoints0", "2 to 5"});
  file = drawn_keypoints();
  file.put("offset0", tensor::Tensor<float>({5}));
  expect_error<base::DataError>([&] { parse(file); }, {"offset0", "whole numbers"});
}

TEST_CASE("the strongest keypoints are those of largest response, in the order of the file") {
  io::TensorFile file = drawn_keypoints({.pairs = 1, .partners = 5, .alone = 0});
  for (const auto& [index, response] : {std::pair{0, .1F}, {1, .3F}, {2, .2F}, {3, .3F}, {4, .1F}})
    change(file, "keypoints0", 5 * index + 4, response);
  const KeypointPairs pairs = parse(file);
  CHECK(data::strongest_keypoints(pairs.view(0, 0), 3) == std::vector<std::int32_t>{1, 2, 3});
  CHECK(data::strongest_keypoints(pairs.view(0, 0), 4) == std::vector<std::int32_t>{0, 1, 2, 3});
  CHECK(data::strongest_keypoints(pairs.view(0, 0), 0).size() == 5);
}

TEST_CASE("grey images of the first pairs are read if they are there") {
  io::TensorFile file = drawn_keypoints();
  CHECK(!parse(file).photograph(0, 0));
  tensor::Tensor<std::uint8_t> first({2, 3, 4}), second({2, 5, 2});
  for (std::int64_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::uint8_t>(i);
  file.put("image0", first);
  expect_error<base::DataError>([&] { parse(file); }, {"pairs.npz", "'image1'"});
  file.put("image1", second);
  const KeypointPairs pairs = parse(file);
  const auto image = pairs.photograph(1, 0);
  REQUIRE(image);
  CHECK(image->width == 4);
  CHECK(image->height == 3);
  CHECK(image->pixels.front() == 12);
  CHECK(image->pixels.back() == 23);
  CHECK(pairs.photograph(0, 1)->width == 2);
  CHECK(!pairs.photograph(2, 0));
}

TEST_CASE("images of another type or shape, or of more pairs than there are, are refused") {
  const auto refused = [](const auto& images, const char* part) {
    io::TensorFile file = drawn_keypoints();
    file.put("image0", images);
    file.put("image1", images);
    expect_error<base::DataError>([&] { parse(file); }, {"pairs.npz", "'image0'", part});
  };
  refused(tensor::Tensor<float>({1, 2, 2}), "expected grey values in bytes");
  refused(tensor::Tensor<std::uint8_t>({5, 2, 2}), "K at most 4");
  refused(tensor::Tensor<std::uint8_t>({1, 0, 2}), "[K, height, width]");
  refused(tensor::Tensor<std::uint8_t>({1, 2, 2, 3}), "[K, height, width]");
}
