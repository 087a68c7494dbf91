#pragma once

#include <limits>
#include <vector>

#include "region/pieces/cells.h"

namespace asap::region {

/// At most about `most` places for knots, ends included, ascending: all points and the middles
/// between them where they are few; otherwise a selection with as much of the cells, of the length
/// and of the estimated bending (|f''|^0.4) between any two neighbours.
std::vector<double> knot_candidates(const Cells& cells, int most);

/// PiecewiseLinear knots with equal shares of the estimated bending: near the best ones where pieces are
/// many (de Boor's rule). Result: [pieces + 1].
std::vector<double> balanced_knots(const Cells& cells, int pieces);

/// The best continuous piecewise linear functions with knots among the candidates, by dynamic
/// programming over the last knot and the value there. For every pair of pieces and last knot only
/// the best two beginnings go on, each with its cost as a quadratic function of the value.
class KnotProgram {
 public:
  KnotProgram(const Cells& cells, std::vector<double> candidates);

  /// One more piece than before; none at first.
  void add_piece();
  /// The inner knots of the best functions of as many pieces, best first.
  std::vector<std::vector<double>> best() const;

 private:
  /// The cost of a beginning as a function of the value at its last knot: bend (v - best)^2 + cost.
  struct Beginning {
    double bend = 0, best = 0, cost = std::numeric_limits<double>::infinity();
    int knot = -1, kept = -1;  ///< the knot before the last one, and which of its beginnings
  };
  /// Weighted sum of squares of a piece as a function of its values u and v at the ends:
  /// uu u^2 + 2 uv u v + vv v^2 - 2 (bu u + bv v) + rest.
  struct PieceCost {
    double uu = 0, uv = 0, vv = 0, bu = 0, bv = 0, rest = 0;
  };
  static constexpr int kKept = 2;

  static PieceCost piece_cost(const Cell& cell, double left, double right);
  Beginning extended(const Beginning& before, const PieceCost& piece) const;
  static void keep(Beginning* kept, const Beginning& trial);

  std::vector<double> knots_;
  double least_ = 0;
  std::vector<std::vector<PieceCost>> pieces_;  // [last knot][knot before it]
  std::vector<std::vector<Beginning>> table_;   // [pieces - 1][knot * kKept + which]
};

}  // namespace asap::region
