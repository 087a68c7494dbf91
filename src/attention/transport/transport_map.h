#pragma once

#include <array>

#include "attention/transport/transport_problem.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// What the dual map of a transport with dustbins knows of the row of one point:
///
///   0       z, the point's first row dual less that of the dustbin (both from g = 0)
///   1-9     max(0, z - t), t = -12, -9, .. 12: the dual is a bent function of z, because points
///           with and without partner differ
///   10      1 / (1 + exp(-z))
///   11, 12  log N, log M: points that are not masked
///   13, 14  the two largest scores of the row, without the dustbin
///   15      1
inline constexpr int kTransportFeatures = 16;

/// The dual map: what a point's row dual exceeds that of the dustbin by, as a weighted sum of its
/// features. Scores are not centred, since those of the dustbin are constant; the dustbin's dual is
/// the zero of all others, and the closure fixes the constant.
struct TransportMap {
  std::array<double, kTransportFeatures> weights{};
};

/// The features of all points of a problem with dustbins; those of masked points are zero. out: [N,
/// kTransportFeatures]. InternalError without dustbins.
template <class T>
void transport_features(const TransportProblem<T>& problem, tensor::MatrixView<double> out,
                        tensor::Arena& scratch);

/// How a compiled transport went.
struct CompiledTransportEvidence {
  bool log_domain = false;  ///< the exp domain could have lost plan entries
  /// mean over points j of |sum_i A_ij / b_j - 1|: how far from its marginals the plan is.
  double column_error = 0;
};

/// Predicts the row dual that the teacher has before its last iteration and closes it: one column
/// and one row update, then `extra_iterations` more of both. Costs as much as 1 + extra_iterations
/// iterations of transport(), with the same two domains. A problem without a point that is not
/// masked on either side is one of dustbins alone and is solved exactly. InternalError without
/// dustbins.
template <class T>
CompiledTransportEvidence compiled_transport(const TransportProblem<T>& problem,
                                             const TransportMap& map, int extra_iterations,
                                             const TransportDuals<T>& duals,
                                             tensor::Arena& scratch);

}  // namespace asap::attention
