#pragma once

#include <vector>

#include "region/network/samples.h"

namespace asap::region {

/// The cubic spline through given points with not-a-knot ends: twice differentiable, exact for
/// cubic polynomials. Outside the points its end pieces go on.
class CubicSpline {
 public:
  /// x ascending and distinct, at least four points.
  CubicSpline(std::vector<double> x, std::vector<double> y);

  double operator()(double at) const;

 private:
  std::vector<double> x_, y_;
  std::vector<double> curvature_;  // second derivatives at the points
};

/// Variance of the noise in y (for weight one), from how far points lie off the line through their
/// neighbours (Gasser, Sroka and Jennen-Steinmetz, Biometrika 73, 1986), taken over neighbours at
/// two distances: what a smooth curve does grows sixteenfold from one to the other, noise stays.
/// Medians make it blind to single corners and outliers. 0 when the points look like a curve.
double noise_variance(const Samples& samples);

/// A smooth curve near noisy points: least-squares straight lines between even knots, as many as
/// the data ask for (least Mallows C_p), through whose knot values a cubic spline goes.
CubicSpline smoothing_curve(const Samples& samples, double noise_variance);

/// At most `bins` points that stand for many: weighted means over stretches of equal length, with
/// summed weights. Fewer samples come back as they are.
Samples bin_samples(const Samples& samples, int bins);

}  // namespace asap::region
