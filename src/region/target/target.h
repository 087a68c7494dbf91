#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "numerics/curve.h"
#include "region/family/curvature.h"
#include "region/network/samples.h"

namespace asap::region {

/// What is to be fitted, on one interval.
struct Target {
  std::string name;  ///< as the user gave it
  numerics::Interval interval;
  Samples samples;        ///< training points
  numerics::Curve curve;  ///< smooth guide through or near the samples, from which fits are started
  numerics::Curve truth;  ///< the exact function; empty when only points are known
  double noise_variance = 0;       ///< of y at weight one; 0: the samples lie on a curve
  std::vector<std::string> notes;  ///< what the user should know about the data

  /// What errors between the samples are measured against: the truth, or else the curve.
  const numerics::Curve& reference() const { return truth ? truth : curve; }
};

/// A formula or the name of a built-in function on the interval, sampled evenly at `points` points,
/// ends included. The guide is the function itself. UsageError for an empty interval or a formula
/// with a mistake, NumericalError with the x where the function is not finite.
Target function_target(const std::string& formula, numerics::Interval interval, int points = 500);

/// Points of a file, on all of their range or on the part inside `interval`.
Target data_target(const std::filesystem::path& path,
                   const std::optional<numerics::Interval>& interval);

/// Points alone. The guide is a cubic spline, smoothed where the points are noisy.
Target points_target(std::string name, Samples samples);

/// A target of the paper's experiments and what the paper reports for it.
struct PaperTarget {
  const char* name;     ///< "x3"
  const char* formula;  ///< "x^3"
  numerics::Interval interval;
  int points;  ///< training points, even
  bool test;   ///< judged at as many test points between them rather than at the training points
};
/// x3, x11 (500 training points) and x3-10, x11-10, sin-10, tanh-10 (10 training, 10 test points).
const std::vector<PaperTarget>& paper_targets();
/// UsageError names the nearest target there is.
const PaperTarget& paper_target(const std::string& name);

/// The training points of a paper target as a fit sees them: no function, only points.
Target paper_points(const PaperTarget& paper);

/// `count` points midway between even ones: where a fit to even points is tested.
Samples midpoints(const numerics::Curve& f, numerics::Interval interval, int count);

/// Points of the dense grid on which a function or a finished fit is judged.
inline constexpr int kDensePoints = 20001;

/// f on an even grid, ends included.
Samples even_samples(const numerics::Curve& f, numerics::Interval interval, int count);

}  // namespace asap::region
