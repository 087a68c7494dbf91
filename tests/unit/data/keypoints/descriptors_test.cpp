#include "data/keypoints/descriptors.h"

#include <cmath>

#include <doctest/doctest.h>

#include "data/keypoints/keypoint_pairs.h"
#include "support/expect_error.h"
#include "support/keypoint_files.h"

using namespace asap;
using namespace asap::test;
using config::DescriptorKind;

namespace {

std::vector<float> decode(DescriptorKind kind, const std::vector<std::uint8_t>& bytes) {
  std::vector<float> out(
      static_cast<std::size_t>(data::decoded_width(kind, static_cast<std::int64_t>(bytes.size()))));
  data::decode_descriptor<std::uint8_t>(kind, bytes, out);
  return out;
}

template <class T>
DescriptorKind resolved(const tensor::Tensor<T>& descriptors) {
  return data::resolve_descriptors(DescriptorKind::automatic, io::StoredTensor::from(descriptors));
}

}  // namespace

TEST_CASE("a histogram becomes the root of its shares") {
  const std::vector<float> decoded = decode(DescriptorKind::histogram, {0, 16, 64, 20});
  for (const auto& [index, share] : {std::pair{0, 0.0}, {1, .16}, {2, .64}, {3, .2}})
    CHECK(decoded[index] == doctest::Approx(std::sqrt(share)));
  CHECK(decode(DescriptorKind::histogram, {0, 0}) == std::vector<float>{0, 0});
}

TEST_CASE("a vector is divided by its length") {
  const std::vector<float> stored{3, -4};
  std::vector<float> out(2);
  data::decode_descriptor<float>(DescriptorKind::vector, stored, out);
  CHECK(out[0] == doctest::Approx(.6));
  CHECK(out[1] == doctest::Approx(-.8));
}

TEST_CASE("inner products of bits are one minus twice the share of different bits") {
  const std::vector<float> a = decode(DescriptorKind::bits, {0b10000001, 255});
  const std::vector<float> b = decode(DescriptorKind::bits, {0b00000001, 254});
  CHECK(a[0] > 0);
  CHECK(a[1] < 0);
  float product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) product += a[i] * b[i];
  CHECK(product == doctest::Approx(1 - 2 * 2.0 / 16));
}

TEST_CASE("what descriptors are is seen from their type and values") {
  CHECK(resolved(tensor::Tensor<std::uint8_t>({2, 128})) == DescriptorKind::histogram);
  CHECK(resolved(tensor::Tensor<std::uint8_t>({2, 32})) == DescriptorKind::bits);
  tensor::Tensor<float> floats({1, 2});
  floats[0] = 1;
  CHECK(resolved(floats) == DescriptorKind::vector);
  floats[1] = 200;
  CHECK(resolved(floats) == DescriptorKind::histogram);
  floats[0] = -1;
  CHECK(resolved(floats) == DescriptorKind::vector);
}

TEST_CASE("descriptors that are not what they are said to be are refused") {
  io::TensorFile file = drawn_keypoints({.pairs = 1});
  for (const char* name : {"descriptors0", "descriptors1"}) {
    tensor::Tensor<float> floats({16, 3});
    floats[4] = -1;
    file.put(name, floats);
  }
  const auto parse = [&](DescriptorKind kind) {
    return [&file, kind] { data::KeypointPairs::parse(file, kind); };
  };
  expect_error<base::DataError>(parse(DescriptorKind::histogram),
                                {"descriptors0", "row 1", "negative", "vector"});
  expect_error<base::DataError>(parse(DescriptorKind::bits), {"floats", "uint8"});
  CHECK_NOTHROW(parse(DescriptorKind::automatic)());
}
