#include <type_traits>

#include "attention/kinds/attention_kinds.h"
#include "attention/stored/scaling_kernels.h"
#include "attention/stored/softmax_attention.h"
#include "attention/tiled/tiled_attention.h"

namespace asap::attention {
namespace {

/// Number of plan entries from which tiles beat a stored plan.
constexpr std::int64_t kTiledSoftmaxFrom = std::int64_t{128} * 128;

template <class T>
class TrainableSoftmax final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output, tensor::Arena& arena,
                AttentionEvidence& evidence) const override {
    ++evidence.heads;
    if (is_large(head)) {
      blocked_softmax_attention<T>(head, output, arena);
      return nullptr;
    }
    return softmax_attention<T>(head, output, arena).data;
  }

  void infer(const AttentionHead<T>& head, tensor::MatrixView<T> output,
             tensor::Arena& scratch) const override {
    if constexpr (std::is_same_v<T, float>)
      if (head.queries.rows * head.keys.rows >= kTiledSoftmaxFrom) {
        tiled_softmax_attention(head, 1, output, scratch);
        return;
      }
    TrainableAttention<T>::infer(head, output, scratch);
  }

  void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T>,
           tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           tensor::Arena& scratch) const override {
    if (is_large(head))
      return blocked_softmax_attention_vjp<T>(head, output_gradient, gradients, scratch);
    const tensor::MatrixView<const T> plan(static_cast<const T*>(state), head.queries.rows,
                                           head.keys.rows, padded_columns<T>(head.keys.rows));
    softmax_attention_vjp<T>(head, plan, output_gradient, gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
            tensor::Arena& scratch) const override {
    const tensor::ArenaScope scope(scratch);
    tensor::MatrixView<T> output = scratch.matrix<T>(head.queries.rows, head.values.cols);
    const tensor::MatrixView<T> computed = softmax_attention<T>(head, output, scratch);
    for (std::int64_t i = 0; i < plan.rows; ++i)
      for (std::int64_t j = 0; j < plan.cols; ++j) plan(i, j) = computed(i, j);
  }

 private:
  static bool is_large(const AttentionHead<T>& head) {
    return softmax_plan_is_large(head.queries.rows, head.keys.rows);
  }
};

}  // namespace

template <class T>
std::unique_ptr<TrainableAttention<T>> make_softmax_attention() {
  return std::make_unique<TrainableSoftmax<T>>();
}

template std::unique_ptr<TrainableAttention<float>> make_softmax_attention();
template std::unique_ptr<TrainableAttention<double>> make_softmax_attention();

}  // namespace asap::attention
