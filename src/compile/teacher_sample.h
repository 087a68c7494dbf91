#pragma once

#include "attention/compiled/compiled_features.h"
#include "attention/interface/head_gradients.h"
#include "compile/activations.h"

namespace asap::compile {

/// The same values, rounded to another type: converted<float>(x).
template <class To, class From>
tensor::Tensor<To> converted(const tensor::Tensor<From>& x) {
  tensor::Tensor<To> out(x.shape());
  for (std::int64_t i = 0; i < x.size(); ++i) out[i] = static_cast<To>(x[i]);
  return out;
}

/// One head of one example in float64, with the duals of its Sinkhorn teacher.
struct TeacherSample {
  tensor::Tensor<double> queries;  // [n, D]
  tensor::Tensor<double> keys;     // [m, D]
  tensor::Tensor<double> values;   // [m, Dv]; empty when not captured
  double score_scale = 1;
  double slack = 0;                 ///< c
  std::vector<double> target;       ///< f^(T) in centred coordinates, mean zero: [n]
  std::vector<double> key_target;   ///< g of its plan, in centred coordinates, mean zero: [m]
  std::vector<double> row_dual;     ///< f of the teacher's plan: [n]
  std::vector<double> column_dual;  ///< g of the teacher's plan: [m]

  attention::AttentionHead<double> head() const {
    attention::AttentionHead<double> head{queries.rows(), keys.rows(), values.rows(), score_scale};
    head.slack = slack;
    return head;
  }
};

/// One head of one example without duals.
TeacherSample head_sample(const Activations& activations, int layer, std::int64_t head,
                          std::int64_t example);

/// Runs the teacher on one head of one example. Its closure-ready target f^(T) is the row dual
/// before the last (column, row) pair of updates: one column and one row c-transform of it give the
/// teacher's plan exactly, or with slack nearly, since its row is closed as well. In the
/// coordinates of centre_head, where S = x . y, that dual is
///   f_i + score_scale (q_i - q̄) . k̄   up to a constant.
/// T must be at least 1. The key target is the teacher's last column dual, which a row update turns
/// into the plan; in centred coordinates it is g_j + score_scale q̄ . (k_j - k̄) up to a constant.
TeacherSample run_teacher(const Activations& activations, int layer, std::int64_t head,
                          std::int64_t example);

/// The sample with queries and keys exchanged and key_target as its target: what a key bias is
/// fitted on. It has neither values nor duals.
TeacherSample exchanged_sample(TeacherSample sample);

/// The teacher's plan A = exp(S + f + g): [n, m].
tensor::Tensor<double> teacher_plan(const TeacherSample& sample);

/// A sample in the coordinates of centre_head, with its scores.
struct CentredSample {
  attention::CentredHead<double> head;
  tensor::MatrixView<double> scores;  // x . y: [n, m]
};
/// The result lives in `arena`.
CentredSample centre_sample(const TeacherSample& sample, tensor::Arena& arena);

/// Features of the map in float64, each centred over the queries: [P, n].
tensor::Tensor<double> centred_features(const attention::DualMap<double>& map,
                                        const CentredSample& sample, tensor::Arena& scratch);

/// values -= mean of values
void subtract_mean(tensor::VectorView<double> values);

}  // namespace asap::compile
