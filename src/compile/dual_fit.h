#pragma once

#include <span>

#include "compile/teacher_sample.h"
#include "transport/slices.h"

namespace asap::compile {

/// Slices for one head: random, or canonical from the covariances of the centred queries and keys
/// of the samples (means over live tokens, then over examples).
transport::Slices choose_slices(std::span<const TeacherSample> samples, const CompileConfig& config,
                                std::uint32_t stream);

/// One sample of a fit.
struct FitSample {
  tensor::Tensor<double> features;  // centred: [P, n]
  std::vector<double> target;       // [n]
};

/// Ridge regression of the target on the features, all queries of all samples together:
///   w = (G + ridge diag(G))^-1 sum features target,  G = sum features featuresᵀ.
/// A feature that never varies gets weight 0. NumericalError when G is not finite.
std::vector<double> fit_ridge(std::span<const FitSample> samples, double ridge);

}  // namespace asap::compile
