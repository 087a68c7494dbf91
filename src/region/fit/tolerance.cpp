#include "region/fit/tolerance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/counted.h"
#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "region/certify/error_bounds.h"
#include "region/fit/narrow_fit.h"
#include "region/fit/pieces_within.h"
#include "region/fit/windowed_fit.h"
#include "region/pieces/piecewise_network.h"

namespace asap::region {
namespace {

std::int64_t parameter_count(int depth, int fold, int windows) {
  return NetworkShape::uniform(depth, family_width(fold, windows)).parameter_count();
}

/// Asymptotically the least maximum error of any continuous function of `pieces` straight pieces:
/// (integral sqrt|f''|)^2 / (16 pieces^2).
double least_max_error(const numerics::Curve& f, numerics::Interval interval, double pieces) {
  constexpr int kCells = 4096;
  double integral = 0;
  for (int i = 1; i < kCells; ++i) {
    const auto at = [&](int k) { return f(interval.at(static_cast<double>(k) / kCells)); };
    integral += std::sqrt(std::abs(at(i - 1) - 2 * at(i) + at(i + 1)));
  }
  return integral * integral / (16 * pieces * pieces);
}

/// Parameters of a polished network of width four with continued ends (continued_ends.h).
std::int64_t narrow_count(int depth) {
  constexpr std::int64_t kWidth = 4;
  if (depth == 1) return 3 * (kWidth + 2) + 1;
  return 2 * (kWidth + 2) + (kWidth + 1) * (kWidth + 3) +
         (depth - 2) * (kWidth + 1) * (kWidth + 2) + kWidth + 2;
}

class Search {
 public:
  Search(const Target& target, double tolerance, const FitOptions& options,
         const std::function<void(const ToleranceTrial&)>& progress)
      : target_(target), tolerance_(tolerance), options_(options), progress_(progress) {
    if (target.truth) formula_.emplace(target.formula);
  }

  ToleranceResult run() {
    straight();
    narrow();
    for (const int fold : {2, 3})
      for (int depth = 1; std::pow(fold, depth) <= 128; ++depth) windowed(depth, fold);
    if (best_ == std::numeric_limits<std::int64_t>::max())
      throw base::NumericalError("no network of up to " + base::format_number(kMostParameters) +
                                     " parameters reaches a maximum error of " +
                                     base::format_number(tolerance_),
                                 "use a larger `tolerance`, or a shorter `interval`");
    return std::move(result_);
  }

 private:
  static constexpr double kMostParameters = 2e5;

  /// The largest error found: at the points, or on a dense grid. A folded function takes no longer
  /// with more windows than with one.
  double found_error(const Fit& fit) {
    if (grid_.x.empty())
      grid_ = target_.truth ? even_samples(target_.truth, target_.interval, kDensePoints)
                            : target_.samples;
    std::vector<double> prediction(grid_.x.size());
    if (fit.folded)
      for (std::size_t i = 0; i < prediction.size(); ++i) prediction[i] = (*fit.folded)(grid_.x[i]);
    else
      fit.network.evaluate(grid_.x, prediction);
    return max_error(grid_, target_.truth ? Spread() : target_.spread, prediction);
  }

  /// Records a trial and keeps the fit if it reaches the tolerance with fewer parameters than all
  /// before.
  bool judge(Fit fit, int depth, int fold, int windows) {
    ToleranceTrial trial{depth, fold, windows, fit.network.parameter_count()};
    trial.max_error = found_error(fit);
    trial.reached = trial.max_error <= tolerance_;
    if (trial.reached && formula_) {
      const MaximumErrorBounds bounds = bound_maximum_error(
          *formula_, fit.network, target_.interval, {.gap = 1e-9, .tolerance = tolerance_});
      trial.reached = bounds.within(tolerance_);
      trial.max_error = trial.reached ? bounds.upper : std::max(trial.max_error, bounds.lower);
    }
    result_.trials.push_back(trial);
    if (progress_) progress_(trial);
    if (trial.reached && trial.parameters < best_) {
      best_ = trial.parameters;
      result_.fit = std::move(fit);
      result_.max_error = trial.max_error;
    }
    return trial.reached;
  }

  /// The fewest straight pieces, as a network of one hidden layer.
  void straight() {
    // Networks of many steep pieces round; those that keep some of the tolerance free may need a
    // piece more. Only the first says what the tolerance itself needs.
    for (const double margin : {kLeastMargin, 1e-7, 1e-5, 1e-3, 0.1}) {
      const auto within = pieces_within(target_, formula_ ? &*formula_ : nullptr, tolerance_,
                                        static_cast<int>(kMostParameters / 3), margin);
      if (within && margin == kLeastMargin) result_.fewest_pieces = within->fewest;
      if (within && judge(straight_fit(within->function), 1, 0, 0)) return;
      if (formula_) return;
    }
    through_all();
  }

  Fit straight_fit(const PiecewiseLinear& function) const {
    Fit fit;
    fit.network = to_network(function);
    fit.description = base::counted(function.pieces(), "straight piece") +
                      (function.pieces() == result_.fewest_pieces ? ", the fewest possible" : "");
    return fit;
  }

  /// A piece between any two points: what is left where the tolerance is near the rounding of
  /// steeper ones.
  void through_all() {
    const Samples& samples = target_.samples;
    PiecewiseLinear line{samples.x, samples.y};
    for (std::size_t i = 0; i < target_.spread.size(); ++i) line.y[i] = target_.spread.middle(i);
    if (3.0 * static_cast<double>(line.pieces()) > kMostParameters) return;
    judge(straight_fit(line), 1, 0, 0);
  }

  bool allowed(int depth, int fold, int windows) const {
    const std::int64_t count = parameter_count(depth, fold, windows);
    return count < best_ && count <= kMostParameters;
  }

  /// Networks of one window with polished weights. Measurements show that they match about twice
  /// the pieces of their folding; a depth is tried if three times its pieces can be enough.
  void narrow() {
    for (int depth = 1; depth <= 7; ++depth) {
      const double pieces = 3 * std::pow(2, depth);
      if (narrow_count(depth) >= best_) return;
      if (least_max_error(target_.reference(), target_.interval, pieces) > tolerance_) continue;
      FitOptions quick = options_;
      quick.depth = depth;
      quick.fold = 0;
      quick.starts = 4;
      quick.first_hops = 1;
      quick.last_hops = 4;
      quick.progress = {};
      if (judge(narrow_fit(target_, quick), depth, 3, 1)) return;
      if (++polished_ == 2) return;
    }
  }

  /// The fewest windows of this depth and fold, by doubling and bisection.
  void windowed(int depth, int fold) {
    const auto reaches = [&](int windows) {
      return judge(windowed_fit(target_, depth, fold, windows), depth, fold, windows);
    };
    const double ideal = std::pow(fold, depth);
    int windows = 1;
    // At least as many pieces as the best free knots need.
    while (least_max_error(target_.reference(), target_.interval, windows * ideal) >
               1.5 * tolerance_ &&
           allowed(depth, fold, windows))
      windows *= 2;
    int failed = windows / 2;
    bool found = false;
    while (!found && allowed(depth, fold, windows)) {
      found = reaches(windows);
      if (found) break;
      failed = windows;
      windows *= 2;
    }
    // A number of windows in between may still beat the best so far.
    if (!found) {
      int low = failed, high = windows;  // allowed, not allowed
      while (high - low > 1) {
        const int middle = (low + high) / 2;
        (allowed(depth, fold, middle) ? low : high) = middle;
      }
      windows = low;
      if (windows == failed || !allowed(depth, fold, windows) || !reaches(windows)) return;
    }
    while (windows - failed > std::max(1, windows / 64)) {
      const int middle = (windows + failed) / 2;
      (reaches(middle) ? windows : failed) = middle;
    }
  }

  const Target& target_;
  double tolerance_;
  const FitOptions& options_;
  const std::function<void(const ToleranceTrial&)>& progress_;
  ToleranceResult result_;
  Samples grid_;
  std::optional<Expression> formula_;  // of a known function
  std::int64_t best_ = std::numeric_limits<std::int64_t>::max();
  int polished_ = 0;
};

}  // namespace

namespace {

/// No function is nearer to two points of equal x than half their distance.
void check_reachable(const Target& target, double tolerance) {
  if (target.truth || target.spread.empty()) return;
  const Spread& spread = target.spread;
  std::size_t widest = 0;
  for (std::size_t i = 0; i < spread.size(); ++i)
    if (spread.half_range(i) > spread.half_range(widest)) widest = i;
  if (spread.half_range(widest) <= tolerance) return;
  throw base::UsageError(
      "`tolerance` " + base::format_number(tolerance) +
          ": the points at x = " + base::format_significant(target.samples.x[widest]) +
          " reach from " + base::format_significant(spread.low[widest]) + " to " +
          base::format_significant(spread.high[widest]) + ", and no function is within it",
      "choose at least " + base::format_significant(1.01 * spread.half_range(widest)) +
          ", or average points of equal x before");
}

}  // namespace

ToleranceResult fit_to_tolerance(const Target& target, double tolerance, const FitOptions& options,
                                 const std::function<void(const ToleranceTrial&)>& progress) {
  if (!(tolerance > 0) || !std::isfinite(tolerance))
    throw base::UsageError("`tolerance` " + base::format_number(tolerance) +
                           ": a positive number is expected");
  check_reachable(target, tolerance);
  return Search(target, tolerance, options, progress).run();
}

}  // namespace asap::region
