#pragma once

#include <functional>

#include "region/ridge/ridge_splines.h"
#include "region/ridge/weight_refiner.h"

namespace asap::region {

/// The rows that a fit learns from, and the rows that choose between its results.
struct LearningRows {
  const Rows& training;
  const Rows& validation;
};

struct RidgeFitOptions {
  int ridges = 0;  ///< region networks side by side; 0: chosen by the validation rows, up to 8
  int depth = 5;   ///< hidden layers
  int fold = 0;    ///< pieces of a zigzag; 0: two and three are tried
  int starts = 3;  ///< refinements of the raw weights per fold; the validation rows choose one
  std::uint64_t seed = 0;
  int threads = 1;  ///< run starts in parallel; never changes the result
  RefinementOptions refinement;
  /// Called with the fraction of the work that is done, in [0, 1]; from one thread at a time.
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

/// Fits f(x) = sum_k g_k(w_k.x) with region-constrained networks g_k (Milkert, Hyde and Laine, ICML
/// 2025, section on several dimensions). Projection pursuit finds directions and smooth g_k; each
/// g_k is folded by its curvature into a network of fold^depth regions; the networks become blocks
/// side by side, whose raw weights are then fitted together. rows: standardised.
RidgeFit fit_ridges(const LearningRows& rows, const RidgeFitOptions& options);

/// The network of a sum of ridge splines, each folded by its curvature.
ReluNetwork fold_ridges(const RidgeSum& sum, int depth, int fold, base::RandomStream& random);

/// The sum of networks of one input, block k at directions[k].x: the first layer reads the
/// directions, the hidden layers are block-diagonal, the output adds. UsageError when depths
/// differ.
ReluNetwork stack_blocks(const std::vector<ReluNetwork>& blocks,
                         const std::vector<std::vector<double>>& directions);

}  // namespace asap::region
