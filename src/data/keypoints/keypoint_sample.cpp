#include "data/keypoints/keypoint_sample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/random.h"

namespace asap::data {
namespace {

/// Keeps the given rows, which ascend, of one image; `kept` receives the new number of every old
/// row, or -1.
void keep_rows(const std::vector<std::int32_t>& rows, KeypointSample::Image& image,
               std::vector<std::int32_t>& kept) {
  const auto take = [&](tensor::Tensor<float>& x) {
    tensor::Tensor<float> out({std::ssize(rows), x.shape()[1]});
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::ranges::copy(x.rows().row(rows[i]),
                        out.rows().row(static_cast<std::int64_t>(i)).begin());
    x = std::move(out);
  };
  const auto take_numbers = [&](std::vector<std::int32_t>& x) {
    if (x.empty()) return;
    for (std::size_t i = 0; i < rows.size(); ++i) x[i] = x[rows[i]];
    x.resize(rows.size());
  };
  kept.assign(image.rows.size(), -1);
  for (std::size_t i = 0; i < rows.size(); ++i) kept[rows[i]] = static_cast<std::int32_t>(i);
  take(image.inputs);
  take(image.descriptors);
  take_numbers(image.rows);
  take_numbers(image.matches);
}

/// `most` different numbers below `count`, ascending; all of them if there are no more.
std::vector<std::int32_t> draw_rows(std::int64_t count, std::int64_t most,
                                    base::RandomStream& random) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  if (most == 0 || most >= count) return rows;
  for (std::int64_t i = 0; i < most; ++i)
    std::swap(
        rows[i],
        rows[i + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(count - i)))]);
  rows.resize(static_cast<std::size_t>(most));
  std::ranges::sort(rows);
  return rows;
}

/// Turns the position and the angle of a keypoint's inputs.
void turn(double angle, tensor::VectorView<float> inputs) {
  const auto cosine = static_cast<float>(std::cos(angle));
  const auto sine = static_cast<float>(std::sin(angle));
  for (const std::size_t at : {0, 3}) {  // the position, then cosine and sine of the angle
    const float x = inputs[at], y = inputs[at + 1];
    inputs[at] = cosine * x - sine * y;
    inputs[at + 1] = sine * x + cosine * y;
  }
  for (const std::size_t axis : {0, 1}) {
    inputs[6 + 2 * axis] = std::sin(3 * inputs[axis]);
    inputs[7 + 2 * axis] = std::cos(3 * inputs[axis]);
  }
}

}  // namespace

void vary_sample(const SampleDraw& draw, std::int64_t most, KeypointSample& sample) {
  base::RandomStream random(draw.seed, base::RandomPurpose::augmentation, draw.step, draw.index);
  if (random.below(2) == 1) std::swap(sample.images[0], sample.images[1]);
  const double angle = random.uniform(-std::numbers::pi, std::numbers::pi);
  std::array<std::vector<std::int32_t>, 2> kept;
  for (const int e : {0, 1}) {
    KeypointSample::Image& image = sample.images[e];
    keep_rows(draw_rows(std::ssize(image.rows), most, random), image, kept[e]);
    for (std::int64_t i = 0; i < std::ssize(image.rows); ++i)
      turn(angle, image.inputs.rows().row(i));
  }
  for (const int e : {0, 1})
    for (std::int32_t& partner : sample.images[e].matches)
      if (partner >= 0) partner = kept[1 - e][partner];
}

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
