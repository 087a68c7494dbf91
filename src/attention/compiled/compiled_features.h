#pragma once

#include <cmath>
#include <vector>

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
  /// -log sum_j exp(x . y_j + y_j . √score_scale q̄), the first row dual that the teacher visits
  bool first_dual = false;
  int landmarks = 0;    ///< landmark_dual with this many landmarks; 0: not a feature
  int corrections = 0;  ///< k: corrected Sinkhorn iterations before the closure, see DualMap
  /// f_0 is `first_dual` itself, without a weight; excludes all features but corrections. The map
  /// is the teacher's loop then, whose iterations are relaxed: they go farther than they would.
  bool start = false;

  /// Number of features P, and their order: potential[L], gaussian[L], linear[L], tilt,
  /// log_sum_exp, first_dual, landmark dual.
  std::int64_t count(std::int64_t slices) const {
    return slices * (potential + gaussian + linear) + tilt + log_sum_exp + first_dual +
           (landmarks > 0);
  }
  /// Number of weights: P for the start, t + P for each correction t.
  std::int64_t weight_count(std::int64_t slices) const {
    return weights_before(corrections + 1, slices);
  }
  /// Number of weights of all stages before this one; stage 0 is the start.
  std::int64_t weights_before(int stage, std::int64_t slices) const {
    return stage * count(slices) + std::int64_t{stage} * (stage - 1) / 2;
  }
  bool uses_slices() const { return potential || gaussian || linear; }
  bool uses_scores() const { return log_sum_exp || first_dual || start; }
  /// Whether the dual takes no pass over the scores.
  bool known_before_scores() const { return !uses_scores() && corrections == 0; }

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

/// What landmark_dual needs to know about a head.
template <class T>
struct Landmarks {
  tensor::MatrixView<const T> keys;  ///< prototypes of the centred keys y: [M, D]
  int iterations = 1;                ///< T of the teacher
  bool starts_on_rows = false;       ///< the teacher's first dual is 0 on the rows: a key bias
};

/// The compiled row dual of one head, with the features Φ: [n, P] of its queries:
///   f_0 = Φ w_0 (of feature `start`: the first row dual that the teacher visits), and for t = 1..k
///   (corrections): h_t = row(col(f_(t-1))), d_t = h_t - f_(t-1), f_t = h_t + [d_1 .. d_t, Φ] w_t,
/// where row and col are the c-transforms of the centred scores: one Sinkhorn iteration. f̂ = f_k.
/// With slack, col is column_update of open_plan.h.
template <class T>
struct DualMap {
  DualFeatures features = DualFeatures::none();
  tensor::MatrixView<const T> query_slices;  ///< a: [L, D]
  tensor::MatrixView<const T> key_slices;    ///< b: [L, D]
  /// w_0, ..., w_k one after another: [weight_count]; empty (with no features) is f̂ = 0.
  tensor::VectorView<const T> weights;
  Landmarks<T> landmarks{};

  std::int64_t slices() const { return query_slices.rows; }
  std::int64_t feature_count() const { return features.count(slices()); }
  /// The weights of d_1 .. d_t in w_t: [t].
  tensor::VectorView<const T> difference_weights(int stage) const {
    return weights.subspan(static_cast<std::size_t>(features.weights_before(stage, slices())),
                           static_cast<std::size_t>(stage));
  }
  /// The weights of Φ in w_t: [P].
  tensor::VectorView<const T> feature_weights(int stage) const {
    return weights.subspan(
        static_cast<std::size_t>(features.weights_before(stage, slices()) + stage),
        static_cast<std::size_t>(feature_count()));
  }
};

/// A map that has the feature `start`, written with `first_dual` instead: its weight is 1 in f_0, 0
/// in all other stages. Other maps stay what they are.
template <class T>
struct GeneralMap {
  explicit GeneralMap(const DualMap<T>& other);
  GeneralMap(const GeneralMap&) = delete;
  GeneralMap& operator=(const GeneralMap&) = delete;

  std::vector<T> weights;
  DualMap<T> map;  ///< refers to `weights`
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
  T slack = T(0);                    // c of AttentionHead
};

/// queries: [n, D], keys: [m, D], n and m > 0; without slack. The result lives in `arena`.
template <class T>
CentredHead<T> centre_head(tensor::MatrixView<const T> queries, tensor::MatrixView<const T> keys,
                           T score_scale, tensor::Arena& arena);

/// The first row dual that the teacher visits, f_i = -log sum_j exp(x_i . y_j + y_j . √score_scale
/// q̄): [n]. scores: x . y, [n, m].
template <class T>
void first_row_dual(const CentredHead<T>& head, tensor::MatrixView<const T> scores,
                    tensor::VectorView<T> row_dual, tensor::Arena& scratch);

/// Writes the features that `map` uses, one per row. features: [P, n]. scores: x . y, [n, m], read
/// only if features.uses_scores(). Each feature's mean over the queries is arbitrary, because duals
/// have one free constant. InternalError when shapes do not fit.
template <class T>
void dual_features(const DualMap<T>& map, const CentredHead<T>& head,
                   tensor::MatrixView<const T> scores, tensor::MatrixView<T> features,
                   tensor::Arena& scratch);

}  // namespace asap::attention
