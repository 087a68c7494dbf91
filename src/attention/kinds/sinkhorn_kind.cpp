#include <algorithm>
#include <cmath>
#include <new>
#include <type_traits>

#include "attention/kinds/attention_kinds.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/tiled/tiled_attention.h"

namespace asap::attention {
namespace {

template <class T>
class TrainableSinkhorn final : public TrainableAttention<T> {
 public:
  using State = typename TrainableAttention<T>::State;

  TrainableSinkhorn(int iterations, bool implicit_gradient, const SlackSettings& slack)
      : iterations_(iterations), implicit_gradient_(implicit_gradient), slack_(slack) {}

  State forward(const AttentionHead<T>& head, tensor::MatrixView<T> output, tensor::Arena& arena,
                AttentionEvidence& evidence) const override {
    auto* state = new (arena.take<SinkhornState<T>>(1)) SinkhornState<T>(
        sinkhorn_attention<T>(with_slack(head), iterations_, output, arena,
                              best_lifetime(head.queries.rows, head.keys.rows, sizeof(T))));
    ++evidence.heads;
    evidence.column_error_sum += static_cast<double>(state->column_error);
    evidence.log_domain_heads += state->log_domain ? 1 : 0;
    evidence.underflows += state->underflows;
    return state;
  }

  void infer(const AttentionHead<T>& head, tensor::MatrixView<T> output,
             tensor::Arena& scratch) const override {
    if constexpr (std::is_same_v<T, float>)
      fastest_sinkhorn_attention(with_slack(head), iterations_, output, scratch);
    else
      TrainableAttention<T>::infer(head, output, scratch);
  }

  void vjp(const AttentionHead<T>& head, State state, tensor::MatrixView<const T> output,
           tensor::MatrixView<const T> output_gradient, const HeadGradients<T>& gradients,
           tensor::Arena& scratch) const override {
    SinkhornState<T> own = *static_cast<const SinkhornState<T>*>(state);
    if (implicit_gradient_)
      sinkhorn_attention_implicit_vjp<T>(head, own, output, output_gradient, gradients, scratch);
    else
      sinkhorn_attention_vjp<T>(with_slack(head), own, output, output_gradient, gradients, scratch);
  }

  void plan(const AttentionHead<T>& head, tensor::MatrixView<T> plan,
            tensor::Arena& scratch) const override {
    const tensor::ArenaScope scope(scratch);
    tensor::MatrixView<T> output = scratch.matrix<T>(head.queries.rows, head.values.cols);
    sinkhorn_plan<T>(sinkhorn_attention<T>(with_slack(head), iterations_, output, scratch), plan);
  }

  LearnedShape learned_shape(std::int64_t /*head_width*/) const override {
    if (slack_.kind != config::SlackKind::learned) return {};
    return {.name = kLogSlack, .rows = 1, .cols = 1, .start = std::log(slack_.start)};
  }

 private:
  AttentionHead<T> with_slack(AttentionHead<T> head) const {
    if (slack_.kind == config::SlackKind::fixed) head.slack = static_cast<T>(slack_.start);
    if (slack_.kind == config::SlackKind::learned) head.slack = slack_from_log(head.learned(0, 0));
    return head;
  }

  int iterations_;
  bool implicit_gradient_;
  SlackSettings slack_;
};

}  // namespace

template <class T>
T slack_from_log(T log_slack) {
  constexpr T kLargest = T(20);
  return std::exp(std::clamp(log_slack, -kLargest, kLargest));
}

template <class T>
std::unique_ptr<TrainableAttention<T>> make_sinkhorn_attention(int iterations,
                                                               bool implicit_gradient,
                                                               const SlackSettings& slack) {
  base::check(iterations >= 0, "make_sinkhorn_attention: negative number of iterations");
  base::check(!implicit_gradient || slack.kind == config::SlackKind::none,
              "make_sinkhorn_attention: slack has no implicit gradient");
  return std::make_unique<TrainableSinkhorn<T>>(iterations, implicit_gradient, slack);
}

template float slack_from_log(float);
template double slack_from_log(double);
template std::unique_ptr<TrainableAttention<float>> make_sinkhorn_attention(int, bool,
                                                                            const SlackSettings&);
template std::unique_ptr<TrainableAttention<double>> make_sinkhorn_attention(int, bool,
                                                                             const SlackSettings&);

}  // namespace asap::attention
