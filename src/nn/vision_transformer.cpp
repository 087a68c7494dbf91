#include "nn/vision_transformer.h"

#include "autodiff/elementwise_ops.h"
#include "autodiff/shape_ops.h"
#include "infer/kernel_choice.h"
#include "tensor/patches.h"

namespace asap {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

}  // namespace

template <class T>
VisionTransformer<T>::VisionTransformer(const ModelConfig& config, std::uint64_t seed)
    : config_(config), kernel_(make_attention_kernel<T>(config.attention)) {
  const ParameterBuilder<T> build(parameters_, seed);
  const ParameterBuilder<T> embedding = build.part("embedding");
  patch_ = std::make_unique<Linear<T>>(embedding.part("patch"), config.patch_size(), config.width);
  position_ = embedding.normal("position", {config.tokens(), config.width}, kEmbeddingDeviation);
  if (config.has_class_token())
    class_token_ = embedding.normal("class_token", {config.width}, kEmbeddingDeviation);
  for (int layer = 0; layer < config.layers; ++layer) {
    const MultiHeadAttentionShape shape{config.width, config.heads, config.attention.epsilon,
                                        config.attention.learn_epsilon, layer};
    layers_.emplace_back(build.part("layers").part(std::to_string(layer)), shape,
                         config.hidden_width(), *kernel_);
  }
  final_norm_ = std::make_unique<LayerNorm<T>>(build.part("final_norm"), config.width);
  head_ = std::make_unique<Linear<T>>(build.part("head"), config.width, config.classes);
}

template <class T>
Var<T> VisionTransformer<T>::forward(PassContext<T>& pass, MatrixView<const T> images) const {
  const PatchGrid grid{config_.channels, config_.image_height, config_.image_width, config_.patch};
  const TensorView<T> patches =
      pass.tape.allocate({images.rows, grid.patches(), grid.patch_size()});
  extract_patches<T>(grid, images, patches.rows());

  Var<T> x = patch_->forward(pass, pass.tape.constant(patches));
  if (class_token_.valid()) x = prepend_token(pass.tape.parameter(class_token_), x);
  x = pass.drop(add(x, pass.tape.parameter(position_)));
  for (const EncoderLayer<T>& layer : layers_) x = layer.forward(pass, x, {});
  x = final_norm_->forward(pass, x);
  x = class_token_.valid() ? select_token(x, 0) : mean_pool(x, {});
  return head_->forward(pass, x);
}

template class VisionTransformer<float>;
template class VisionTransformer<double>;

}  // namespace asap
