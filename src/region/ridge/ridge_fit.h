#pragma once

#include <functional>

#include "region/ridge/ridge_splines.h"
#include "region/ridge/weight_refiner.h"

namespace asap::region {

/// Rows a fit learns from, and rows that choose between its results.
struct LearningRows {
  const TableRows& training;
  const TableRows& validation;
};

struct RidgeFitOptions {
  int ridges = 0;  ///< region networks side by side; 0: what validates best, up to 8
  int depth = 5;   ///< hidden layers
  int fold = 0;    ///< pieces of a zigzag; 0: two and three are tried
  int starts = 3;  ///< refinements of the raw weights of each fold; what validates best is taken
  std::uint64_t seed = 0;
  int threads = 1;  ///< starts side by side; never changes the result
  RefinementOptions refinement;
  /// Called with the part of the work that is done, in [0, 1]; from one thread at a time.
  std::function<void(double)> progress;
};

/// A network of several inputs.
struct RidgeFit {
  ReluNetwork network;
  NetworkShape shape;
  ReluNetwork folded;  ///< before the raw weights were fitted: every block has fold^depth regions
  double training = 0, validation = 0;  ///< mean squared errors
  double folded_training = 0, folded_validation = 0;
  int fold = 2;
};

/// f(x) = sum_k g_k(w_k.x) with region-constrained networks g_k (Milkert, Hyde and Laine, ICML
/// 2025, section on several dimensions): directions and smooth g_k by projection pursuit, each g_k
/// folded by its curvature into a network of fold^depth regions, the blocks side by side, then all
/// raw weights together. Rows are standardised.
RidgeFit fit_ridges(const LearningRows& rows, const RidgeFitOptions& options);

/// The network of a sum of ridge splines: each folded by its curvature.
ReluNetwork fold_ridges(const RidgeSum& sum, int depth, int fold, base::RandomStream& random);

/// Networks of the same output side by side: every layer block-diagonal but the first, in which
/// block k reads directions[k].x for its one input, and the last, which adds. UsageError when
/// depths differ.
ReluNetwork stack_blocks(const std::vector<ReluNetwork>& blocks,
                         const std::vector<std::vector<double>>& directions);

}  // namespace asap::region
