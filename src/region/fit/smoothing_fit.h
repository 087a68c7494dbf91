#pragma once

#include <vector>

#include "region/network/piecewise_linear.h"
#include "region/network/samples.h"
#include "region/pieces/smoothing_lines.h"

namespace asap::region {

/// A smoothing line whose strength is chosen.
struct SmoothingFit {
  Smoothing smoothing;
  double move = 0;  ///< the most that simplifying may change the line
  PiecewiseLinear function;
  double error = 0;  ///< mean squared error at points left out
};

/// For each penalty (pieces/smoothing_lines.h) the line whose strength predicts points left out
/// best, simplified: neighbouring pieces become one where the line moves by less than a fifth of
/// the error expected, which the error at points left out includes. Nothing for points that are
/// too few to leave some out.
std::vector<SmoothingFit> smoothing_fits(const Samples& samples);

/// The same smoothing and simplification on other points.
PiecewiseLinear smoothed_like(const SmoothingFit& fit, const Samples& samples);

}  // namespace asap::region
