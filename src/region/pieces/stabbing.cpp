#include "region/pieces/stabbing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace asap::region {
namespace {

/// A line by its value at a reference place and its slope.
struct Line {
  double value = 0, slope = 0;
};

/// A convex set of lines: a polygon in the plane of (value, slope). Lines are relative to the
/// place of its reference.
class LineSet {
 public:
  LineSet() = default;
  /// Lines between low and high at `reference` and at `other`.
  LineSet(double reference, double low, double high, double other, double other_low,
          double other_high, double negligible)
      : reference_(reference), negligible_(negligible) {
    const double distance = other - reference;
    for (const auto& [first, second] : {std::pair{low, other_low}, std::pair{low, other_high},
                                        std::pair{high, other_high}, std::pair{high, other_low}})
      corners_.push_back({first, (second - first) / distance});
  }

  bool empty() const { return corners_.empty(); }
  const std::vector<Line>& corners() const { return corners_; }
  double at(const Line& line, double x) const { return line.value + line.slope * (x - reference_); }

  /// Keeps the lines with sign * line(x) <= sign * bound.
  void cut(double x, double bound, double sign) {
    const auto excess = [&](const Line& line) { return sign * (at(line, x) - bound); };
    bool outside = false;
    for (const Line& corner : corners_) outside = outside || excess(corner) > 0;
    if (!outside) return;
    kept_.clear();
    for (std::size_t i = 0; i < corners_.size(); ++i) {
      const Line &from = corners_[i], &to = corners_[(i + 1) % corners_.size()];
      const double before = excess(from), after = excess(to);
      if (before <= 0) keep(from, x);
      if ((before <= 0) == (after <= 0)) continue;
      const double part = before / (before - after);
      keep({from.value + part * (to.value - from.value),
            from.slope + part * (to.slope - from.slope)},
           x);
    }
    corners_.swap(kept_);
  }

  /// The line with the largest sign * line(x).
  Line extreme(double x, double sign) const {
    return *std::max_element(corners_.begin(), corners_.end(), [&](const Line& a, const Line& b) {
      return sign * at(a, x) < sign * at(b, x);
    });
  }

 private:
  /// Corners that rounding has parted are one: lines over the same points have thousands of them.
  void keep(const Line& line, double x) {
    if (!kept_.empty() && std::abs(line.value - kept_.back().value) +
                                  std::abs((line.slope - kept_.back().slope) * (x - reference_)) <=
                              negligible_)
      return;
    kept_.push_back(line);
  }

  double reference_ = 0, negligible_ = 0;
  std::vector<Line> corners_, kept_;
};

class Stabbing {
 public:
  /// half_range: see fewest_pieces; empty: zeros.
  Stabbing(const Samples& samples, const std::vector<double>& half_range, double tolerance,
           Within within)
      : x_(samples.x),
        y_(samples.y),
        half_range_(half_range),
        tolerance_(tolerance),
        negligible_(1e-9 * tolerance),
        within_(within) {
    const auto [low, high] = std::minmax_element(y_.begin(), y_.end());
    steep_ = 1e4 * (*high - *low + tolerance);
  }

  std::optional<PiecewiseLinear> run(int most_pieces) {
    const std::size_t last = x_.size() - 1;
    LineSet lines(x_[0], low(0), high(0), x_[1], low(1), high(1), negligible_);
    std::size_t reached = 1;
    for (int pieces = 1;; ++pieces) {
      LineSet before = lines;
      while (reached < last) {
        before = lines;
        lines.cut(x_[reached + 1], high(reached + 1), 1);
        lines.cut(x_[reached + 1], low(reached + 1), -1);
        if (lines.empty()) break;
        ++reached;
      }
      if (pieces > most_pieces) return std::nullopt;
      if (reached == last && !lines.empty()) return finished(lines);
      lines = next_piece(before, reached);
      if (lines.empty()) return std::nullopt;
    }
  }

 private:
  double room(std::size_t i) const {
    return half_range_.empty() ? tolerance_ : tolerance_ - half_range_[i];
  }
  double low(std::size_t i) const { return y_[i] - room(i); }
  double high(std::size_t i) const { return y_[i] + room(i); }

  /// Ends the present piece by the extreme line towards gate reached + 1. Returns the lines of the
  /// next piece that meet this gate.
  LineSet next_piece(const LineSet& lines, std::size_t& reached) {
    const std::size_t next = reached + 1;
    const Line up = lines.extreme(x_[next], 1);
    const double sign = lines.at(up, x_[next]) < low(next) ? 1 : -1;
    const Line edge = sign > 0 ? up : lines.extreme(x_[next], -1);
    // The gate that the extreme line touches on the side of the next gate.
    const std::size_t first = sign > 0 ? first_high_ : first_low_;
    std::size_t touched = first;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = first; i <= reached; ++i) {
      const double left = sign * (y_[i] - lines.at(edge, x_[i])) + room(i);
      if (left > least + 1e-9 * tolerance_) continue;
      least = std::min(least, left);
      touched = i;
    }
    const double start = lines.at(edge, x_[touched]);
    places_.push_back(x_[touched]);
    starts_.push_back(start);
    slopes_.push_back(edge.slope);
    const double steep = start - sign * steep_;
    LineSet result;
    if (within_ == Within::samples) {
      result = LineSet(x_[touched], std::min(start, steep), std::max(start, steep), x_[next],
                       low(next), high(next), negligible_);
    } else {
      // Where the extreme line leaves the band around the chord.
      const auto left = [&](std::size_t i) {
        return sign * (lines.at(edge, x_[i]) - y_[i]) + tolerance_;
      };
      const double before = std::max(left(reached), 0.0), after = left(next);
      const double part = before / (before - after);
      const double x = x_[reached] + part * (x_[next] - x_[reached]);
      const double inner = lines.at(edge, x), outer = inner + sign * 2 * tolerance_;
      if (!(x > x_[touched])) return {};
      result = LineSet(x_[touched], std::min(start, steep), std::max(start, steep), x,
                       std::min(inner, outer), std::max(inner, outer), negligible_);
      result.cut(x_[next], high(next), 1);
      if (!result.empty()) result.cut(x_[next], low(next), -1);
    }
    for (std::size_t i = touched + 1; i <= reached && !result.empty(); ++i)
      result.cut(x_[i], y_[i] + sign * room(i), sign);
    (sign > 0 ? first_high_ : first_low_) = touched;
    (sign > 0 ? first_low_ : first_high_) = next;
    reached = next;
    last_edge_ = start;
    return result;
  }

  /// Appends the last line and computes the knots, where neighbouring lines cross.
  PiecewiseLinear finished(LineSet lines) {
    const std::size_t last = x_.size() - 1;
    if (!places_.empty()) {
      // Of many lines a moderate one: not much steeper than from the last piece to the last gate.
      const double rise = y_[last] - last_edge_;
      for (const double sign : {1.0, -1.0}) {
        LineSet moderate = lines;
        moderate.cut(places_.back(), last_edge_ + sign * (std::abs(rise) + tolerance_), sign);
        if (!moderate.empty()) lines = std::move(moderate);
      }
    }
    Line middle;
    for (const Line& corner : lines.corners()) {
      middle.value += corner.value / static_cast<double>(lines.corners().size());
      middle.slope += corner.slope / static_cast<double>(lines.corners().size());
    }
    const double place = places_.empty() ? x_[0] : places_.back();
    places_.push_back(place);
    starts_.push_back(middle.value);
    slopes_.push_back(middle.slope);
    PiecewiseLinear line;
    const auto value = [&](std::size_t piece, double x) {
      return starts_[piece] + slopes_[piece] * (x - places_[piece]);
    };
    line.x.push_back(x_.front());
    line.y.push_back(value(0, x_.front()));
    for (std::size_t k = 0; k + 1 < places_.size(); ++k) {
      // Crossing of lines k and k + 1, from the reference of line k.
      const double gap = value(k + 1, places_[k]) - starts_[k];
      const double bend = slopes_[k] - slopes_[k + 1];
      const double x = bend != 0 ? places_[k] + gap / bend : places_[k];
      if (!(x > line.x.back()) || !(x < x_.back())) continue;
      line.x.push_back(x);
      line.y.push_back(value(k, x));
    }
    line.x.push_back(x_.back());
    line.y.push_back(value(places_.size() - 1, x_.back()));
    return line;
  }

  const std::vector<double>&x_, &y_, &half_range_;
  double tolerance_, negligible_, steep_ = 0, last_edge_ = 0;
  Within within_;
  std::size_t first_low_ = 0, first_high_ = 0;  // gates from which low and high ends bind the lines
  std::vector<double> places_, starts_, slopes_;  // the lines so far
};

}  // namespace

std::optional<PiecewiseLinear> fewest_pieces(const Samples& samples, double tolerance,
                                             int most_pieces, Within within) {
  const std::vector<double> none;
  std::optional<PiecewiseLinear> line = Stabbing(samples, none, tolerance, within).run(most_pieces);
  // Rounding may have cut a set of lines too far, or not far enough.
  if (line && max_error(*line, samples) > tolerance * (1 + 1e-6)) return std::nullopt;
  return line;
}

std::optional<PiecewiseLinear> fewest_pieces(const Samples& samples,
                                             const std::vector<double>& half_range,
                                             double tolerance, int most_pieces) {
  if (half_range.empty()) return fewest_pieces(samples, tolerance, most_pieces, Within::samples);
  for (const double half : half_range)
    if (half > tolerance) return std::nullopt;
  std::optional<PiecewiseLinear> line =
      Stabbing(samples, half_range, tolerance, Within::samples).run(most_pieces);
  for (std::size_t i = 0; line && i < half_range.size(); ++i)
    if (std::abs((*line)(samples.x[i]) - samples.y[i]) + half_range[i] > tolerance * (1 + 1e-6))
      line.reset();
  return line;
}

double max_error(const PiecewiseLinear& function, const Samples& samples) {
  double largest = 0;
  std::size_t k = 0;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    while (k + 2 < function.x.size() && samples.x[i] >= function.x[k + 1]) ++k;
    const double length = function.x[k + 1] - function.x[k];
    const double part = (samples.x[i] - function.x[k]) / length;
    const double value = function.y[k] * (1 - part) + function.y[k + 1] * part;
    largest = std::max(largest, std::abs(value - samples.y[i]));
  }
  return largest;
}

std::optional<Samples> following_samples(const numerics::Curve& f, numerics::Interval interval,
                                         double deviation, int least, int most) {
  struct Stretch {
    double left, right, left_y, right_y;
  };
  Samples samples{{interval.low}, {f(interval.low)}, {}};
  std::vector<Stretch> open;
  for (int i = 0; i < least; ++i) {
    const double right = i + 1 < least ? interval.at((i + 1.0) / least) : interval.high;
    open.push_back({samples.x.back(), right, samples.y.back(), f(right)});
    while (!open.empty()) {
      const Stretch stretch = open.back();
      open.pop_back();
      const double middle = 0.5 * (stretch.left + stretch.right), y = f(middle);
      const bool splits = stretch.left < middle && middle < stretch.right &&
                          std::abs(y - 0.5 * (stretch.left_y + stretch.right_y)) > deviation;
      if (splits) {
        open.push_back({middle, stretch.right, y, stretch.right_y});
        open.push_back({stretch.left, middle, stretch.left_y, y});
        continue;
      }
      if (samples.size() + 2 > most) return std::nullopt;
      if (stretch.left < middle && middle < stretch.right) {
        samples.x.push_back(middle);
        samples.y.push_back(y);
      }
      samples.x.push_back(stretch.right);
      samples.y.push_back(stretch.right_y);
    }
  }
  return samples;
}

}  // namespace asap::region
