#pragma once

#include <limits>
#include <vector>

#include "region/pieces/cells.h"

namespace asap::region {

/// At most about `most` places for knots, ends included, ascending: all points and the middles
/// between them where they are few; otherwise a selection with as much of the cells, of the length
/// and of the estimated bending (|f''|^0.4) between any two neighbours.
std::vector<double> knot_candidates(const Cells& cells, int most);

/// PiecewiseLinear knots with equal shares of the estimated bending: near the best ones where
/// pieces are many (de Boor's rule). Result: [pieces + 1].
std::vector<double> balanced_knots(const Cells& cells, int pieces);

/// Inner knots from left to right, and at which of them the function jumps: a cell at such a knot
/// lies right of the jump.
struct KnotPath {
  std::vector<double> knots;
  std::vector<bool> jumps;
};

/// The best piecewise linear functions with knots among the candidates, by dynamic programming over
/// the last knot and the value there. For every pair of pieces and last knot only the best two
/// beginnings go on, each with its cost as a quadratic function of the value. A function may jump
/// at up to `jumps` knots; a piece that ends in a jump has at least kCellsAtJump cells.
class KnotProgram {
 public:
  static constexpr int kCellsAtJump = 3;

  KnotProgram(const Cells& cells, std::vector<double> candidates, int jumps = 0);

  /// One more piece than before; none at first.
  void add_piece();
  /// The inner knots of the best functions of as many pieces with this number of jumps, best first.
  std::vector<KnotPath> best(int jumps = 0) const;

 private:
  /// The cost of a beginning as a function of the value at its last knot: bend (v - best)^2 + cost.
  struct Beginning {
    double bend = 0, best = 0, cost = std::numeric_limits<double>::infinity();
    int knot = -1, kept = -1;  ///< the knot before the last one, and which of its beginnings
    bool jumps = false;        ///< at the knot before the last one
    bool ends_wide = false;    ///< the last piece has enough cells to end in a jump
  };
  /// Weighted sum of squares of a piece as a function of its values u and v at the ends:
  /// uu u^2 + 2 uv u v + vv v^2 - 2 (bu u + bv v) + rest.
  struct PieceCost {
    double uu = 0, uv = 0, vv = 0, bu = 0, bv = 0, rest = 0;
    int cells = 0;
  };
  using Table = std::vector<Beginning>;  // [knot * kKept + which]
  static constexpr int kKept = 2;

  static PieceCost piece_cost(const Cell& cell, double left, double right);
  Beginning extended(const Beginning& before, const PieceCost& piece) const;
  static void keep(Beginning* kept, const Beginning& trial);
  /// Continues the beginnings of one piece less into `next`; `jumping`: after a jump.
  void extend(const Table& before, bool jumping, Table& next) const;

  std::vector<double> knots_;
  int jumps_;
  double least_ = 0;
  std::vector<std::vector<PieceCost>> pieces_;  // [last knot][knot before it]
  std::vector<std::vector<Table>> tables_;      // [pieces - 1][jumps]
};

}  // namespace asap::region
