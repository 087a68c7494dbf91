#pragma once

#include <vector>

#include "region/fit/methods.h"
#include "region/pieces/free_knots.h"

namespace asap::region {

/// What a fit of straight pieces minimises.
enum class Loss {
  squares,
  huber,  ///< residuals above 1.345 robust deviations count linearly (Huber 1964)
};

struct PiecesOptions {
  /// 0: chosen by the Bayesian information criterion, up to most_pieces and a third of the points
  int pieces = 0;
  int most_pieces = kMostPieces;
  Loss loss = Loss::squares;
};

/// One number of pieces that was tried.
struct PiecesTrial {
  int pieces = 0;
  double mse = 0;  ///< at the points, or of the function; with the loss huber, twice the mean loss
  double criterion = 0;  ///< n log(mse) + 2 pieces log(n); the least is chosen
};

struct PiecesFit {
  Fit fit;
  PiecewiseLinear function;
  std::vector<PiecesTrial> trials;  ///< in order; only the chosen one where `pieces` is given
};

/// Straight pieces with free knots at the points of the target, or on its function where it is
/// known: the least squared error for the number of pieces (pieces/free_knots.h), as a network of
/// one hidden layer. A piece has two parameters, a knot and a value, so the criterion charges
/// 2 log(n) for it (Schwarz 1978). UsageError for fewer than one piece or more than can be
/// searched.
PiecesFit fit_pieces(const Target& target, const PiecesOptions& options);

/// The most pieces that BIC compares: three points for each, up to 512.
int determined_pieces(const Target& target);

/// The piecewise linear functions of at most `pieces` pieces on which fit_pieces() draws, from the
/// points or the function.
std::vector<PiecewiseFit> searched_pieces(const Target& target, int pieces,
                                          const EnoughPieces& enough = {});

}  // namespace asap::region
