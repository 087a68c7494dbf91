#pragma once

#include "data/keypoints/keypoint_pairs.h"

namespace asap::data {

/// Numbers that a matching network reads of a keypoint.
inline constexpr std::int64_t kKeypointInputs = 11;

/// Writes what a network reads of one keypoint: position relative to the centre, in halves of the
/// longer side; log size; cosine and sine of the angle; scaled response; sine and cosine of three
/// times both positions; log of the half side over the size. out: [kKeypointInputs].
void keypoint_input(const KeypointView& view, std::int64_t keypoint, float response_scale,
                    tensor::VectorView<float> out);

/// One pair as a network reads it.
struct KeypointSample {
  struct Image {
    tensor::Tensor<float> inputs;       ///< [N, kKeypointInputs]
    tensor::Tensor<float> descriptors;  ///< [N, W]
    std::vector<std::int32_t> matches;  ///< [N] in the numbers of this sample; empty if unknown
    std::vector<std::int32_t> rows;     ///< [N] numbers in the file
  };
  std::array<Image, 2> images;
};

/// Makes the variation of one sample a pure function of the run, the step and the place in the
/// batch.
struct SampleDraw {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t index = 0;
};

/// Varies a sample for training, in ways that keep descriptors and partners as they are: images
/// change places, or not; both turn about their centres by one angle; and `most` keypoints of each
/// image are drawn from those it has (0: all are kept). A keypoint whose partner is left out has no
/// partner.
void vary_sample(const SampleDraw& draw, std::int64_t most, KeypointSample& sample);

/// Fills a sample with the keypoints of a pair, at most `most` of each image (0: all), those of
/// largest response. A keypoint whose partner is left out has no partner.
void fill_sample(const KeypointPairs& pairs, std::int64_t pair, std::int64_t most,
                 double response_scale, KeypointSample& sample);

}  // namespace asap::data
