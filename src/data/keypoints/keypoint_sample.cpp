#include "data/keypoints/keypoint_sample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace asap::data {

void keypoint_input(const KeypointView& view, std::int64_t keypoint, float response_scale,
                    tensor::VectorView<float> out) {
  const tensor::VectorView<const float> k = view.keypoints.row(keypoint);
  const float half = std::max(view.width, view.height) / 2;
  const float x = (k[0] - view.width / 2) / half, y = (k[1] - view.height / 2) / half;
  const float angle = k[3] * (std::numbers::pi_v<float> / 180);
  // The offsets centre the logarithms for SIFT's keypoints in images of some hundred pixels.
  const float inputs[kKeypointInputs] = {x,
                                         y,
                                         std::log(k[2]) - 1.5F,
                                         std::cos(angle),
                                         std::sin(angle),
                                         k[4] * response_scale,
                                         std::sin(3 * x),
                                         std::cos(3 * x),
                                         std::sin(3 * y),
                                         std::cos(3 * y),
                                         std::log(half / k[2]) - 3};
  std::ranges::copy(inputs, out.begin());
}

void fill_sample(const KeypointPairs& pairs, std::int64_t pair, std::int64_t most,
                 double response_scale, KeypointSample& sample) {
  for (const int e : {0, 1}) {
    const KeypointView view = pairs.view(pair, e);
    KeypointSample::Image& image = sample.images[e];
    image.rows = strongest_keypoints(view, most);
    const std::int64_t count = std::ssize(image.rows);
    image.inputs = tensor::Tensor<float>({count, kKeypointInputs});
    image.descriptors = tensor::Tensor<float>({count, pairs.descriptor_width()});
    for (std::int64_t i = 0; i < count; ++i)
      keypoint_input(view, image.rows[i], static_cast<float>(response_scale),
                     image.inputs.rows().row(i));
    pairs.decode(pair, e, image.rows, image.descriptors.rows());
  }
  for (const int e : {0, 1}) {
    KeypointSample::Image& image = sample.images[e];
    const std::vector<std::int32_t>& others = sample.images[1 - e].rows;
    const std::span<const std::int32_t> matches = pairs.view(pair, e).matches;
    image.matches.clear();
    if (matches.empty()) continue;
    for (const std::int32_t row : image.rows) {
      const std::int32_t partner = matches[row];
      const auto found = std::ranges::lower_bound(others, partner);
      if (partner < 0)
        image.matches.push_back(partner);
      else if (found == others.end() || *found != partner)
        image.matches.push_back(kNoPartner);
      else
        image.matches.push_back(static_cast<std::int32_t>(found - others.begin()));
    }
  }
}

}  // namespace asap::data
