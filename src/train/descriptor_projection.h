#pragma once

#include "data/keypoints/keypoint_pairs.h"
#include "nn/matcher.h"

namespace asap::train {

/// Starts the projection of descriptors, the parameters "descriptor.weight" [W, D] and
/// "descriptor.bias" [W] of a matcher, as the first W principal components of the training
/// descriptors, scaled so that the first scores are about `start_gain` times the centred
/// similarity of two descriptors. Rows beyond the D components are zero, and all of them if the
/// descriptors are equal. Reads at most some ten thousand descriptors, evenly spread.
void start_projection(const data::KeypointPairs& pairs, nn::Matcher<float>& model);

}  // namespace asap::train
