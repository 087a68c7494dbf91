#include "attention/compiled/compiled_attention.h"

#include <algorithm>
#include <cmath>

#include "attention/compiled/open_plan.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "transport/c_transform.h"

namespace asap::attention {
namespace {

/// dual += sum_p weights_p rows_p
template <class T>
void add_weighted(tensor::VectorView<const T> weights, tensor::MatrixView<const T> rows,
                  tensor::VectorView<T> dual) {
  for (std::size_t p = 0; p < weights.size(); ++p)
    tensor::axpy<T>(weights[p], rows.row(static_cast<std::int64_t>(p)), dual);
}

}  // namespace

template <class T>
void predicted_row_dual(const DualMap<T>& map, const CentredHead<T>& head,
                        tensor::MatrixView<const T> scores, tensor::VectorView<T> row_dual,
                        tensor::Arena& scratch) {
  if (map.features.start)
    return predicted_row_dual<T>(GeneralMap<T>(map).map, head, scores, row_dual, scratch);
  const tensor::ArenaScope scope(scratch);
  base::check(std::ssize(map.weights) == map.features.weight_count(map.slices()),
              "predicted_row_dual: the number of weights does not fit");
  const std::int64_t n = head.x.rows;
  const tensor::MatrixView<T> features = scratch.matrix<T>(map.feature_count(), n);
  const tensor::MatrixView<T> differences = scratch.matrix<T>(map.features.corrections, n);
  const tensor::VectorView<T> column_dual = scratch.vector<T>(head.y.rows);
  const transport::Slack<T> slack = centred_slack<T>(head, scratch);
  dual_features<T>(map, head, scores, features, scratch);
  std::ranges::fill(row_dual, T(0));
  add_weighted<T>(map.feature_weights(0), features, row_dual);
  for (int t = 1; t <= map.features.corrections; ++t) {
    const tensor::VectorView<T> difference = differences.row(t - 1);
    column_update<T>(scores, slack, row_dual, column_dual);
    tensor::scale<T>(T(-1), row_dual, difference);
    transport::row_c_transform<T>(scores, column_dual, row_dual);
    tensor::axpy<T>(T(1), row_dual, difference);
    add_weighted<T>(map.difference_weights(t), differences, row_dual);
    add_weighted<T>(map.feature_weights(t), features, row_dual);
  }
}

namespace {

/// The plan of f̂ after its column update and whatever `iterate(plan)` adds to it, times the values.
/// Returns its column error.
template <class T, class Iterate>
double close_and_apply(const DualMap<T>& map, const AttentionHead<T>& head, const Iterate& iterate,
                       tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  if (head.queries.rows == 0 || head.keys.rows == 0) {
    for (std::int64_t i = 0; i < output.rows; ++i) std::ranges::fill(output.row(i), T(0));
    return 0;
  }
  CentredHead<T> centred = centre_head<T>(head.queries, head.keys, head.scale, scratch);
  centred.slack = head.slack;
  OpenPlan<T> plan(centred.x.rows, centred.y.rows, scratch);
  plan.slack = centred_slack<T>(centred, scratch);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), centred.x, centred.y, T(0),
                  plan.scores);
  predicted_row_dual<T>(map, centred, plan.scores, plan.row, scratch);
  plan.update_column();
  iterate(plan);
  return plan.close(head.values, output);
}

/// A column sum of the closed plan is N / M exp(g - next), where `next` is the column update of its
/// row dual.
template <class T>
double column_error_of(const OpenPlan<T>& plan, tensor::VectorView<const T> next) {
  double total = 0;
  for (std::size_t j = 0; j < next.size(); ++j)
    total += std::abs(std::expm1(static_cast<double>(plan.column[j] - next[j])));
  return total / static_cast<double>(next.size());
}

}  // namespace

template <class T>
double compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head, int extra_iterations,
                          tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const auto iterate = [&](const OpenPlan<T>& plan) {
    for (int k = 0; k < extra_iterations; ++k) plan.iterate();
  };
  return close_and_apply<T>(map, head, iterate, output, scratch);
}

template <class T>
double bounded_compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head,
                                  tensor::MatrixView<T> output, tensor::Arena& scratch) {
  double bound = 0;
  const auto measure = [&](const OpenPlan<T>& plan) {
    const tensor::VectorView<T> next =
        scratch.vector<T>(static_cast<std::int64_t>(plan.row.size()));
    transport::row_c_transform<T>(plan.scores, plan.column, next);
    for (std::size_t i = 0; i < next.size(); ++i)
      bound += std::abs(std::expm1(static_cast<double>(plan.row[i] - next[i])));
    bound /= static_cast<double>(next.size());
  };
  close_and_apply<T>(map, head, measure, output, scratch);
  return bound;
}

template <class T>
ColumnCertificate guarded_compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head,
                                             const ColumnGuard& guard, tensor::MatrixView<T> output,
                                             tensor::Arena& scratch) {
  base::check(head.slack == T(0), "guarded_compiled_attention: slack has no certificate");
  ColumnCertificate certificate;
  const auto iterate = [&](const OpenPlan<T>& plan) {
    const tensor::VectorView<T> next =
        scratch.vector<T>(static_cast<std::int64_t>(plan.column.size()));
    for (;;) {
      plan.update_row();
      transport::column_c_transform<T>(plan.scores, plan.row, next);
      if (!certificate.goes_on(guard, column_error_of<T>(plan, next))) return;
      std::ranges::copy(next, plan.column.begin());
    }
  };
  certificate.column_error = close_and_apply<T>(map, head, iterate, output, scratch);
  return certificate;
}

#define ASAP_INSTANTIATE(T)                                                                  \
  template void predicted_row_dual<T>(const DualMap<T>&, const CentredHead<T>&,              \
                                      tensor::MatrixView<const T>, tensor::VectorView<T>,    \
                                      tensor::Arena&);                                       \
  template double compiled_attention<T>(const DualMap<T>&, const AttentionHead<T>&, int,     \
                                        tensor::MatrixView<T>, tensor::Arena&);              \
  template double bounded_compiled_attention<T>(const DualMap<T>&, const AttentionHead<T>&,  \
                                                tensor::MatrixView<T>, tensor::Arena&);      \
  template ColumnCertificate guarded_compiled_attention<T>(                                  \
      const DualMap<T>&, const AttentionHead<T>&, const ColumnGuard&, tensor::MatrixView<T>, \
      tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
