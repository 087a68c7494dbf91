#include "nn/matcher.h"

#include <algorithm>
#include <cmath>

#include "attention/kinds/attention_kinds.h"
#include "autodiff/elementwise_ops.h"
#include "autodiff/matching_ops.h"
#include "autodiff/matmul_ops.h"
#include "tensor/kernels/row_ops.h"

namespace asap::nn {
namespace {

constexpr std::int64_t kKeypointInputs = 11;

}  // namespace

template <class T>
Matcher<T>::Update::Update(const ParameterBuilder<T>& build, std::int64_t width)
    : attention_norm(build.part("attention_norm"), width, tensor::kLayerNormEpsilon),
      query(build.part("query"), width, width),
      key_value(build.part("key_value"), width, 2 * width),
      output(build.part("output"), width, width),
      update_norm(build.part("update_norm"), 2 * width, tensor::kLayerNormEpsilon),
      up(build.part("up"), 2 * width, 2 * width),
      down(build.part("down"), 2 * width, width) {}

template <class T>
autodiff::Var<T> Matcher<T>::Update::forward(PassContext<T>& pass, autodiff::Var<T> x,
                                             autodiff::Var<T> y, std::int64_t heads,
                                             const attention::TrainableAttention<T>& kind) const {
  const autodiff::Var<T> from = attention_norm.forward(pass, x);
  const autodiff::Var<T> to = x.node() == y.node() ? from : attention_norm.forward(pass, y);
  const autodiff::Var<T> attended = autodiff::cross_attention(
      query.forward(pass, from), key_value.forward(pass, to), heads, kind, pass.evidence);
  const autodiff::Var<T> both =
      update_norm.forward(pass, autodiff::concat_columns(x, output.forward(pass, attended)));
  return autodiff::add(x, down.forward(pass, autodiff::gelu(up.forward(pass, both))));
}

template <class T>
Matcher<T>::Matcher(const config::MatcherConfig& config, std::uint64_t seed)
    : config_(config), kind_(attention::make_softmax_attention<T>()) {
  base::check(config.descriptor_width > 0 && config.width % config.heads == 0,
              "Matcher: the configuration is not complete");
  const ParameterBuilder<T> build(parameters_, seed);
  const std::int64_t width = config.width;
  const auto linear = [&](const char* name, std::int64_t in, std::int64_t out) {
    return std::make_unique<Linear<T>>(build.part(name), in, out);
  };
  descriptor_ = linear("descriptor", config.descriptor_width, width);
  position_up_ = linear("position.up", kKeypointInputs, width);
  position_down_ = linear("position.down", width, width);
  for (int i = 0; i < config.layers; ++i) {
    self_.emplace_back(build.part("self." + std::to_string(i)), width);
    cross_.emplace_back(build.part("cross." + std::to_string(i)), width);
  }
  final_ = linear("final", width, width);
  if (config.output == config::MatcherOutput::dustbin)
    bin_ = build.constant("bin", {1}, config.bin_start);
  else
    matchability_ = linear("matchability", width, 1);
  start_as_descriptor_matching();
}

template <class T>
void Matcher<T>::start_as_descriptor_matching() {
  for (std::size_t i = 0; i < parameters_.entries().size(); ++i) {
    const std::string& name = parameters_.entries()[i].name;
    const tensor::TensorView<T> value = parameters_.value({static_cast<int>(i)});
    if (name.ends_with("down.weight")) std::ranges::fill(value.flat(), T(0));
    if (name == "final.weight")
      for (std::int64_t row = 0; row < config_.width; ++row)
        for (std::int64_t column = 0; column < config_.width; ++column)
          value.rows()(row, column) = row == column ? T(1) : T(0);
  }
}

template <class T>
autodiff::Var<T> Matcher<T>::embed(PassContext<T>& pass, const MatcherInput<T>& input) const {
  const autodiff::Var<T> position = position_down_->forward(
      pass, autodiff::gelu(position_up_->forward(pass, pass.tape.constant(input.keypoints))));
  return autodiff::add(descriptor_->forward(pass, pass.tape.constant(input.descriptors)), position);
}

template <class T>
autodiff::Var<T> Matcher<T>::finish(PassContext<T>& pass, autodiff::Var<T> x) const {
  const T factor = std::pow(static_cast<T>(config_.width), T(-.25));
  return autodiff::scale(final_->forward(pass, x), factor);
}

template <class T>
autodiff::Var<T> Matcher<T>::forward(PassContext<T>& pass, const MatcherInput<T>& first,
                                     const MatcherInput<T>& second,
                                     autodiff::TransportEvidence& evidence) const {
  autodiff::Var<T> x = embed(pass, first), y = embed(pass, second);
  for (std::size_t i = 0; i < self_.size(); ++i) {
    x = self_[i].forward(pass, x, x, config_.heads, *kind_);
    y = self_[i].forward(pass, y, y, config_.heads, *kind_);
    const autodiff::Var<T> before = x;
    x = cross_[i].forward(pass, x, y, config_.heads, *kind_);
    y = cross_[i].forward(pass, y, before, config_.heads, *kind_);
  }
  const autodiff::Var<T> scores = autodiff::matmul(finish(pass, x), finish(pass, y),
                                                   tensor::Transpose::no, tensor::Transpose::yes);
  if (matchability_)
    return autodiff::log_dual_softmax_plan(scores, matchability_->forward(pass, x),
                                           matchability_->forward(pass, y));
  return autodiff::log_dustbin_plan(scores, pass.tape.parameter(bin_), config_.iterations,
                                    evidence);
}

template class Matcher<float>;
template class Matcher<double>;

}  // namespace asap::nn
