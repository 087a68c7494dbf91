#include "attention/compiled/key_bias.h"

#include <algorithm>
#include <cmath>

#include "attention/compiled/compiled_attention.h"
#include "attention/compiled/open_plan.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"

namespace asap::attention {
namespace {

template <class T>
void bias_of_centred(const DualMap<T>& map, const CentredHead<T>& centred,
                     tensor::VectorView<T> bias, tensor::Arena& scratch) {
  base::check(map.features.known_before_scores(),
              "predicted_key_bias: a key bias has no features of the scores");
  predicted_row_dual<T>(map, {centred.y, centred.x, centred.key_mean, centred.query_mean},
                        {nullptr, centred.y.rows, centred.x.rows}, bias, scratch);
}

}  // namespace

template <class T>
void predicted_key_bias(const DualMap<T>& map, const AttentionHead<T>& head,
                        tensor::VectorView<T> bias, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  bias_of_centred(map, centre_head<T>(head.queries, head.keys, head.scale, scratch), bias, scratch);
}

template <class T>
void additive_key_bias(const DualMap<T>& map, const AttentionHead<T>& head,
                       tensor::VectorView<T> bias, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const CentredHead<T> centred = centre_head<T>(head.queries, head.keys, head.scale, scratch);
  bias_of_centred(map, centred, bias, scratch);
  for (std::int64_t j = 0; j < centred.y.rows; ++j)
    bias[j] -= tensor::dot<T>(centred.y.row(j), centred.query_mean);
}

template <class T>
double key_bias_attention(const DualMap<T>& map, const AttentionHead<T>& head, int extra_iterations,
                          tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  if (head.queries.rows == 0 || head.keys.rows == 0) {
    for (std::int64_t i = 0; i < output.rows; ++i) std::ranges::fill(output.row(i), T(0));
    return 0;
  }
  const CentredHead<T> centred = centre_head<T>(head.queries, head.keys, head.scale, scratch);
  const OpenPlan<T> plan(centred.x.rows, centred.y.rows, scratch);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), centred.x, centred.y, T(0),
                  plan.scores);
  bias_of_centred(map, centred, plan.column, scratch);
  for (int k = 0; k < extra_iterations; ++k) plan.iterate();
  return plan.close(head.values, output);
}

#define ASAP_INSTANTIATE(T)                                                              \
  template void predicted_key_bias<T>(const DualMap<T>&, const AttentionHead<T>&,        \
                                      tensor::VectorView<T>, tensor::Arena&);            \
  template void additive_key_bias<T>(const DualMap<T>&, const AttentionHead<T>&,         \
                                     tensor::VectorView<T>, tensor::Arena&);             \
  template double key_bias_attention<T>(const DualMap<T>&, const AttentionHead<T>&, int, \
                                        tensor::MatrixView<T>, tensor::Arena&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
