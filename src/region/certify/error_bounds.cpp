#include "region/certify/error_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

namespace asap::region {
namespace {

/// The exact line through (x0, y0) and (x1, y1).
class Line {
 public:
  Line(double x0, double y0, double x1, double y1)
      : x0_(Enclosure::point(x0)),
        y0_(Enclosure::point(y0)),
        x1_(Enclosure::point(x1)),
        y1_(Enclosure::point(y1)),
        slope_((y1_ - y0_) / (x1_ - x0_)) {}

  Enclosure slope() const { return slope_; }
  /// Each end gives the values near it best.
  Enclosure on(Enclosure x) const {
    return intersection(y0_ + slope_ * (x - x0_), y1_ + slope_ * (x - x1_));
  }

 private:
  Enclosure x0_, y0_, x1_, y1_, slope_;
};

/// A part of a piece: [low, high] with the errors at its ends and a bound of the error between.
struct Part {
  std::size_t piece;
  double low, high;
  Enclosure at_low, at_high;
  double upper = 0;
};

struct LessCertain {
  bool operator()(const Part& a, const Part& b) const { return a.upper < b.upper; }
};

class Search {
 public:
  Search(const Expression& f, const PiecewiseLinear& p, const BoundOptions& options)
      : f_(f), options_(options) {
    for (const double y : p.y) scale_ = std::max(scale_, std::abs(y));
    bounds_.x = p.x.front();
    for (std::size_t k = 0; k + 1 < p.x.size(); ++k) {
      if (p.x[k] == p.x[k + 1]) continue;  // a jump
      lines_.emplace_back(p.x[k], p.y[k], p.x[k + 1], p.y[k + 1]);
      Part part{lines_.size() - 1, p.x[k], p.x[k + 1], {}, {}};
      part.at_low = error_at(part.piece, part.low);
      part.at_high = error_at(part.piece, part.high);
      add(part);
    }
  }

  MaximumErrorBounds run() {
    while (!decided() && !waiting_.empty() && bounds_.evaluations < options_.evaluations) {
      const Part part = waiting_.top();
      waiting_.pop();
      split(part);
    }
    bounds_.upper = upper();
    bounds_.certified = decided();
    return bounds_;
  }

 private:
  double upper() const {
    return std::max({settled_, bounds_.lower, waiting_.empty() ? 0 : waiting_.top().upper});
  }

  bool decided() const {
    // Errors of the size of rounding have no relative gap.
    const double rounding = 16 * std::numeric_limits<double>::epsilon() * scale_;
    const double most = upper();
    if (!std::isfinite(most)) return false;
    if (most <= bounds_.lower * (1 + options_.gap) + rounding) return true;
    return options_.tolerance &&
           (most <= *options_.tolerance || bounds_.lower > *options_.tolerance);
  }

  Enclosure error_at(std::size_t piece, double x) {
    const Enclosure at = Enclosure::point(x);
    const Enclosure error = f_.on(at).value - lines_[piece].on(at);
    ++bounds_.evaluations;
    if (error.mignitude() > bounds_.lower) {
      bounds_.lower = error.mignitude();
      bounds_.x = x;
    }
    return error;
  }

  /// Bounds the error on a part in four ways that hold together.
  void add(Part part) {
    const Enclosure x{part.low, part.high};
    const Line& line = lines_[part.piece];
    const Jet jet = f_.on(x);
    ++bounds_.evaluations;
    const Enclosure width = Enclosure::point(part.high) - Enclosure::point(part.low);
    const Enclosure step{0, width.high};
    const Enclosure slope = jet.slope - line.slope(), ends = hull(part.at_low, part.at_high);
    Enclosure error = jet.value - line.on(x);
    if (slope.low >= 0 || slope.high <= 0) error = intersection(error, ends);
    // Mean values from both ends.
    error = intersection(error, part.at_low + slope * step);
    error = intersection(error, part.at_high - slope * step);
    // The chord: e(x) lies between it and e'' (x - low) (x - high) / 2 beside it.
    const Enclosure sag = square(width) * Enclosure::point(0.125);
    error = intersection(error, ends - jet.curvature * Enclosure{0, sag.high});
    part.upper = error.magnitude();
    waiting_.push(part);
  }

  void split(const Part& part) {
    const double middle = part.low + (part.high - part.low) / 2;
    if (!(middle > part.low && middle < part.high)) {  // neighbouring numbers
      settled_ = std::max(settled_, part.upper);
      return;
    }
    const Enclosure error = error_at(part.piece, middle);
    add({part.piece, part.low, middle, part.at_low, error});
    add({part.piece, middle, part.high, error, part.at_high});
  }

  const Expression& f_;
  const BoundOptions options_;
  std::vector<Line> lines_;
  std::priority_queue<Part, std::vector<Part>, LessCertain> waiting_;
  MaximumErrorBounds bounds_;
  double settled_ = 0;  // bound on the parts that cannot be split
  double scale_ = 0;    // largest |y|
};

}  // namespace

MaximumErrorBounds bound_maximum_error(const Expression& f, const PiecewiseLinear& p,
                                       const BoundOptions& options) {
  return Search(f, p, options).run();
}

MaximumErrorBounds bound_maximum_error(const Expression& f, const ReluNetwork& network,
                                       numerics::Interval interval, const BoundOptions& options,
                                       Rounding rounding) {
  const PiecewiseLinear pieces = pieces_of(network, interval);
  const double deviation = largest_deviation(network, pieces, rounding);
  BoundOptions inner = options;
  if (inner.tolerance) inner.tolerance = *inner.tolerance - deviation;
  MaximumErrorBounds bounds = bound_maximum_error(f, pieces, inner);
  const Enclosure wider = Enclosure{bounds.lower, bounds.upper} + Enclosure{-deviation, deviation};
  bounds.lower = std::max(wider.low, 0.0);
  bounds.upper = wider.high;
  const bool decided =
      options.tolerance && (bounds.within(*options.tolerance) || bounds.lower > *options.tolerance);
  bounds.certified = decided || bounds.upper <= bounds.lower * (1 + options.gap) + 4 * deviation;
  return bounds;
}

}  // namespace asap::region
