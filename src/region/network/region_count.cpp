#include "region/network/region_count.h"

#include <algorithm>
#include <cmath>

namespace asap::region {
namespace {

// Relative error of a weighted sum: of its few additions and of the weights, which were computed in
// float64 too.
constexpr double kRounding = 16 * 0x1p-53;
constexpr std::size_t kValues = 1 << 22;  // a stretch with more hidden values is split

/// A number and a bound of its rounding error.
struct Bounded {
  double value = 0, error = 0;
};

/// Hidden vectors at ascending points, point-major.
struct Trace {
  std::vector<double> at;       // [points]
  std::vector<Bounded> hidden;  // [points, width]
  std::int64_t width = 1;

  std::size_t size() const { return at.size(); }
  const Bounded* row(std::size_t point) const {
    return hidden.data() + point * static_cast<std::size_t>(width);
  }
};

/// Pre-activations of one layer at one point; those within their rounding error become zero.
void pre_activations(const SparseRows& rows, const Bounded* h, Bounded* out) {
  for (std::int64_t k = 0; k < rows.rows(); ++k) {
    double z = rows.bias(k), size = std::abs(z), error = 0;
    for (const auto& [column, weight] : rows.row(k)) {
      const Bounded& input = h[column];
      z += weight * input.value;
      size += std::abs(weight * input.value);
      error += std::abs(weight) * input.error;
    }
    error += kRounding * size;
    out[k] = std::abs(z) <= error ? Bounded{0, 0} : Bounded{z, error};
  }
}

/// Positions in (0, 1) between two points at which neurons switch, ascending and distinct.
void switch_positions(const std::vector<Bounded>& left, const std::vector<Bounded>& right,
                      std::vector<Bounded>& positions) {
  positions.clear();
  for (std::size_t k = 0; k < left.size(); ++k) {
    const double l = left[k].value, r = right[k].value;
    if ((l < 0 && r > 0) || (l > 0 && r < 0))
      positions.push_back({l / (l - r), (left[k].error + right[k].error) / std::abs(l - r)});
  }
  const auto before = [](const Bounded& a, const Bounded& b) { return a.value < b.value; };
  const auto same = [](const Bounded& a, const Bounded& b) {
    return b.value - a.value <= a.error + b.error;
  };
  std::sort(positions.begin(), positions.end(), before);
  positions.erase(std::unique(positions.begin(), positions.end(), same), positions.end());
}

/// The activation at a position between two points, by interpolation. The neuron that switches
/// there is within its rounding error, so zero.
Bounded interpolate(const Bounded& left, const Bounded& right, const Bounded& position) {
  const double change = right.value - left.value;
  const double z = left.value + position.value * change;
  const double error = std::max(left.error, right.error) + position.error * std::abs(change) +
                       kRounding * std::max(std::abs(left.value), std::abs(right.value));
  return z <= error ? Bounded{0, 0} : Bounded{z, error};
}

/// The trace after one more layer and its ReLU, with a new point at every switch.
Trace advance(const SparseRows& rows, const Trace& before) {
  Trace after;
  after.width = rows.rows();
  const auto width = static_cast<std::size_t>(after.width);
  std::vector<Bounded> left(width), right(width), positions;
  const auto append_left = [&](double at) {
    after.at.push_back(at);
    for (const Bounded& z : left) after.hidden.push_back(z.value > 0 ? z : Bounded{0, 0});
  };
  pre_activations(rows, before.row(0), left.data());
  for (std::size_t i = 0; i + 1 < before.size(); ++i) {
    append_left(before.at[i]);
    pre_activations(rows, before.row(i + 1), right.data());
    switch_positions(left, right, positions);
    for (const Bounded& position : positions) {
      after.at.push_back(before.at[i] + position.value * (before.at[i + 1] - before.at[i]));
      for (std::size_t k = 0; k < width; ++k)
        after.hidden.push_back(interpolate(left[k], right[k], position));
    }
    std::swap(left, right);
  }
  append_left(before.at.back());
  return after;
}

/// The inputs origin + t direction.
struct Line {
  std::vector<double> origin, direction;

  std::vector<double> at(double t) const {
    std::vector<double> x = origin;
    for (std::size_t j = 0; j < x.size(); ++j) x[j] += t * direction[j];
    return x;
  }
};

/// Slope of the output at a point, and its error bound, by a pass through the neurons that are
/// active there.
class SlopePass {
 public:
  SlopePass(const std::vector<SparseRows>& layers, const Line& line)
      : layers_(layers), line_(line) {}

  std::pair<double, double> operator()(double t) {
    value_ = line_.at(t);
    slope_ = size_ = line_.direction;
    for (double& size : size_) size = std::abs(size);
    for (std::size_t l = 0; l < layers_.size(); ++l) layer(layers_[l], l + 1 == layers_.size());
    // One rounding for each addition and product of a path.
    return {slope_[0], 4e-16 * static_cast<double>(layers_.size() + 1) * size_[0]};
  }

 private:
  void layer(const SparseRows& rows, bool output) {
    const auto count = static_cast<std::size_t>(rows.rows());
    next_value_.assign(count, 0.0);
    next_slope_.assign(count, 0.0);
    next_size_.assign(count, 0.0);
    for (std::size_t k = 0; k < count; ++k) {
      double z = rows.bias(static_cast<std::int64_t>(k)), slope = 0, size = 0;
      for (const auto& [column, weight] : rows.row(static_cast<std::int64_t>(k))) {
        z += weight * value_[static_cast<std::size_t>(column)];
        slope += weight * slope_[static_cast<std::size_t>(column)];
        size += std::abs(weight) * size_[static_cast<std::size_t>(column)];
      }
      if (z <= 0 && !output) continue;
      next_value_[k] = z;
      next_slope_[k] = slope;
      next_size_[k] = size;
    }
    std::swap(value_, next_value_);
    std::swap(slope_, next_slope_);
    std::swap(size_, next_size_);
  }

  const std::vector<SparseRows>& layers_;
  const Line& line_;
  std::vector<double> value_, slope_, size_, next_value_, next_slope_, next_size_;
};

/// Counts the regions between two points; splits the stretch when its traces grow too large.
class Counter {
 public:
  Counter(const ReluNetwork& network, Line line, RegionCount& result)
      : result_(result), line_(std::move(line)), slope_(layers_, line_) {
    for (const DenseLayer& layer : network.layers) {
      layers_.emplace_back(layer);
      width_ = std::max(width_, static_cast<std::size_t>(layer.outputs()));
    }
  }

  /// Between two values of t, whose inputs are `low` and `high`.
  void run(numerics::Interval interval, const std::vector<double>& low,
           const std::vector<double>& high) {
    Trace start;
    start.width = static_cast<std::int64_t>(low.size());
    start.at = {interval.low, interval.high};
    for (const auto& end : {low, high})
      for (const double value : end) start.hidden.push_back({value, 0});
    stretch(std::move(start), 0);
  }

 private:
  void stretch(Trace trace, std::size_t layer) {
    while (layer + 1 < layers_.size()) {
      if (trace.size() > 2 && trace.size() * width_ > kValues) {
        const std::size_t middle = trace.size() / 2;
        stretch(part(trace, 0, middle + 1), layer);
        stretch(part(trace, middle, trace.size()), layer);
        return;
      }
      trace = advance(layers_[layer++], trace);
    }
    for (std::size_t i = 0; i + 1 < trace.size(); ++i) add(trace.at[i], trace.at[i + 1]);
  }

  static Trace part(const Trace& trace, std::size_t first, std::size_t last) {
    Trace out;
    out.width = trace.width;
    out.at.assign(trace.at.begin() + static_cast<std::ptrdiff_t>(first),
                  trace.at.begin() + static_cast<std::ptrdiff_t>(last));
    out.hidden.assign(trace.row(first), trace.row(last));
    return out;
  }

  void add(double left, double right) {
    if (result_.breakpoints.empty()) result_.breakpoints.push_back(left);
    ++result_.activation_regions;
    const auto [slope, error] = slope_(0.5 * (left + right));
    const bool same = !result_.slopes.empty() && std::abs(slope - result_.slopes.back()) <=
                                                     error + result_.slope_errors.back();
    if (same) {
      result_.breakpoints.back() = right;
      return;
    }
    ++result_.linear_regions;
    result_.slopes.push_back(slope);
    result_.slope_errors.push_back(error);
    result_.breakpoints.push_back(right);
  }

  RegionCount& result_;
  std::vector<SparseRows> layers_;
  Line line_;
  SlopePass slope_;
  std::size_t width_ = 1;
};

}  // namespace

RegionCount count_regions(const ReluNetwork& network, numerics::Interval interval) {
  base::check(interval.low < interval.high, "count_regions: the interval is empty");
  base::check(network.inputs() == 1, "count_regions: a network of several inputs has no interval");
  RegionCount result;
  Counter(network, {{0}, {1}}, result).run(interval, {interval.low}, {interval.high});
  return result;
}

RegionCount count_regions(const ReluNetwork& network, std::span<const double> from,
                          std::span<const double> to) {
  const auto inputs = static_cast<std::size_t>(network.inputs());
  base::check(from.size() == inputs && to.size() == inputs,
              "count_regions: an end has the wrong size");
  const std::vector<double> low(from.begin(), from.end()), high(to.begin(), to.end());
  base::check(low != high, "count_regions: both ends are the same point");
  Line line{low, high};
  for (std::size_t j = 0; j < inputs; ++j) line.direction[j] -= low[j];
  RegionCount result;
  Counter(network, std::move(line), result).run({0, 1}, low, high);
  return result;
}

FunctionShape shape_of(const RegionCount& count) {
  FunctionShape shape{true, true, true, true};
  for (std::size_t i = 0; i < count.slopes.size(); ++i) {
    const double slope = count.slopes[i], error = count.slope_errors[i];
    if (slope < -error) shape.increasing = false;
    if (slope > error) shape.decreasing = false;
    if (i == 0) continue;
    const double change = slope - count.slopes[i - 1], slack = error + count.slope_errors[i - 1];
    if (change < -slack) shape.convex = false;
    if (change > slack) shape.concave = false;
  }
  return shape;
}

}  // namespace asap::region
