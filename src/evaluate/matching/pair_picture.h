#pragma once

#include <string>

#include "data/keypoints/keypoint_pairs.h"
#include "infer/matches.h"

namespace asap::evaluate {

/// Both images of a pair side by side as SVG, where the file has them, else grey frames: keypoints
/// as dots, matches as lines, blue if right, orange if wrong, grey where the truth is ambiguous or
/// unknown.
std::string pair_picture(const data::KeypointPairs& pairs, std::int64_t pair,
                         const infer::Matches& matches);

}  // namespace asap::evaluate
