#pragma once

#include <optional>
#include <vector>

#include "region/fit/methods.h"
#include "region/pieces/constrained_knots.h"
#include "region/pieces/jumping_knots.h"
#include "region/pieces/piece_errors.h"

namespace asap::region {

/// What a fit of straight pieces minimises.
enum class Loss {
  squares,
  huber,  ///< residuals above 1.345 robust deviations count linearly (Huber 1964)
};

/// How the number of straight pieces is chosen.
enum class Criterion {
  bic,  ///< the Bayesian information criterion: for noise that is independent
  cv,   ///< the squared error at points left out, in five folds: for predictions between points.
        ///< Even knots and smoothing lines are tried as well. The least of many noisy errors is
        ///< too good, so other pieces must be better than a smoothing line by two standard errors
        ///< or have less than half its error
};

struct PiecesOptions {
  /// 0: chosen by the criterion, up to most_pieces and a third of the points
  int pieces = 0;
  int most_pieces = kMostPieces;
  Loss loss = Loss::squares;
  Criterion criterion = Criterion::bic;
  int jumps = 0;                    ///< the most between the pieces of points
  PiecesConstraints constraints{};  ///< not with jumps
};

/// Where the knots of straight pieces come from.
enum class Knots {
  free,   ///< a search of their best places
  even,   ///< equal numbers of points between them (pieces/even_knots.h)
  smooth  ///< a smoothing line, simplified (smoothing_fit.h)
};

/// One number of pieces that was tried.
struct PiecesTrial {
  int pieces = 0;  ///< without the steep ones of jumps
  int jumps = 0;
  Knots knots = Knots::free;
  double mse = 0;  ///< at the points, or of the function; with the loss huber, twice the mean loss
  double criterion = 0;  ///< the least is chosen; see Criterion
  bool chosen = false;
};

struct PiecesFit {
  Fit fit;
  PiecewiseLinear function;            ///< with a steep piece for every jump
  std::vector<PiecewiseLinear> parts;  ///< the continuous parts between jumps
  std::optional<PieceErrors> errors;   ///< of least squares on points without constraints
  std::vector<PiecesTrial> trials;  ///< in order; only one where `pieces` is given, without jumps
};

/// Straight pieces with free knots at the points of the target, or on its function where it is
/// known: the least squared error for the number of pieces (pieces/free_knots.h), under constraints
/// (pieces/constrained_knots.h) or with jumps (pieces/jumping_knots.h), as a network of one hidden
/// layer. A piece has two parameters, a knot and a value, and a jump one more, so BIC is n log(mse)
/// + (2 pieces + jumps) log(n) (Schwarz 1978). UsageError for fewer than one piece, more than can
/// be searched, options that do not go together, or constraints that cannot be met.
PiecesFit fit_pieces(const Target& target, const PiecesOptions& options);

/// The most pieces that a criterion compares: three points for each, up to 512.
int determined_pieces(const Target& target);

/// The piecewise linear functions of at most `pieces` pieces on which fit_pieces() draws, from the
/// points or the function.
std::vector<PiecewiseFit> searched_pieces(const Target& target, int pieces,
                                          const EnoughPieces& enough = {},
                                          const PiecesConstraints& constraints = {});

}  // namespace asap::region
