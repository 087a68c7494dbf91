#pragma once

#include <cmath>

#include "attention/interface/head_gradients.h"
#include "tensor/core/arena.h"
#include "tensor/core/view.h"

namespace asap::attention {

/// Which numbers per query the compiled row dual is a linear function of. L slices give L values of
/// each of the first three kinds. In centred coordinates x_i = √score_scale (q_i - q̄), y_j =
/// √score_scale (k_j - k̄) and with projections s_l = a_l . x, t_l = b_l . y:
struct DualFeatures {
  bool potential = true;  ///< exact 1D Kantorovich potential of slice l (needs a sort)
  bool gaussian =
      true;  ///< -½ F_l s_l², the entropic dual of Gaussians with the variances of slice l
  bool linear = true;       ///< s_l
  bool tilt = true;         ///< -x . mean key under the weights the mean query gives to the keys
  bool log_sum_exp = true;  ///< -log sum_j exp(x . y_j), the first row dual of the centred scores

  /// Number of features P, and their order: potential[L], gaussian[L], linear[L], tilt,
  /// log_sum_exp.
  std::int64_t count(std::int64_t slices) const {
    return slices * (potential + gaussian + linear) + tilt + log_sum_exp;
  }
  bool uses_slices() const { return potential || gaussian || linear; }

  static DualFeatures none() { return {false, false, false, false, false}; }
  friend bool operator==(const DualFeatures&, const DualFeatures&) = default;
};

/// Curvature of the entropic dual between centred Gaussians of variances alpha and beta for the
/// cost -s t and regularisation 1: f(s) = -½ F s² with F (1 + √(1 + 4 alpha beta)) = 2 beta (Janati
/// et al. 2020, in one dimension).
template <class T>
T gaussian_curvature(T alpha, T beta) {
  return 2 * beta / (1 + std::sqrt(1 + 4 * alpha * beta));
}

/// The compiled row dual of one head: f̂ = sum_p weights_p feature_p.
template <class T>
struct DualMap {
  DualFeatures features = DualFeatures::none();
  tensor::MatrixView<const T> query_slices;  ///< a: [L, D]
  tensor::MatrixView<const T> key_slices;    ///< b: [L, D]
  tensor::VectorView<const T> weights;       ///< [P]; empty (with no features) is f̂ = 0
};

/// Queries and keys of one head of one example in centred coordinates, where the scores are x . y:
/// the rest of score_scale * q . k depends on one side only and is absorbed by the duals.
/// score_scale = 1 / (√D ε).
template <class T>
struct CentredHead {
  tensor::MatrixView<T> x;           // [n, D]
  tensor::MatrixView<T> y;           // [m, D]
  tensor::VectorView<T> query_mean;  // √score_scale q̄: [D]
  tensor::VectorView<T> key_mean;    // √score_scale k̄: [D]
};

/// queries: [n, D], keys: [m, D], n and m > 0. The result lives in `arena`.
template <class T>
CentredHead<T> centre_head(tensor::MatrixView<const T> queries, tensor::MatrixView<const T> keys,
                           T score_scale, tensor::Arena& arena);

/// Writes the features that `map` uses, one per row. features: [P, n]. log_sum_exp: log sum_j
/// exp(x_i . y_j), [n], read only if the map has that feature. Each feature's mean over the queries
/// is arbitrary, because duals have one free constant. InternalError when shapes do not fit.
template <class T>
void dual_features(const DualMap<T>& map, const CentredHead<T>& head,
                   tensor::VectorView<const T> log_sum_exp, tensor::MatrixView<T> features,
                   tensor::Arena& scratch);

}  // namespace asap::attention
