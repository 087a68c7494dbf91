#include "autodiff/attention_ops.h"

#include <algorithm>
#include <cmath>

#include "attention/interface/attention_batch.h"

namespace asap::autodiff {
namespace {

template <class T>
attention::AttentionBatch<T> unpack(const tensor::TensorView<const T>& qkv,
                                    const AttentionLayout& layout) {
  const tensor::MatrixView<const T> rows = qkv.rows();
  const std::int64_t width = rows.cols / 3;
  return {.queries = rows.block(0, 0, rows.rows, width),
          .keys = rows.block(0, width, rows.rows, width),
          .values = rows.block(0, 2 * width, rows.rows, width),
          .examples = qkv.shape[0],
          .heads = layout.heads,
          .live_queries = layout.live,
          .live_keys = layout.live};
}

/// The part [rows, cols] of one head of [H, rows, cols]; empty of an empty tensor.
template <class T>
tensor::MatrixView<T> head_part(const tensor::TensorView<T>& learned, std::int64_t head) {
  if (learned.data == nullptr) return {};
  const std::int64_t rows = learned.shape[1], cols = learned.shape[2];
  return {learned.data + head * rows * cols, rows, cols};
}

/// What every head of a pass shares.
template <class T>
struct SharedInputs {
  tensor::TensorView<const T> log_epsilon;
  tensor::TensorView<const T> learned;
  int layer;
  tensor::ProductPrecision precision;
};

template <class T>
attention::AttentionHead<T> head_of(const attention::AttentionBatch<T>& batch, std::int64_t b,
                                    std::int64_t h, const SharedInputs<T>& shared) {
  const T scale =
      std::exp(-shared.log_epsilon.data[h]) / std::sqrt(static_cast<T>(batch.head_width()));
  return {.queries = batch.head_queries(b, h),
          .keys = batch.head_keys(b, h),
          .values = batch.head_values(b, h),
          .scale = scale,
          .learned = head_part(shared.learned, h),
          .layer = shared.layer,
          .precision = shared.precision};
}

/// The parts of a gradient [B, N, 3 W] that belong to one head of one example.
template <class T>
attention::HeadGradients<T> gradients_of(const attention::AttentionBatch<T>& batch,
                                         const tensor::TensorView<T>& gradient, std::int64_t b,
                                         std::int64_t h) {
  const std::int64_t width = gradient.shape[2] / 3, head_width = batch.head_width();
  const auto part = [&](int index) {
    return gradient.rows().block(b * batch.query_tokens(), index * width + h * head_width,
                                 batch.live_query_count(b), head_width);
  };
  return {part(0), part(1), part(2), false};
}

/// Where the gradient of a small input goes, zero unless something is there; empty when it is not
/// wanted.
template <class T>
tensor::TensorView<T> open_zeroed(Pullback<T>& p, int index) {
  if (!p.wants(index)) return {};
  const GradientSlot<T> slot = p.slot(index);
  if (!slot.accumulate) std::ranges::fill(slot.view.flat(), T(0));
  return slot.view;
}

}  // namespace

template <class T>
Var<T> attention(const AttentionInputs<T>& inputs, const AttentionLayout& layout,
                 const attention::TrainableAttention<T>& kind,
                 attention::AttentionEvidence& evidence) {
  using State = typename attention::TrainableAttention<T>::State;
  const Var<T> qkv = inputs.qkv;
  Tape<T>& tape = qkv.tape();
  const tensor::Shape shape = qkv.shape();
  base::check(shape.rank() == 3 && shape[2] % (3 * layout.heads) == 0,
              "attention: expected [B, N, 3 W]");
  const tensor::TensorView<T> out = tape.allocate({shape[0], shape[1], shape[2] / 3});
  const attention::AttentionBatch<T> batch = unpack(qkv.value(), layout);
  const bool learns = inputs.learned.valid();
  const SharedInputs<T> shared{inputs.log_epsilon.value(),
                               learns ? inputs.learned.value() : tensor::TensorView<const T>(),
                               layout.layer, layout.precision};
  State* states = tape.arena().template take<State>(batch.examples * batch.heads);
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t h = 0; h < batch.heads; ++h)
      states[b * batch.heads + h] =
          kind.forward(head_of(batch, b, h, shared), batch.head_output(out.rows(), b, h),
                       tape.arena(), evidence);
  attention::clear_padded_rows(batch, out.rows());

  const attention::TrainableAttention<T>* kind_pointer = &kind;
  // An input that is not there is replaced by one whose gradient nobody wants.
  const Var<T> learned = learns ? inputs.learned : tape.constant(shared.log_epsilon);
  return tape.record(out, {qkv, inputs.log_epsilon, learned}, [=](Pullback<T>& p) {
    // Each kind writes the head's block; zeros elsewhere are the gradient of padded tokens.
    const GradientSlot<T> slot = p.slot(0);
    base::check(!slot.accumulate, "attention: the packed projection has another consumer");
    if (!layout.live.empty()) std::fill_n(slot.view.data, slot.view.size(), T(0));
    const tensor::TensorView<T> d_log_epsilon = open_zeroed(p, 1);
    tensor::TensorView<T> d_learned = open_zeroed(p, 2);
    if (learns && d_learned.data == nullptr) {  // kinds add to it all the same
      d_learned = p.arena().template tensor<T>(shared.learned.shape);
      std::ranges::fill(d_learned.flat(), T(0));
    }
    const attention::AttentionBatch<T> batch = unpack(p.input(0), layout);
    const tensor::MatrixView<const T> output = p.output().rows();
    const tensor::MatrixView<const T> output_gradient = p.output_gradient().rows();
    for (std::int64_t b = 0; b < batch.examples; ++b)
      for (std::int64_t h = 0; h < batch.heads; ++h) {
        const attention::AttentionHead<T> head = head_of(batch, b, h, shared);
        attention::HeadGradients<T> gradients = gradients_of(batch, slot.view, b, h);
        gradients.learned = head_part(d_learned, h);
        kind_pointer->vjp(head, states[b * batch.heads + h], batch.head_output(output, b, h),
                          batch.head_output(output_gradient, b, h), gradients, p.arena());
        if (d_log_epsilon.data != nullptr)  // the scale is proportional to exp(-log_epsilon)
          d_log_epsilon.data[h] -= kind_pointer->log_scale_gradient(head, gradients);
      }
  });
}

#define ASAP_INSTANTIATE(T)                                                       \
  template Var<T> attention<T>(const AttentionInputs<T>&, const AttentionLayout&, \
                               const attention::TrainableAttention<T>&,           \
                               attention::AttentionEvidence&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
