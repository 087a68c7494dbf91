#include <memory>
#include <vector>

#include "attention/kinds/attention_kinds.h"
#include "base/parallel.h"
#include "c_api/guarded.h"
#include "c_api/packed_heads.h"
#include "c_api/threads.h"

namespace asap::c_api {
namespace {

constexpr int kMostIterations = 10000;

using Kind = std::unique_ptr<attention::TrainableAttention<float>>;

Kind sinkhorn(int iterations) {
  require_range(iterations, 0, kMostIterations, "iterations");
  return attention::make_sinkhorn_attention<float>(iterations);
}

/// Runs `body(example, head, arena)` for every head of every example.
template <class Body>
void for_each_head(const PackedHeads& heads, const Body& body) {
  const int count = threads();
  std::vector<tensor::Arena> arenas(static_cast<std::size_t>(count));
  base::parallel_for(heads.examples() * heads.heads(), count, [&](std::int64_t index, int worker) {
    tensor::Arena& arena = arenas[static_cast<std::size_t>(worker)];
    const tensor::ArenaScope scope(arena);
    body(index / heads.heads(), index % heads.heads(), arena);
  });
}

/// Attention without live keys or queries is zero.
bool is_empty(const PackedHeads& heads, std::int64_t example) {
  return heads.live_queries(example).empty() || heads.live_keys(example).empty();
}

void attend(const asap_attention* attention, const Kind& kind, const asap_result* output) {
  require(attention, "attention");
  require(output, "output");
  const PackedHeads heads(*attention, true);
  check_result(*output, *attention, attention->query_tokens, attention->value_width, "output");
  for_each_head(heads, [&](std::int64_t example, std::int64_t head, tensor::Arena& arena) {
    const std::vector<std::int64_t>& live = heads.live_queries(example);
    const tensor::MatrixView<float> out =
        arena.matrix<float>(std::ssize(live), attention->value_width);
    if (is_empty(heads, example))
      std::fill_n(out.data, out.rows * out.cols, 0.0f);
    else
      kind->infer(heads.head(example, head, heads.scale(), arena), out, arena);
    write_rows(*output, example, head, attention->query_tokens, live, out);
  });
}

/// Gradients of one head; zeros where attention is zero.
void differentiate(const PackedHeads& heads, const asap_attention& a, const Kind& kind,
                   const asap_array& output_gradient, const asap_gradients& to,
                   std::int64_t example, std::int64_t index, tensor::Arena& arena) {
  const std::vector<std::int64_t>&queries = heads.live_queries(example),
        &keys = heads.live_keys(example);
  const attention::HeadGradients<float> gradients{
      arena.matrix<float>(std::ssize(queries), a.width),
      arena.matrix<float>(std::ssize(keys), a.width),
      arena.matrix<float>(std::ssize(keys), a.value_width)};
  if (is_empty(heads, example)) {
    for (const auto& part : {gradients.queries, gradients.keys, gradients.values})
      std::fill_n(part.data, part.rows * part.cols, 0.0f);
  } else {
    const attention::AttentionHead<float> head = heads.head(example, index, heads.scale(), arena);
    const tensor::MatrixView<float> output =
        arena.matrix<float>(std::ssize(queries), a.value_width);
    attention::AttentionEvidence evidence;
    const auto state = kind->forward(head, output, arena, evidence);
    kind->vjp(head, state, output,
              heads.rows_of(output_gradient, example, index, queries, a.value_width, arena),
              gradients, arena);
  }
  write_rows(to.queries, example, index, a.query_tokens, queries, gradients.queries);
  write_rows(to.keys, example, index, a.key_tokens, keys, gradients.keys);
  write_rows(to.values, example, index, a.key_tokens, keys, gradients.values);
}

void attend_backward(const asap_attention* attention, const Kind& kind,
                     const asap_array* output_gradient, const asap_gradients* gradients) {
  require(attention, "attention");
  require(output_gradient, "output_gradient");
  require(gradients, "gradients");
  const asap_attention& a = *attention;
  const PackedHeads heads(a, true);
  heads.check_gradient(*output_gradient);
  check_result(gradients->queries, a, a.query_tokens, a.width, "gradients.queries");
  check_result(gradients->keys, a, a.key_tokens, a.width, "gradients.keys");
  check_result(gradients->values, a, a.key_tokens, a.value_width, "gradients.values");
  for_each_head(heads, [&](std::int64_t example, std::int64_t head, tensor::Arena& arena) {
    differentiate(heads, a, kind, *output_gradient, *gradients, example, head, arena);
  });
}

}  // namespace
}  // namespace asap::c_api

using namespace asap::c_api;

extern "C" {

asap_status asap_softmax_attention(const asap_attention* attention, const asap_result* output,
                                   asap_error* error) {
  return guarded(
      error, [&] { attend(attention, asap::attention::make_softmax_attention<float>(), output); });
}

asap_status asap_sinkhorn_attention(const asap_attention* attention, int iterations,
                                    const asap_result* output, asap_error* error) {
  return guarded(error, [&] { attend(attention, sinkhorn(iterations), output); });
}

asap_status asap_softmax_attention_backward(const asap_attention* attention,
                                            const asap_array* output_gradient,
                                            const asap_gradients* gradients, asap_error* error) {
  return guarded(error, [&] {
    attend_backward(attention, asap::attention::make_softmax_attention<float>(), output_gradient,
                    gradients);
  });
}

asap_status asap_sinkhorn_attention_backward(const asap_attention* attention, int iterations,
                                             const asap_array* output_gradient,
                                             const asap_gradients* gradients, asap_error* error) {
  return guarded(
      error, [&] { attend_backward(attention, sinkhorn(iterations), output_gradient, gradients); });
}
}
