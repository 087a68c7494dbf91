#include "region/pieces/constrained_refiner.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "region/pieces/damping.h"
#include "region/pieces/piece_sums.h"

namespace asap::region {
namespace {

constexpr double kMargin = 1e-12;       // from a bound, in units of range one
constexpr double kLeastWeight = 1e-10;  // of a knot: keeps values that nothing determines
constexpr double kShortest = 1e-6;      // piece, in units of the interval
constexpr double kMostShrunk = 0.25;    // of the length of a piece, in one step

/// The normal equations of the least-squares problem at a function.
struct NormalEquations {
  tensor::Tensor<double> matrix;  ///< [n, n]
  std::vector<double> descent;    ///< [n]
};

/// Variables: the moves of the inner knots, where `moves_knots`, then the changes of the values.
NormalEquations normal_equations(const PiecewiseLinear& line, const std::vector<PieceSums>& sums,
                                 double total, bool moves_knots, double damping) {
  const std::int64_t pieces = line.pieces(), moves = moves_knots ? pieces - 1 : 0;
  const std::int64_t count = moves + pieces + 1;
  NormalEquations equations{tensor::Tensor<double>({count, count}),
                            std::vector<double>(static_cast<std::size_t>(count), 0.0)};
  for (std::int64_t k = 0; k < pieces; ++k) {
    const PieceSums& piece = sums[static_cast<std::size_t>(k)];
    // Both ends of the piece: derivatives of the residuals are its hats times these factors.
    struct Variable {
      std::int64_t index;
      int hat;
      double factor;
    };
    std::vector<Variable> variables{{moves + k, 0, 1}, {moves + k + 1, 1, 1}};
    if (moves_knots && k > 0) variables.push_back({k - 1, 0, -line.slope(k)});
    if (moves_knots && k + 1 < pieces) variables.push_back({k, 1, -line.slope(k)});
    for (const Variable& a : variables) {
      equations.descent[static_cast<std::size_t>(a.index)] -=
          a.factor * (a.hat == 0 ? piece.residual0 : piece.residual1);
      for (const Variable& b : variables) {
        const double hats = a.hat != b.hat ? piece.product01
                            : a.hat == 0   ? piece.product00
                                           : piece.product11;
        equations.matrix[a.index * count + b.index] += a.factor * b.factor * hats;
      }
    }
  }
  const double least = kLeastWeight * total / static_cast<double>(pieces);
  for (std::int64_t i = 0; i < count; ++i) {
    double& diagonal = equations.matrix[i * count + i];
    diagonal += damping * diagonal + least;
  }
  return equations;
}

class ConstrainedRefiner {
 public:
  ConstrainedRefiner(const Cells& cells, const PiecesConstraints& constraints)
      : cells_(cells), constraints_(constraints), total_(total_weight(cells)) {}

  /// The best values at the knots of `line`, with their cost times the total weight.
  std::optional<PiecewiseFit> solve_values(PiecewiseLinear line, int rounds) const {
    std::vector<PieceSums> sums = piece_sums(cells_, line);
    for (int round = 0; round < rounds; ++round) {
      const NormalEquations equations = normal_equations(line, sums, total_, false, 0);
      auto change = solve(equations, linearised(constraints_, line, false, kMargin));
      if (!change) change = solve(equations, linearised(constraints_, line, false, 0));
      if (!change) return std::nullopt;
      for (std::size_t k = 0; k < line.y.size(); ++k) line.y[k] += (*change)[k];
      sums = piece_sums(cells_, line);
    }
    return PiecewiseFit{std::move(line), total_cost(sums) / total_};
  }

  /// A damped step for knots and values together.
  std::optional<PiecewiseFit> step(const PiecewiseLinear& line, double damping) const {
    const NormalEquations equations =
        normal_equations(line, piece_sums(cells_, line), total_, true, damping);
    std::vector<numerics::LinearConstraint> all = linearised(constraints_, line, true, kMargin);
    for (std::int64_t k = 0; k < line.pieces(); ++k) all.push_back(order(line, k));
    const auto change = solve(equations, all);
    if (!change) return std::nullopt;
    PiecewiseLinear trial = line;
    const auto moves = static_cast<std::size_t>(line.pieces() - 1);
    for (std::size_t k = 0; k < moves; ++k) trial.x[k + 1] += (*change)[k];
    for (std::size_t k = 0; k < trial.y.size(); ++k) trial.y[k] += (*change)[moves + k];
    for (std::size_t k = 0; k + 1 < trial.x.size(); ++k)
      if (!(trial.x[k + 1] - trial.x[k] > 0.5 * kShortest)) return std::nullopt;
    return solve_values(std::move(trial), 1);
  }

 private:
  std::optional<std::vector<double>> solve(
      const NormalEquations& equations,
      const std::vector<numerics::LinearConstraint>& constraints) const {
    try {
      return numerics::solve_quadratic_program(equations.matrix.rows(), equations.descent,
                                               constraints);
    } catch (const base::NumericalError&) {
      return std::nullopt;  // as good as a step that helps nothing
    }
  }

  /// Piece k keeps a part of its length.
  static numerics::LinearConstraint order(const PiecewiseLinear& line, std::int64_t k) {
    const auto left = static_cast<std::size_t>(k);
    const double length = line.x[left + 1] - line.x[left];
    numerics::LinearConstraint constraint;
    if (k > 0) constraint.terms.push_back({k - 1, -1});
    if (k + 1 < line.pieces()) constraint.terms.push_back({k, 1});
    constraint.bound = std::min(std::max((kMostShrunk - 1) * length, kShortest - length), 0.0);
    return constraint;
  }

  const Cells& cells_;
  const PiecesConstraints& constraints_;
  double total_;
};

}  // namespace

std::optional<PiecewiseFit> fit_constrained_values(const Cells& cells,
                                                   const PiecesConstraints& constraints,
                                                   const PiecewiseLinear& start) {
  return ConstrainedRefiner(cells, constraints).solve_values(start, 2);
}

PiecewiseFit refine_constrained(const Cells& cells, const PiecesConstraints& constraints,
                                PiecewiseFit start, int iterations) {
  const ConstrainedRefiner refiner(cells, constraints);
  Damping damping;
  for (int i = 0; i < iterations && !damping.ends() && start.function.pieces() > 1; ++i) {
    std::optional<PiecewiseFit> trial = refiner.step(start.function, damping.value());
    if (trial && trial->mse < start.mse) {
      damping.helped(start.mse, trial->mse);
      start = std::move(*trial);
    } else {
      damping.failed();
    }
  }
  if (auto exact = refiner.solve_values(start.function, 2); exact && exact->mse <= start.mse)
    return std::move(*exact);
  return start;
}

}  // namespace asap::region
