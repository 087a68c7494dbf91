#include "nn/input_embedding.h"

#include "autodiff/elementwise_ops.h"
#include "autodiff/shape_ops.h"
#include "tensor/kernels/patches.h"
#include "tensor/kernels/point_features.h"

namespace asap::nn {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

}  // namespace

template <class T>
InputEmbedding<T>::InputEmbedding(const ParameterBuilder<T>& build,
                                  const config::ModelConfig& config)
    : config_(config) {
  if (config.kind == config::ModelKind::vit)
    linear_ = std::make_unique<Linear<T>>(build.part("patch"), config.patch_size(), config.width);
  else if (config.kind == config::ModelKind::set)
    linear_ = std::make_unique<Linear<T>>(
        build.part("point"),
        tensor::point_feature_count(config.point_width, config.point_frequencies), config.width);
  else
    token_ = build.normal("token", {config.vocabulary, config.width}, kEmbeddingDeviation);
  if (config.has_positions())
    position_ = build.normal("position", {config.tokens(), config.width}, kEmbeddingDeviation);
  if (config.has_class_token())
    class_token_ = build.normal("class_token", {config.width}, kEmbeddingDeviation);
  if (config.has_segments())
    segment_ = build.normal("segment", {config.width}, kEmbeddingDeviation);
  if (config.embedding_norm) norm_.emplace(build.part("norm"), config.width, config.norm_epsilon);
}

template <class T>
autodiff::Var<T> InputEmbedding<T>::embed_images(PassContext<T>& pass,
                                                 const config::ModelInput<T>& input) const {
  const tensor::PatchGrid grid{config_.channels, config_.image_height, config_.image_width,
                               config_.patch};
  const tensor::TensorView<T> patches =
      pass.tape.allocate({input.examples, grid.patches(), grid.patch_size()});
  tensor::extract_patches<T>(grid, input.values, patches.rows());
  return linear_->forward(pass, pass.tape.constant(patches));
}

template <class T>
autodiff::Var<T> InputEmbedding<T>::embed_points(PassContext<T>& pass,
                                                 const config::ModelInput<T>& input) const {
  const tensor::TensorView<T> features = pass.tape.allocate(
      {input.examples, input.tokens,
       tensor::point_feature_count(config_.point_width, config_.point_frequencies)});
  tensor::point_features<T>(config_.point_frequencies, input.values, features.rows());
  return linear_->forward(pass, pass.tape.constant(features));
}

template <class T>
autodiff::Var<T> InputEmbedding<T>::embed(PassContext<T>& pass,
                                          const config::ModelInput<T>& input) const {
  if (config_.kind == config::ModelKind::vit) return embed_images(pass, input);
  if (config_.kind == config::ModelKind::set) return embed_points(pass, input);
  base::check(std::ssize(input.ids) == input.examples * input.tokens,
              "InputEmbedding: one token id per token");
  return autodiff::reshape(autodiff::embedding(pass.tape.parameter(token_), input.ids),
                           {input.examples, input.tokens, config_.width});
}

template <class T>
autodiff::Var<T> InputEmbedding<T>::add_segments(PassContext<T>& pass,
                                                 const config::ModelInput<T>& input,
                                                 autodiff::Var<T> x) const {
  const auto first = pass.tape.arena().template vector<std::int64_t>(input.examples);
  const auto tokens = static_cast<std::size_t>(input.tokens);
  for (std::size_t b = 0; b < first.size(); ++b)
    first[b] = config::second_segment(input.ids.subspan(b * tokens, tokens), config_.separator);
  return autodiff::add_to_last_tokens(pass.tape.parameter(segment_), x, first);
}

template <class T>
EmbeddedTokens<T> InputEmbedding<T>::forward(PassContext<T>& pass,
                                             const config::ModelInput<T>& input) const {
  std::span<const std::int32_t> live = input.live;
  autodiff::Var<T> x = pass.drop(embed(pass, input), pass.embedding_dropout_rate);
  if (segment_.valid()) x = add_segments(pass, input, x);
  if (class_token_.valid()) {
    x = autodiff::prepend_token(pass.tape.parameter(class_token_), x);
    if (!live.empty()) {
      const auto longer =
          pass.tape.arena().template vector<std::int32_t>(static_cast<std::int64_t>(live.size()));
      for (std::size_t b = 0; b < live.size(); ++b) longer[b] = live[b] + 1;
      live = longer;
    }
  }
  if (position_.valid())
    x = autodiff::add(x, autodiff::first_rows(pass.tape.parameter(position_), x.shape()[1]));
  if (norm_) x = norm_->forward(pass, x);
  return {pass.drop(x), live};
}

template class InputEmbedding<float>;
template class InputEmbedding<double>;

}  // namespace asap::nn
