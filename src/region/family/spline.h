#pragma once

#include <vector>

#include "region/network/samples.h"

namespace asap::region {

/// The cubic spline through given points with not-a-knot ends: twice differentiable and exact for
/// cubic polynomials. Outside the points its end pieces continue.
class CubicSpline {
 public:
  /// x ascending and distinct, at least four points.
  CubicSpline(std::vector<double> x, std::vector<double> y);

  double operator()(double at) const;

 private:
  std::vector<double> x_, y_;
  std::vector<double> curvature_;  // second derivatives at the points
};

/// Variance of the noise in y at weight one, from the distance of points to the line through their
/// neighbours (Gasser, Sroka and Jennen-Steinmetz, Biometrika 73, 1986). Neighbours at two
/// distances separate noise from curvature: the part of a smooth curve grows sixteenfold from one
/// to the other, the part of noise stays. Medians make the result robust to single corners and
/// outliers. 0 when the points look like a curve.
double noise_variance(const Samples& samples);

/// A smooth curve near noisy points: the cubic spline through the knot values of a least-squares
/// polyline with even knots, whose number minimises Mallows' C_p.
CubicSpline smoothing_curve(const Samples& samples, double noise_variance);

/// Replaces many samples by at most `bins` points: weighted means over cells of equal length, with
/// summed weights. No more than `bins` samples are returned unchanged.
Samples bin_samples(const Samples& samples, int bins);

}  // namespace asap::region
