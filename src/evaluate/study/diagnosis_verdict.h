#pragma once

#include <string>
#include <vector>

#include "evaluate/study/diagnosis.h"

namespace asap::evaluate {

/// What a diagnosis comes to, in a few sentences: which head of a Sinkhorn teacher is far from
/// converged and what would help, or that none is; and the strongest attention sink. Empty without
/// the teacher.
std::vector<std::string> diagnosis_verdict(const Diagnosis& diagnosis);

}  // namespace asap::evaluate
