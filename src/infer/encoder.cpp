#include "infer/encoder.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "infer/kernel_choice.h"
#include "io/run_folder.h"
#include "tensor/elementwise.h"
#include "tensor/gemm.h"
#include "tensor/patches.h"
#include "tensor/row_ops.h"

namespace asap {
namespace {

Tensor<float> take(const TensorFile& file, const std::string& name, const Shape& shape) {
  const StoredTensor& stored = file.at(name);
  if (!(stored.shape == shape))
    throw DataError(file.source + ": tensor '" + name + "' has shape " + stored.shape.text() +
                        ", the model needs " + shape.text(),
                    "the checkpoint belongs to a model of another shape");
  return stored.to<float>();
}

/// y (+)= x Wᵀ + b
void affine(const Tensor<float>& weight, const Tensor<float>& bias, MatrixView<const float> x,
            float beta, MatrixView<float> y) {
  affine<float>(x, weight.rows(), bias.flat(), beta, y);
}

void normalise(const Tensor<float>& gain, const Tensor<float>& offset, MatrixView<const float> x,
               MatrixView<float> y) {
  layer_norm<float>(x, {gain.flat(), offset.flat()}, y, {}, {});
}

}  // namespace

/// Buffers of one forward pass.
struct Encoder::Activations {
  std::int64_t examples;
  MatrixView<float> residual;    // [B * N, W]
  MatrixView<float> normalised;  // [B * N, W]; attention output too
  MatrixView<float> wide;        // [B * N, max(3 W, hidden)]
};

Encoder::Encoder(const ModelConfig& config, const TensorFile& weights, std::string fingerprint)
    : config_(config), fingerprint_(std::move(fingerprint)) {
  const std::int64_t width = config.width, hidden = config.hidden_width();
  const auto matrix = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    return Affine{take(weights, name + ".weight", {out, in}), take(weights, name + ".bias", {out})};
  };
  const auto norm = [&](const std::string& name) {
    return Affine{take(weights, name + ".weight", {width}), take(weights, name + ".bias", {width})};
  };
  patch_ = matrix("embedding.patch", width, config.patch_size());
  position_ = take(weights, "embedding.position", {config.tokens(), width});
  if (config.has_class_token()) class_token_ = take(weights, "embedding.class_token", {width});
  const LearnedShape learned =
      make_attention_kernel<float>(config.attention)->learned_shape(config.head_width());
  for (int index = 0; index < config.layers; ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    layers_.push_back({norm(prefix + "attention_norm"),
                       matrix(prefix + "attention.qkv", 3 * width, width),
                       matrix(prefix + "attention.output", width, width),
                       norm(prefix + "feed_forward_norm"),
                       matrix(prefix + "feed_forward.up", hidden, width),
                       matrix(prefix + "feed_forward.down", width, hidden)});
    std::vector<float> log_epsilon(config.heads, static_cast<float>(std::log(config.attention.epsilon)));
    if (config.attention.learn_epsilon)
      std::ranges::copy(take(weights, prefix + "attention.log_epsilon", {config.heads}).flat(),
                        log_epsilon.begin());
    for (float& value : log_epsilon)  // becomes the factor of the scores
      value = std::exp(-value) / std::sqrt(static_cast<float>(config.head_width()));
    scales_.push_back(std::move(log_epsilon));
    if (learned.rows > 0)
      learned_.push_back(take(weights, prefix + "attention." + learned.name,
                              {config.heads, learned.rows, learned.cols}));
  }
  final_norm_ = norm("final_norm");
  head_ = matrix("head", config.classes, width);
}

Encoder Encoder::load(const std::filesystem::path& run) {
  const RunFolder folder(run);
  const TrainConfig config = folder.read_config();
  const auto checkpoint = folder.newest_checkpoint();
  if (!checkpoint)
    throw DataError("'" + run.string() + "' holds no complete checkpoint",
                    "let asap-train finish, or continue it with --resume");
  const std::filesystem::path file = *checkpoint / kModelFile;
  const std::string bytes = read_file(file);
  return {config.model, parse_safetensors(bytes, file.string()), content_fingerprint(bytes)};
}

void Encoder::embed(MatrixView<const float> images, const Activations& a, Arena& arena) const {
  const ArenaScope scope(arena);
  const PatchGrid grid{config_.channels, config_.image_height, config_.image_width, config_.patch};
  const std::int64_t patches = grid.patches(), tokens = config_.tokens();
  const std::int64_t first = tokens - patches;  // 1 where a class token stands before the patches
  MatrixView<float> cut = arena.matrix<float>(images.rows * patches, grid.patch_size());
  extract_patches<float>(grid, images, cut);
  if (first == 0) {
    affine(patch_.weight, patch_.bias, cut, 0, a.residual);
  } else {
    for (std::int64_t b = 0; b < a.examples; ++b) {
      const MatrixView<float> x = a.residual.block(b * tokens, 0, tokens, config_.width);
      std::ranges::copy(class_token_.flat(), x.row(0).begin());
      affine(patch_.weight, patch_.bias, cut.block(b * patches, 0, patches, grid.patch_size()), 0,
             x.block(first, 0, patches, config_.width));
    }
  }
  add_bias_rows<float>({a.residual.data, a.examples, tokens * config_.width}, position_.flat());
}

void Encoder::run_layer(int index, const AttentionOperator& attention, const Activations& a,
                        Arena& arena) const {
  const Layer& layer = layers_[index];
  const std::int64_t rows = a.residual.rows, width = config_.width;
  const MatrixView<float> qkv(a.wide.data, rows, 3 * width);
  normalise(layer.attention_norm.weight, layer.attention_norm.bias, a.residual, a.normalised);
  affine(layer.qkv.weight, layer.qkv.bias, a.normalised, 0, qkv);
  const AttentionBatch<float> batch{.queries = qkv.block(0, 0, rows, width),
                                    .keys = qkv.block(0, width, rows, width),
                                    .values = qkv.block(0, 2 * width, rows, width),
                                    .examples = a.examples,
                                    .heads = config_.heads};
  attention.apply(index, batch, a.normalised, arena);
  affine(layer.output.weight, layer.output.bias, a.normalised, 1, a.residual);

  const MatrixView<float> hidden(a.wide.data, rows, config_.hidden_width());
  normalise(layer.feed_forward_norm.weight, layer.feed_forward_norm.bias, a.residual,
            a.normalised);
  affine(layer.up.weight, layer.up.bias, a.normalised, 0, hidden);
  const VectorView<float> flat(hidden.data, static_cast<std::size_t>(hidden.rows * hidden.cols));
  gelu<float>(flat, flat);
  affine(layer.down.weight, layer.down.bias, hidden, 1, a.residual);
}

void Encoder::classify(const Activations& a, MatrixView<float> logits, Arena& arena) const {
  const ArenaScope scope(arena);
  const std::int64_t tokens = config_.tokens();
  normalise(final_norm_.weight, final_norm_.bias, a.residual, a.normalised);
  MatrixView<float> pooled = arena.matrix<float>(a.examples, config_.width);
  for (std::int64_t b = 0; b < a.examples; ++b) {
    const MatrixView<float> x = a.normalised.block(b * tokens, 0, tokens, config_.width);
    if (config_.has_class_token()) {
      std::ranges::copy(x.row(0), pooled.row(b).begin());
    } else {
      column_sums<float>(x, pooled.row(b), false);
      scale<float>(1.0f / static_cast<float>(tokens), pooled.row(b), pooled.row(b));
    }
  }
  affine(head_.weight, head_.bias, pooled, 0, logits);
}

void Encoder::forward(MatrixView<const float> images, const AttentionOperator& attention,
                      MatrixView<float> logits, Arena& arena) const {
  check(images.cols == config_.image_size() && logits.rows == images.rows &&
            logits.cols == config_.classes,
        "Encoder::forward: shapes do not fit");
  const ArenaScope scope(arena);
  const std::int64_t rows = images.rows * config_.tokens(), width = config_.width;
  const std::int64_t widest = std::max<std::int64_t>(3 * width, config_.hidden_width());
  const Activations a{images.rows, arena.matrix<float>(rows, width),
                      arena.matrix<float>(rows, width), arena.matrix<float>(rows, widest)};
  embed(images, a, arena);
  for (int index = 0; index < config_.layers; ++index) run_layer(index, attention, a, arena);
  classify(a, logits, arena);
}

std::unique_ptr<KernelOperator> Encoder::teacher() const {
  return std::make_unique<KernelOperator>(make_attention_kernel<float>(config_.attention), scales_,
                                          learned_);
}

std::unique_ptr<KernelOperator> Encoder::with_kernel(
    std::unique_ptr<AttentionKernel<float>> kernel) const {
  return std::make_unique<KernelOperator>(std::move(kernel), scales_);
}

std::unique_ptr<KernelOperator> Encoder::softmax() const {
  return with_kernel(make_softmax_kernel<float>());
}

std::unique_ptr<KernelOperator> Encoder::sinkhorn(int iterations) const {
  return with_kernel(make_sinkhorn_kernel<float>(iterations));
}

}  // namespace asap
