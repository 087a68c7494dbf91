#include "c_api/head_attention.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "attention/kinds/attention_kinds.h"
#include "c_api/each_head.h"
#include "c_api/guarded.h"

namespace asap::c_api {
namespace {

constexpr int kMostIterations = 10000;

/// Gradients of one head; zeros where attention is zero.
template <class T>
void differentiate(const PackedHeads<T>& heads, const attention::TrainableAttention<T>& kind,
                   const HeadArray<const T>& output_gradient, const HeadGradientArrays<T>& to,
                   std::int64_t example, std::int64_t index, tensor::Arena& arena) {
  const HeadArrays<T>& a = heads.arrays();
  const std::vector<std::int64_t>&queries = heads.live_queries(example),
        &keys = heads.live_keys(example);
  const attention::HeadGradients<T> gradients{arena.matrix<T>(std::ssize(queries), a.width),
                                              arena.matrix<T>(std::ssize(keys), a.width),
                                              arena.matrix<T>(std::ssize(keys), a.value_width)};
  if (is_empty(heads, example)) {
    for (const auto& part : {gradients.queries, gradients.keys, gradients.values})
      std::fill_n(part.data, part.rows * part.cols, T(0));
  } else {
    const attention::AttentionHead<T> head = heads.head(example, index, heads.scale(), arena);
    const tensor::MatrixView<T> output = arena.matrix<T>(std::ssize(queries), a.value_width);
    attention::AttentionEvidence evidence;
    const auto state = kind.forward(head, output, arena, evidence);
    kind.vjp(head, state, output,
             heads.rows_of(output_gradient, example, index, queries, a.value_width, arena),
             gradients, arena);
  }
  write_rows<T>(to.queries, example, index, a.query_tokens, queries, gradients.queries);
  write_rows<T>(to.keys, example, index, a.key_tokens, keys, gradients.keys);
  write_rows<T>(to.values, example, index, a.key_tokens, keys, gradients.values);
}

}  // namespace

template <class T>
std::unique_ptr<attention::TrainableAttention<T>> softmax_kind() {
  return attention::make_softmax_attention<T>();
}

template <class T>
std::unique_ptr<attention::TrainableAttention<T>> sinkhorn_kind(int iterations) {
  require_range(iterations, 0, kMostIterations, "iterations");
  return attention::make_sinkhorn_attention<T>(iterations);
}

template <class T>
void attend(const attention::TrainableAttention<T>& kind, const HeadArrays<T>& arrays,
            const HeadArray<T>& output) {
  const PackedHeads<T> heads(arrays, true);
  write_attention(
      heads, heads.scale(), output,
      [&](std::int64_t, const attention::AttentionHead<T>& head, tensor::MatrixView<T> out,
          tensor::Arena& arena) { kind.infer(head, out, arena); });
}

template <class T>
void attend_backward(const attention::TrainableAttention<T>& kind, const HeadArrays<T>& arrays,
                     const HeadArray<const T>& output_gradient,
                     const HeadGradientArrays<T>& gradients) {
  const PackedHeads<T> heads(arrays, true);
  heads.check_gradient(output_gradient);
  check_result(gradients.queries, arrays, arrays.query_tokens, arrays.width, "gradients.queries");
  check_result(gradients.keys, arrays, arrays.key_tokens, arrays.width, "gradients.keys");
  check_result(gradients.values, arrays, arrays.key_tokens, arrays.value_width, "gradients.values");
  for_each_head(heads, [&](std::int64_t example, std::int64_t head, tensor::Arena& arena) {
    differentiate(heads, kind, output_gradient, gradients, example, head, arena);
  });
}

#define ASAP_INSTANTIATE(T)                                                                    \
  template std::unique_ptr<attention::TrainableAttention<T>> softmax_kind<T>();                \
  template std::unique_ptr<attention::TrainableAttention<T>> sinkhorn_kind<T>(int);            \
  template void attend(const attention::TrainableAttention<T>&, const HeadArrays<T>&,          \
                       const HeadArray<T>&);                                                   \
  template void attend_backward(const attention::TrainableAttention<T>&, const HeadArrays<T>&, \
                                const HeadArray<const T>&, const HeadGradientArrays<T>&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::c_api
