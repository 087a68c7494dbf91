#include "infer/encoder_embedding.h"

#include <algorithm>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/patches.h"
#include "tensor/kernels/point_features.h"

namespace asap::infer {

EncoderEmbedding::EncoderEmbedding(const config::ModelConfig& config, const io::TensorFile& weights)
    : config_(config) {
  const std::int64_t width = config.width;
  if (config.kind == config::ModelKind::vit)
    linear_ = take_linear(weights, "embedding.patch", width, config.patch_size());
  else if (config.kind == config::ModelKind::set)
    linear_ =
        take_linear(weights, "embedding.point", width,
                    tensor::point_feature_count(config.point_width, config.point_frequencies));
  else
    token_ = take_weights(weights, "embedding.token", {config.vocabulary, width});
  if (config.has_segments()) segment_ = take_weights(weights, "embedding.segment", {width});
  if (config.has_positions())
    position_ = take_weights(weights, "embedding.position", {config.tokens(), width});
  if (config.has_class_token())
    class_token_ = take_weights(weights, "embedding.class_token", {width});
  if (config.embedding_norm) norm_ = take_norm(weights, "embedding.norm", width);
}

std::int64_t EncoderEmbedding::tokens(const config::ModelInput<float>& input) const {
  base::check(input.live.empty() || std::ssize(input.live) == input.examples,
              "Encoder: one number of live tokens per example");
  if (config_.kind == config::ModelKind::vit) {
    base::check(input.values.rows == input.examples && input.values.cols == config_.image_size() &&
                    input.live.empty(),
                "Encoder: images of another size");
    return config_.tokens();
  }
  if (config_.kind == config::ModelKind::text)
    base::check(std::ssize(input.ids) == input.examples * input.tokens,
                "Encoder: one id per token");
  else
    base::check(input.values.rows == input.examples * input.tokens &&
                    input.values.cols == config_.point_width,
                "Encoder: points of another width");
  const std::int64_t tokens = input.tokens + (config_.has_class_token() ? 1 : 0);
  base::check(!config_.has_positions() || tokens <= config_.tokens(),
              "Encoder: an example is longer than there are positions");
  return tokens;
}

std::span<const std::int32_t> EncoderEmbedding::live(const config::ModelInput<float>& input,
                                                     tensor::Arena& arena) const {
  if (input.live.empty() || !config_.has_class_token()) return input.live;
  const tensor::VectorView<std::int32_t> longer = arena.vector<std::int32_t>(input.examples);
  std::ranges::transform(input.live, longer.begin(), [](std::int32_t count) { return count + 1; });
  return longer;
}

/// Rows of features of each example become its last tokens; a class token may stand before them.
void EncoderEmbedding::embed_linearly(tensor::MatrixView<const float> features,
                                      std::int64_t examples, tensor::MatrixView<float> out) const {
  if (!config_.has_class_token()) return apply_linear(linear_, features, 0, out);
  const std::int64_t rows = features.rows / examples;
  for (std::int64_t b = 0; b < examples; ++b)
    apply_linear(linear_, features.block(b * rows, 0, rows, features.cols), 0,
                 out.block(b * (rows + 1) + 1, 0, rows, out.cols));
}

void EncoderEmbedding::embed(const config::ModelInput<float>& input, std::int64_t tokens,
                             tensor::MatrixView<float> out, tensor::Arena& scratch) const {
  if (config_.kind == config::ModelKind::vit) {
    const tensor::PatchGrid grid{config_.channels, config_.image_height, config_.image_width,
                                 config_.patch};
    const tensor::MatrixView<float> patches =
        scratch.matrix<float>(input.examples * grid.patches(), grid.patch_size());
    tensor::extract_patches<float>(grid, input.values, patches);
    embed_linearly(patches, input.examples, out);
  } else if (config_.kind == config::ModelKind::set) {
    const tensor::MatrixView<float> features = scratch.matrix<float>(
        input.values.rows,
        tensor::point_feature_count(config_.point_width, config_.point_frequencies));
    tensor::point_features<float>(config_.point_frequencies, input.values, features);
    embed_linearly(features, input.examples, out);
  } else {
    embed_texts(input, tokens, out);
  }
}

void EncoderEmbedding::embed_texts(const config::ModelInput<float>& input, std::int64_t tokens,
                                   tensor::MatrixView<float> out) const {
  const std::int64_t first = tokens - input.tokens;
  for (std::int64_t b = 0; b < input.examples; ++b) {
    const auto ids = input.ids.subspan(static_cast<std::size_t>(b * input.tokens),
                                       static_cast<std::size_t>(input.tokens));
    const std::int64_t second =
        config_.has_segments() ? config::second_segment(ids, config_.separator) : input.tokens;
    for (std::int64_t i = 0; i < input.tokens; ++i) {
      const std::int32_t id = ids[static_cast<std::size_t>(i)];
      base::check(0 <= id && id < config_.vocabulary, "Encoder: a token id outside the vocabulary");
      const tensor::VectorView<float> row = out.row(b * tokens + first + i);
      std::ranges::copy(token_.rows().row(id), row.begin());
      if (i >= second) tensor::axpy<float>(1, segment_.flat(), row);
    }
  }
}

void EncoderEmbedding::apply(const config::ModelInput<float>& input, tensor::MatrixView<float> out,
                             tensor::Arena& scratch) const {
  const tensor::ArenaScope scope(scratch);
  const std::int64_t length = tokens(input);
  embed(input, length, out, scratch);
  if (config_.has_class_token())
    for (std::int64_t b = 0; b < input.examples; ++b)
      std::ranges::copy(class_token_.flat(), out.row(b * length).begin());
  if (config_.has_positions())
    tensor::add_bias_rows<float>(
        {out.data, input.examples, length * config_.width},
        position_.flat().first(static_cast<std::size_t>(length * config_.width)));
  if (config_.embedding_norm) apply_norm(norm_, out, config_.norm_epsilon, out);
}

}  // namespace asap::infer
