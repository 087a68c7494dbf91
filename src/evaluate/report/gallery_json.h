#pragma once

#include "evaluate/study/plan_gallery.h"
#include "io/json.h"

namespace asap::evaluate {

/// Plans and inputs as page/plans.js draws them: numbers as bytes in base64. A plan's entry v is
/// round(255 sqrt(v / max)) of the plan's largest entry. Other methods' plans are given as their
/// difference d from the teacher's, 128 + sign(d) round(127 sqrt(|d| / max)).
io::Json gallery_json(const PlanGallery& gallery);

}  // namespace asap::evaluate
