// Folded functions as networks (to_network of folded_function.h).

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "region/family/folded_function.h"

namespace asap::region {
namespace {

/// Starts of the pieces, 0 first.
std::vector<double> corners(const std::vector<double>& pieces) {
  std::vector<double> starts{0};
  for (std::size_t k = 0; k + 1 < pieces.size(); ++k) starts.push_back(starts.back() + pieces[k]);
  return starts;
}

/// Coefficients g with Z(w) = sum_k g_k relu(w - b_k), where b_0 = 0 and b_k are the ends of the
/// pieces. The last one, at b_m = 1, keeps Z constant beyond 1; only windows need it.
std::vector<double> zigzag_coefficients(const std::vector<double>& pieces) {
  std::vector<double> coefficients;
  double before = 0, sign = 1;
  for (const double length : pieces) {
    coefficients.push_back(sign / length - before);
    before = sign / length;
    sign = -sign;
  }
  coefficients.push_back(-before);
  return coefficients;
}

/// The same for sum_k scales[k - 1] T_{b_k}, a level's part of the function.
std::vector<double> tent_coefficients(const std::vector<double>& pieces,
                                      std::span<const double> scales) {
  const std::vector<double> at = corners(pieces);
  std::vector<double> coefficients(pieces.size() + 1);
  for (std::size_t k = 1; k < pieces.size(); ++k) {
    coefficients[0] += scales[k - 1] / at[k];
    coefficients[k] -= scales[k - 1] / (at[k] * (1 - at[k]));
    coefficients.back() += scales[k - 1] / (1 - at[k]);
  }
  return coefficients;
}

/// The scales of one level.
std::span<const double> level_scales(const FoldedWindow& window, int level) {
  const auto count = static_cast<std::size_t>(window.fold()) - 1;
  return std::span(window.scales).subspan(static_cast<std::size_t>(level) * count, count);
}

void check_finite(const FoldedFunction& function) {
  bool good = true;
  for (const double value : function.values) good = good && std::isfinite(value);
  for (const FoldedWindow& window : function.windows) {
    for (const double scale : window.scales) good = good && std::isfinite(scale);
    for (const auto& level : window.pieces)
      for (const double piece : level) good = good && piece > 0 && piece < 1;
  }
  if (!good)
    throw base::NumericalError(
        "the folded function has pieces of no length or scales that are not finite");
}

/// Sizes of the neurons of each level of one window: as in the paper, the neurons of level i + 1
/// are the zigzag values times the largest |scale| of level i, so that all levels enter the sum
/// with comparable weights.
std::vector<double> carried_sizes(const FoldedWindow& window) {
  std::vector<double> sizes{1};
  double largest = 0;
  for (int level = 0; level < window.depth(); ++level) {
    double size = 0;
    for (const double scale : level_scales(window, level)) size = std::max(size, std::abs(scale));
    sizes.push_back(size);
    largest = std::max(largest, size);
  }
  for (double& size : sizes) size = std::max(size, largest > 0 ? 1e-12 * largest : 1.0);
  sizes[0] = 1;
  return sizes;
}

/// What lifts are counted in: 1, or the size of a function that is so small that 1 would drown it.
double lift_unit(const FoldedFunction& function) {
  constexpr double kSmall = 1e-3;
  double size = 0;
  for (const double value : function.values)
    size = std::max(size, std::abs(value - function.values[0]));
  for (const FoldedWindow& window : function.windows)
    for (const double scale : window.scales) size = std::max(size, std::abs(scale));
  return size > 0 && size < kSmall ? size : 1;
}

/// How far the sum neuron must be lifted to stay on while the end pieces go on: for 64 lengths of
/// the interval, or, where these pieces are steep, as far as float64 keeps the size of the
/// function, but for one length at least.
double lift_of_ends(const FoldedFunction& function) {
  const double length = function.interval().length();
  const double steepest =
      length * std::max(std::abs(first_slope(function)), std::abs(last_slope(function)));
  double size = lift_unit(function);
  for (const double value : function.values)
    size = std::max(size, std::abs(value - function.values[0]));
  constexpr double kLengths = 64;
  return std::max(steepest, kLengths * std::min(steepest, size));
}

/// Derivative of a window by t at its left or right end, without the straight line.
double end_slope(const FoldedWindow& window, bool right) {
  double slope = 0, rate = 1;
  for (int level = 0; level < window.depth(); ++level) {
    const std::vector<double>& pieces = window.pieces[static_cast<std::size_t>(level)];
    const std::vector<double> at = corners(pieces);
    const std::span<const double> scales = level_scales(window, level);
    for (std::size_t k = 1; k < pieces.size(); ++k)
      slope += rate * scales[k - 1] * (right ? -1 / (1 - at[k]) : 1 / at[k]);
    // The zigzag starts at 0 and ends at 1 where its pieces are odd, at 0 where they are even.
    const bool falls = right && pieces.size() % 2 == 0;
    rate *= right ? (falls ? -1 : 1) / pieces.back() : 1 / pieces.front();
    right = right && !falls;
  }
  return slope;
}

/// Slope that the first layer alone gives beyond the right end.
double open_last_slope(const FoldedFunction& function) {
  const FoldedWindow& window = function.windows.back();
  const std::size_t last = function.windows.size();
  const double length = function.nodes[last] - function.nodes[last - 1];
  const double line = (function.values[last] - function.values[last - 1]) / length;
  return line - tent_coefficients(window.pieces[0], level_scales(window, 0)).back() / length;
}

/// Whether the right end needs a neuron: deeper levels stop there where the zigzag returns to 0.
bool needs_end_neuron(const FoldedFunction& function) {
  return function.depth() > 1 && function.fold() % 2 == 0;
}

/// The paper's width-4 form (section 3), neurons [sum, t1, t2, bias]. With continued ends the first
/// layer has relu(u - 1) for the constant neuron, and its sum has the slope of the first piece.
ReluNetwork paper_network(const FoldedFunction& function, Ends ends) {
  const FoldedWindow& window = function.windows.front();
  const int depth = window.depth();
  const std::vector<double> sizes = carried_sizes(window);
  const double slope = function.values[1] - function.values[0];
  // Large enough that the sum neuron never switches off.
  double lift = lift_unit(function) + std::max(0.0, -slope);
  for (const double scale : window.scales) lift += std::max(0.0, -scale);
  const bool continued = ends == Ends::continued;
  const double length = function.interval().length();
  const double start = continued ? length * first_slope(function) : slope;
  if (continued) lift += lift_of_ends(function);

  ReluNetwork network;
  DenseLayer first(4, 1);
  first.w(0, 0) = start;
  first.w(1, 0) = first.w(2, 0) = 1;
  first.bias = {lift, 0, -window.pieces[0][0], 1};
  if (continued) {
    first.w(3, 0) = 1;
    first.bias[3] = -1;
  }
  network.layers.push_back(std::move(first));
  for (int i = 0; i < depth; ++i) {
    const double peak = window.pieces[i][0], ratio = sizes[i + 1] / sizes[i];
    const double p = ratio / peak, q = -ratio / (peak * window.pieces[i][1]);
    const double part = window.scales[i] / sizes[i + 1];  // +-1, or less for a scale that vanishes
    const bool output = i + 1 == depth;
    DenseLayer layer(output ? 1 : 4, 4);
    layer.w(0, 0) = 1;
    layer.w(0, 1) = part * p;
    layer.w(0, 2) = part * q;
    const bool at_ends = continued && i == 0;
    if (at_ends) {
      layer.w(0, 1) += slope - start;
      layer.w(0, 3) = length * (last_slope(function) - open_last_slope(function));
    }
    if (output) {
      layer.bias[0] = function.values[0] - lift;
    } else {
      layer.w(1, 1) = layer.w(2, 1) = p;
      layer.w(1, 2) = layer.w(2, 2) = q;
      const double corner = -ratio * window.pieces[i + 1][0];
      if (at_ends) {
        layer.bias[2] = corner;
        layer.bias[3] = ratio;
      } else {
        layer.w(2, 3) = corner;
        layer.w(3, 3) = ratio;
      }
    }
    network.layers.push_back(std::move(layer));
  }
  network.substitute_input(1 / function.interval().length(),
                           -function.nodes.front() / function.interval().length());
  return network;
}

/// Slopes of the straight lines between the nodes.
std::vector<double> line_slopes(const FoldedFunction& function) {
  std::vector<double> slopes;
  for (std::size_t j = 0; j < function.windows.size(); ++j)
    slopes.push_back((function.values[j + 1] - function.values[j]) /
                     (function.nodes[j + 1] - function.nodes[j]));
  return slopes;
}

/// Large enough that the sum neuron never switches off.
double sum_lift(const FoldedFunction& function, const std::vector<double>& slopes) {
  double lowest = 0, deepest = 0;
  for (std::size_t j = 0; j < slopes.size(); ++j) {
    lowest = std::min(lowest, function.values[j + 1] - function.values[0]);
    double tents = 0;
    for (const double scale : function.windows[j].scales) tents += std::max(0.0, -scale);
    deepest = std::max(deepest, tents);
  }
  return lift_unit(function) - lowest + deepest +
         std::abs(slopes[0]) * function.interval().length();
}

/// First layer of the windowed form: the sum neuron and, for every window, relu(x - corner).
DenseLayer windowed_first_layer(const FoldedFunction& function, double slope, double lift,
                                bool end_neuron) {
  const int fold = function.fold();
  const auto count = static_cast<std::int64_t>(function.windows.size());
  DenseLayer layer(count * fold + 1 + (end_neuron ? 1 : 0), 1);
  layer.w(0, 0) = slope;
  layer.bias[0] = lift - slope * function.nodes.front();
  for (std::int64_t j = 0; j < count; ++j) {
    const double start = function.nodes[j], length = function.nodes[j + 1] - start;
    const std::vector<double> at = corners(function.windows[j].pieces[0]);
    for (int k = 0; k < fold; ++k) {
      layer.w(1 + j * fold + k, 0) = 1;
      layer.bias[1 + j * fold + k] = -(start + length * at[k]);
    }
  }
  return layer;
}

/// Writes the weights by which the layer after fold `level` reads window j. From the neurons of
/// that level it computes the window's tents of the level (for the sum) and the zigzag (for the
/// next level).
void add_window(const FoldedFunction& function, std::int64_t j, int level, DenseLayer& layer) {
  const FoldedWindow& window = function.windows[j];
  const int fold = function.fold();
  const std::vector<double> sizes = carried_sizes(window);
  const double unit =
      level == 0 ? 1 / (function.nodes[j + 1] - function.nodes[j]) : 1 / sizes[level];
  const std::vector<double> to_sum =
      tent_coefficients(window.pieces[level], level_scales(window, level));
  const std::vector<double> to_next = zigzag_coefficients(window.pieces[level]);
  const bool output = layer.outputs() == 1;
  const std::vector<double> at = output ? std::vector<double>() : corners(window.pieces[level + 1]);
  // Only in x does a window continue beyond its end; there the first corner of the next window
  // stops it.
  const bool closes = level == 0 && j + 1 < static_cast<std::int64_t>(function.windows.size());
  const std::int64_t first = 1 + j * fold;
  for (int k = 0; k < fold + (closes ? 1 : 0); ++k) {
    layer.w(0, first + k) += unit * to_sum[k];
    for (std::size_t row = 0; row < at.size(); ++row)
      layer.w(first + static_cast<std::int64_t>(row), first + k) =
          sizes[level + 1] * unit * to_next[k];
  }
  for (std::size_t row = 0; row < at.size(); ++row)
    layer.bias[first + static_cast<std::int64_t>(row)] = -sizes[level + 1] * at[row];
}

/// Lets the first layer give the slope of the first piece on the left, and adds what is missing on
/// the right. `next` reads the first layer.
void continue_ends(const FoldedFunction& function, double slope, DenseLayer& first,
                   DenseLayer& next) {
  const double start = first_slope(function);
  first.bias[0] += (slope - start) * function.nodes.front();
  first.w(0, 0) = start;
  next.w(0, 1) += slope - start;
  if (!needs_end_neuron(function)) return;
  const std::int64_t end = first.outputs() - 1;
  first.w(end, 0) = 1;
  first.bias[static_cast<std::size_t>(end)] = -function.nodes.back();
  next.w(0, end) = last_slope(function) - open_last_slope(function);
}

ReluNetwork windowed_network(const FoldedFunction& function, Ends ends) {
  const int depth = function.depth(), fold = function.fold();
  const auto count = static_cast<std::int64_t>(function.windows.size());
  const std::vector<double> slopes = line_slopes(function);
  const bool continued = ends == Ends::continued;
  const double lift = sum_lift(function, slopes) + (continued ? lift_of_ends(function) : 0);
  const bool end_neuron = continued && needs_end_neuron(function);
  ReluNetwork network;
  network.layers.push_back(windowed_first_layer(function, slopes[0], lift, end_neuron));
  for (int level = 0; level < depth; ++level) {
    const bool output = level + 1 == depth;
    DenseLayer layer(output ? 1 : count * fold + 1, network.layers.back().outputs());
    layer.w(0, 0) = 1;
    if (output) layer.bias[0] = function.values[0] - lift;
    for (std::int64_t j = 0; j < count; ++j) {
      if (level == 0 && j > 0) layer.w(0, 1 + j * fold) += slopes[j] - slopes[j - 1];
      add_window(function, j, level, layer);
    }
    if (level == 0 && continued) continue_ends(function, slopes[0], network.layers.front(), layer);
    network.layers.push_back(std::move(layer));
  }
  return network;
}

}  // namespace

double first_slope(const FoldedFunction& function) {
  const double length = function.nodes[1] - function.nodes[0];
  return (function.values[1] - function.values[0] + end_slope(function.windows.front(), false)) /
         length;
}

double last_slope(const FoldedFunction& function) {
  const std::size_t last = function.windows.size();
  const double length = function.nodes[last] - function.nodes[last - 1];
  return (function.values[last] - function.values[last - 1] +
          end_slope(function.windows.back(), true)) /
         length;
}

ReluNetwork to_network(const FoldedFunction& function, Ends ends) {
  base::check(!function.windows.empty() && function.nodes.size() == function.windows.size() + 1 &&
                  function.values.size() == function.nodes.size() && function.depth() > 0,
              "to_network: the folded function is not complete");
  check_finite(function);
  return function.windows.size() == 1 && function.fold() == 2 ? paper_network(function, ends)
                                                              : windowed_network(function, ends);
}

}  // namespace asap::region
