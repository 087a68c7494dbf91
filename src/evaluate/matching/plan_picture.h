#pragma once

#include <string>

#include "tensor/core/view.h"

namespace asap::evaluate {

/// An assignment with dustbins as SVG: keypoints of image 0 downwards, of image 1 to the right, an
/// entry the darker the larger; entries below a twentieth are not drawn. The strip to the right is
/// the dustbin of image 0's keypoints, the one below that of image 1's. plan: [N + 1, M + 1].
std::string plan_picture(tensor::MatrixView<const float> plan);

}  // namespace asap::evaluate
