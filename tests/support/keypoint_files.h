// Small files of pairs of sets of keypoints, drawn: image 1 is image 0 moved, in another order,
// with noise in the descriptors; some keypoints of both have no partner.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/safetensors.h"

namespace asap::test {

struct DrawnKeypoints {
  int pairs = 4;
  int partners = 12;  ///< of every pair
  int alone = 4;      ///< keypoints without partner, in each image
  int width = 16;     ///< bytes of a descriptor
  double noise = 10;  ///< most that a byte of a descriptor changes by
  std::uint32_t seed = 1;
};

namespace detail {

/// The arrays of one image, as they grow pair by pair.
struct DrawnImage {
  std::vector<std::int64_t> offsets{0};
  std::vector<float> keypoints;
  std::vector<std::uint8_t> descriptors;
  std::vector<std::int32_t> matches;

  void put(io::TensorFile& file, const std::string& e, int width) const {
    const auto rows = static_cast<std::int64_t>(matches.size());
    tensor::Tensor<std::int64_t> o({static_cast<std::int64_t>(offsets.size())});
    tensor::Tensor<float> k({rows, 5});
    tensor::Tensor<std::uint8_t> d({rows, width});
    tensor::Tensor<std::int32_t> m({rows});
    std::ranges::copy(offsets, o.data());
    std::ranges::copy(keypoints, k.data());
    std::ranges::copy(descriptors, d.data());
    std::ranges::copy(matches, m.data());
    file.put("offset" + e, o);
    file.put("keypoints" + e, k);
    file.put("descriptors" + e, d);
    file.put("matches" + e, m);
  }
};

}  // namespace detail

inline io::TensorFile drawn_keypoints(const DrawnKeypoints& drawn = {}) {
  base::RandomStream random(drawn.seed, base::RandomPurpose::test, 7);
  detail::DrawnImage images[2];
  const int count = drawn.partners + drawn.alone;
  const auto byte = [&] { return static_cast<int>(random.below(256)); };
  for (int p = 0; p < drawn.pairs; ++p) {
    std::vector<int> order(static_cast<std::size_t>(count));  // of image 1
    for (int i = 0; i < count; ++i) order[i] = i;
    for (int i = count - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
    std::vector<float> positions(2 * count);
    std::vector<int> bytes(static_cast<std::size_t>(count) * drawn.width);
    for (float& x : positions) x = static_cast<float>(random.uniform(20, 80));
    for (int& value : bytes) value = byte();
    for (int e = 0; e < 2; ++e) {
      detail::DrawnImage& image = images[e];
      for (int r = 0; r < count; ++r) {
        const int point = e == 0 ? r : order[r];
        const bool partner = point < drawn.partners;
        const float shift = e == 0 ? 0 : 5;
        image.keypoints.insert(image.keypoints.end(),
                               {positions[2 * point] + shift, positions[2 * point + 1] - shift, 3,
                                30, .01F * static_cast<float>(count - r)});
        for (int w = 0; w < drawn.width; ++w) {
          const int value = partner ? bytes[point * drawn.width + w] : byte();
          const auto change = static_cast<int>(random.uniform(-drawn.noise, drawn.noise));
          image.descriptors.push_back(
              static_cast<std::uint8_t>(std::clamp(value + (e == 0 ? 0 : change), 0, 255)));
        }
        const auto at = std::ranges::find(order, point) - order.begin();
        image.matches.push_back(partner ? static_cast<std::int32_t>(e == 0 ? at : point) : -1);
      }
      image.offsets.push_back(static_cast<std::int64_t>(image.matches.size()));
    }
  }
  io::TensorFile file;
  file.source = "pairs.npz";
  images[0].put(file, "0", drawn.width);
  images[1].put(file, "1", drawn.width);
  tensor::Tensor<std::int32_t> size({drawn.pairs, 2, 2});
  std::ranges::fill(size.flat(), 100);
  file.put("size", size);
  return file;
}

}  // namespace asap::test
