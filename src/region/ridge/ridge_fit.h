#pragma once

#include <functional>

#include "region/ridge/ridge_blocks.h"
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
  int starts =
      3;  ///< refinements of the raw weights per fold, begun twice; the validation rows choose
  std::uint64_t seed = 0;
  int threads = 1;  ///< run starts in parallel; never changes the result
  RefinementOptions refinement;
  /// Called with the fraction of the work that is done, in [0, 1]; from one thread at a time.
  std::function<void(double)> progress;
};

/// What a fit of several inputs consists of.
enum class RidgeKind {
  linear,  ///< no sum of ridges was better on rows it had not seen
  folded,  ///< region-constrained blocks: fitted raw weights were no better, or left them outside
  fitted   ///< the raw weights of the blocks were fitted
};

/// A network of several inputs.
struct RidgeFit {
  RidgeKind kind = RidgeKind::fitted;
  ReluNetwork network;
  NetworkShape shape;        ///< of the blocks; of a linear fit, those it was compared with
  bool linear_term = false;  ///< a linear network of two neurons a layer stands beside the blocks
  std::int64_t parameters = 0;  ///< weights and biases that may differ from zero
  ReluNetwork folded;  ///< before the raw weights were fitted: every block has fold^depth regions
  double training = 0, validation = 0;  ///< mean squared errors
  double folded_training = 0, folded_validation = 0;
  int fold = 2;
};

/// Fits f(x) = b.x + sum_k g_k(w_k.x) with region-constrained networks g_k (Milkert, Hyde and
/// Laine, ICML 2025, section on several dimensions). Projection pursuit finds directions and smooth
/// g_k; each g_k is folded by its curvature into a network of fold^depth regions; the networks
/// become blocks side by side, whose raw weights are then fitted together. What the directions
/// cannot hold of b stays a linear term. rows: standardised.
///
/// The linear model wins unless a sum of ridges is promising (choose_sum()) and its network surely
/// better on the validation rows; the folded blocks win unless fitted weights are better there and
/// hold outside the training rows (NetworkChoice). Beyond the training rows neurons that all of
/// them activate stay active, so the end pieces of folded ridges continue (continue_end_pieces()).
RidgeFit fit_ridges(const LearningRows& rows, const RidgeFitOptions& options);

}  // namespace asap::region
