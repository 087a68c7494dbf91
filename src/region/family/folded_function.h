#pragma once

#include <span>
#include <vector>

#include "numerics/curve.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// The zigzag Z of one fold: it starts at (0, 0) and reaches 1, 0, 1, ... at the ends of its
/// pieces, whose lengths sum to 1. Two pieces of lengths a and 1 - a are the paper's triangle T_a
/// with its peak at a.
double zigzag(std::span<const double> pieces, double w);

/// Derivative of the zigzag at w; at a corner, from the right.
double zigzag_slope(std::span<const double> pieces, double w);

/// The paper's triangle T_peak: 0 at 0 and 1, 1 at the peak, straight between.
inline double tent(double peak, double w) { return w < peak ? w / peak : (1 - w) / (1 - peak); }

/// One window of a folded function. With t in [0, 1] across the window, W_{-1} = t and
/// W_i = Z_i(W_{i-1}). Level i contributes tents with peaks at the inner corners b_k of its zigzag,
/// B_{i,k} = T_{b_k}(W_{i-1}), k = 1..fold - 1; all of them are zero at both ends of the window.
/// For two pieces there is one corner, the peak, and B_i = W_i as in the paper.
struct FoldedWindow {
  std::vector<std::vector<double>> pieces;  ///< [depth][fold], lengths of each level, sum 1
  std::vector<double> scales;               ///< [depth * (fold - 1)], signed, of the B_{i,k}

  int depth() const { return static_cast<int>(pieces.size()); }
  int fold() const { return pieces.empty() ? 2 : static_cast<int>(pieces.front().size()); }
  /// Writes all B_{i,k}(t), level by level, into basis: [depth * (fold - 1)].
  void basis(double t, std::span<double> basis) const;
};

/// The region-constrained family of Milkert, Hyde and Laine (ICML 2025), generalised to zigzags of
/// `fold` pieces and to windows side by side. A folded function is continuous and has exactly
/// windows * fold^depth linear pieces for almost every choice of scales. On window j, between nodes
/// j and j + 1, it is the straight line through values j and j + 1 plus the window's tents. One
/// window of fold 2 is the paper's c0 + c1 u + sigma sum_i s_i W_i with c0 = values[0], c1 =
/// values[1] - values[0].
struct FoldedFunction {
  std::vector<double> nodes;   ///< [windows + 1], ascending
  std::vector<double> values;  ///< [windows + 1]
  std::vector<FoldedWindow> windows;

  int depth() const { return windows.front().depth(); }
  int fold() const { return windows.front().fold(); }
  numerics::Interval interval() const { return {nodes.front(), nodes.back()}; }
  /// Index of the window that holds x; outside the interval, of the nearest one.
  std::size_t window_at(double x) const;
  double operator()(double x) const;
};

/// The scales of Theorem 3.1 from the peaks a_0..a_d: with them the function is differentiable in
/// the limit of infinite depth. s_i = mu_i a_i (1 - a_i) a_{i+1}, mu_{i+1} = a_i (1 - a_i) mu_i.
/// peaks: [depth + 1]; amplitude mu_0 = F'(0) - F'(1) on the unit interval; result: [depth].
std::vector<double> smooth_scales(std::span<const double> peaks, double amplitude);

/// What a network does outside the interval of its folded function.
enum class Ends {
  open,  ///< whatever the formulas of the folds give; the paper's form, a start for raw weights
  continued,  ///< the end pieces go on, for at least the length of the interval on both sides
};

/// Slopes of the first and the last piece.
double first_slope(const FoldedFunction& function);
double last_slope(const FoldedFunction& function);

/// The network of depth d that equals the folded function on its interval.
///
/// One window, fold 2: width 4 with neurons [sum, t1, t2, bias], the paper's form. One window, fold
/// m >= 3: neurons [sum, t1..tm], width m + 1. J > 1 windows: m J + 1 neurons, with one sum for all
/// windows. Continued ends need one more neuron in the first layer when m is even and d > 1, except
/// in the paper's form, where it takes the place of the constant neuron. NumericalError when a
/// scale or piece is not finite or a piece is not positive.
ReluNetwork to_network(const FoldedFunction& function, Ends ends = Ends::open);

}  // namespace asap::region
