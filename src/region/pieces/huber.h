#pragma once

#include <functional>

#include "region/pieces/free_knots.h"

namespace asap::region {

/// The points with the weights of Huber's loss: a point farther than 1.345 robust deviations from
/// the median of its neighbours counts by the inverse of its distance. A start for huber_refined().
Samples with_huber_weights(const Samples& samples);

/// A least-squares refinement from a function, such as refined_on_points().
using PointsRefinement = std::function<PiecewiseFit(const PiecewiseLinear&, const Samples&)>;

/// Minimises Huber's loss over knots and values from `function`, by weighted least squares whose
/// weights follow the residuals (Holland and Welsch 1977). The robust deviation is 1.4826 times the
/// median absolute residual.
PiecewiseLinear huber_refined(PiecewiseLinear function, const Samples& samples,
                              const PointsRefinement& refined = refined_on_points);

}  // namespace asap::region
