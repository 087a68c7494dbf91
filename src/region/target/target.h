#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "numerics/curve.h"
#include "region/family/curvature.h"
#include "region/network/samples.h"
#include "region/target/points_file.h"

namespace asap::region {

/// A function of one variable to be fitted on an interval: known exactly or by points.
struct Target {
  std::string name;     ///< as the user gave it
  std::string formula;  ///< of the truth, for bounds; empty when only points are known
  numerics::Interval interval;
  Samples samples;            ///< training points
  Spread spread{};            ///< of points that shared their x
  numerics::Curve curve;      ///< smooth guide through or near the points, from which fits start
  numerics::Curve truth;      ///< the exact function; empty when only points are known
  double noise_variance = 0;  ///< of y at weight one; 0: the points lie on a curve
  std::vector<std::string> notes;  ///< what the user should know about the data

  /// What errors are measured against on the dense grid: the truth if it is known, else the curve.
  const numerics::Curve& reference() const { return truth ? truth : curve; }
};

/// UsageError unless the ends are finite and in order.
void check_interval(numerics::Interval interval);

/// A formula, or the name of a built-in function, on the interval, with `points` even training
/// points, ends included. The guide is the function itself. UsageError for an empty interval or a
/// mistake in the formula; NumericalError names an x where the function is not finite; DataError as
/// require_moderate() throws it, which holds for points as well.
Target function_target(const std::string& formula, numerics::Interval interval, int points = 500);

/// Points in the bytes of a file (points_file.h), of the columns `chosen`: all of them, or those inside
/// `interval`; DataError when fewer than `fewest` are left.
PointsFile data_points(std::string_view bytes, const std::string& source,
                       const std::optional<numerics::Interval>& interval,
                       const ChosenColumns& chosen, int fewest);

/// The points of a file, at least kFewestPoints, with its notes first.
Target noted_target(std::string name, PointsFile file);

/// The same from the file itself.
Target data_target(const std::filesystem::path& path,
                   const std::optional<numerics::Interval>& interval,
                   const ChosenColumns& chosen = {});

/// Points in memory, in any order, as parse_points() prepares those of a file.
Target data_target(std::string name, Samples points);

/// Points alone. The guide is a cubic spline, smoothed where the points are noisy.
Target points_target(std::string name, Samples samples);

/// A target of the paper's experiments.
struct PaperTarget {
  const char* name;     ///< "x3"
  const char* formula;  ///< "x^3"
  numerics::Interval interval;
  int points;  ///< number of even training points
  bool test;   ///< measured on as many test points midway between the training points
};
/// x3, x11 (500 training points) and x3-10, x11-10, sin-10, tanh-10 (10 training, 10 test points).
const std::vector<PaperTarget>& paper_targets();
/// UsageError suggests the nearest name.
const PaperTarget& paper_target(const std::string& name);

/// A paper target as a fit sees it: training points without the function.
Target paper_points(const PaperTarget& paper);

/// f at the middles of `count` even cells: where a fit to even points is tested.
Samples midpoints(const numerics::Curve& f, numerics::Interval interval, int count);

/// Points of the dense grid on which functions are checked and finished fits are measured.
inline constexpr int kDensePoints = 20001;

/// f on an even grid of `count` points, ends included.
Samples even_samples(const numerics::Curve& f, numerics::Interval interval, int count);

}  // namespace asap::region
