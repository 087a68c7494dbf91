#include "infer/encoder.h"

#include <algorithm>
#include <cmath>

#include "attention/kinds/attention_kinds.h"
#include "base/files.h"
#include "config/run_folder.h"
#include "tensor/kernels/channel_networks.h"
#include "tensor/kernels/elementwise.h"

namespace asap::infer {
namespace {

tensor::Tensor<float> take_regions(const io::TensorFile& file, const std::string& prefix,
                                   const config::FeedForwardConfig& config, std::int64_t channels) {
  if (config.kind != config::FeedForwardKind::region) return {};
  return take_weights(file, prefix + "regions.weights",
                      {tensor::ChannelNetworkLayout{config.depth}.count(), channels});
}

/// Activations of a forward pass that stay in a core's cache, 1 MiB: on a core with 2 MiB the
/// network of the main job (196 tokens) is a fifth faster than with 16 examples at once.
constexpr std::int64_t kCachedFloats = std::int64_t{1} << 18;

config::ModelInput<float> examples_of(const config::ModelInput<float>& input, std::int64_t first,
                                      std::int64_t count) {
  config::ModelInput<float> part{.examples = count, .tokens = input.tokens};
  const auto pick = [&](auto all, std::int64_t each) {
    return all.empty() ? all
                       : all.subspan(static_cast<std::size_t>(first * each),
                                     static_cast<std::size_t>(count * each));
  };
  const std::int64_t rows = input.values.rows / input.examples;
  part.values = input.values.block(first * rows, 0, count * rows, input.values.cols);
  part.ids = pick(input.ids, input.tokens);
  part.live = pick(input.live, 1);
  return part;
}

/// Slack c of each head of a layer.
std::vector<float> take_slack(const config::ModelConfig& config,
                              const tensor::Tensor<float>& learned) {
  std::vector<float> slack(static_cast<std::size_t>(config.heads),
                           static_cast<float>(config.attention.slack_start));
  if (config.attention.slack == config::SlackKind::learned)
    for (std::size_t h = 0; h < slack.size(); ++h)
      slack[h] = attention::slack_from_log(learned[static_cast<std::int64_t>(h)]);
  return slack;
}

}  // namespace

/// Buffers of one forward pass.
struct Encoder::Activations {
  std::int64_t examples;                 // B
  std::int64_t tokens;                   // N, the class token included
  std::span<const std::int32_t> live;    // [B]; empty = all
  tensor::MatrixView<float> residual;    // [B * N, W]
  tensor::MatrixView<float> normalised;  // [B * N, W]; attention output too
  tensor::MatrixView<float> wide;        // [B * N, max(3 W, hidden)]
};

Encoder::Encoder(const config::ModelConfig& config, const io::TensorFile& weights,
                 std::string fingerprint)
    : config_(config), fingerprint_(std::move(fingerprint)) {
  if (!config.has_attention()) {
    if (config.has_convolutions()) convolutions_.emplace(config, weights);
    take_hidden_layers(weights);
    return;
  }
  embedding_.emplace(config, weights);
  const std::int64_t width = config.width, hidden = config.hidden_width();
  const attention::LearnedShape learned =
      attention::make_attention<float>(config.attention)->learned_shape(config.head_width());
  for (int index = 0; index < config.layers; ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    layers_.push_back(
        {take_norm(weights, prefix + "attention_norm", width),
         take_linear(weights, prefix + "attention.qkv", 3 * width, width),
         take_linear(weights, prefix + "attention.output", width, width),
         take_norm(weights, prefix + "feed_forward_norm", width),
         take_linear(weights, prefix + "feed_forward.up", hidden, width),
         take_linear(weights, prefix + "feed_forward.down", width, hidden),
         take_regions(weights, prefix + "feed_forward.", config.feed_forward, hidden)});
    std::vector<float> log_epsilon(config.heads,
                                   static_cast<float>(std::log(config.attention.epsilon)));
    if (config.attention.learn_epsilon)
      std::ranges::copy(
          take_weights(weights, prefix + "attention.log_epsilon", {config.heads}).flat(),
          log_epsilon.begin());
    for (float& value : log_epsilon)  // becomes the factor of the scores
      value = std::exp(-value) / std::sqrt(static_cast<float>(config.head_width()));
    scales_.push_back(std::move(log_epsilon));
    if (learned.rows > 0)
      learned_.push_back(take_weights(weights, prefix + "attention." + learned.name,
                                      {config.heads, learned.rows, learned.cols}));
    if (config.attention.slack != config::SlackKind::none)
      slacks_.push_back(
          take_slack(config, learned_.empty() ? tensor::Tensor<float>() : learned_.back()));
  }
  if (config.has_final_norm()) final_norm_ = take_norm(weights, "final_norm", width);
  if (config.pooler) pooler_ = take_linear(weights, "pooler", width, width);
  head_ = take_linear(weights, "head", config.classes, width);
}

void Encoder::take_hidden_layers(const io::TensorFile& weights) {
  std::int64_t inputs = config_.hidden_inputs();
  for (int index = 0; index < config_.layers; ++index) {
    const std::string prefix = "hidden." + std::to_string(index) + ".";
    hidden_.push_back({take_linear(weights, prefix + "linear", config_.width, inputs),
                       take_regions(weights, prefix, config_.feed_forward, config_.width)});
    inputs = config_.width;
  }
  head_ = take_linear(weights, "head", config_.classes, inputs);
}

tensor::MatrixView<const float> Encoder::hidden_input(const config::ModelInput<float>& input,
                                                      tensor::Arena& arena) const {
  base::check(input.values.cols == config_.image_size(), "Encoder: images of another size");
  if (!convolutions_) return input.values;
  const tensor::MatrixView<float> features =
      arena.matrix<float>(input.values.rows, config_.hidden_inputs());
  convolutions_->apply(input.values, features, arena);
  return features;
}

void Encoder::run_perceptron(const config::ModelInput<float>& input,
                             tensor::MatrixView<float> logits, tensor::Arena& arena,
                             TokenObserver* observer) const {
  const tensor::ArenaScope scope(arena);
  tensor::MatrixView<const float> x = hidden_input(input, arena);
  if (observer) observer->see_hidden_input(x);
  for (const HiddenLayer& layer : hidden_) {
    const tensor::MatrixView<float> out = arena.matrix<float>(x.rows, config_.width);
    apply_linear(layer.linear, x, 0, out);
    activate(layer.regions, out);
    x = out;
  }
  if (observer) observer->see_embeddings(x);
  apply_linear(head_, x, 0, logits);
}

Encoder Encoder::load(const std::filesystem::path& run) {
  const config::RunFolder folder(run);
  const config::TrainConfig config = folder.read_config();
  const std::filesystem::path file = folder.require_checkpoint() / config::kModelFile;
  const std::string bytes = base::read_file(file);
  return {config.model, io::parse_safetensors(bytes, file.string()),
          base::content_fingerprint(bytes)};
}

/// x: [rows, channels], in place.
void Encoder::activate(const tensor::Tensor<float>& regions, tensor::MatrixView<float> x) const {
  const config::FeedForwardConfig& config = config_.feed_forward;
  const tensor::VectorView<float> flat(x.data, static_cast<std::size_t>(x.rows * x.cols));
  if (config.kind == config::FeedForwardKind::region)
    tensor::channel_networks<float>(config.depth, x, regions.rows(), x);
  else if (config.activation == config::Activation::relu)
    tensor::relu<float>(flat, flat);
  else if (config.activation == config::Activation::gelu_erf)
    tensor::gelu_erf<float>(flat, flat);
  else
    tensor::gelu<float>(flat, flat);
}

void Encoder::run_layer(int index, const attention::AttentionOperator& attention,
                        const Activations& a, tensor::Arena& arena, TokenObserver* observer) const {
  const Layer& layer = layers_[index];
  const std::int64_t rows = a.residual.rows, width = config_.width;
  const bool pre = config_.norm == config::NormPosition::pre;
  const double epsilon = config_.norm_epsilon;
  const tensor::ProductPrecision precision = config_.product_precision;
  const tensor::MatrixView<float> read = pre ? a.normalised : a.residual;  // by both parts
  const tensor::MatrixView<float> qkv(a.wide.data, rows, 3 * width);
  if (pre) apply_norm(layer.attention_norm, a.residual, epsilon, a.normalised);
  apply_linear(layer.qkv, read, 0, qkv, precision);
  const attention::AttentionBatch<float> batch{.queries = qkv.block(0, 0, rows, width),
                                               .keys = qkv.block(0, width, rows, width),
                                               .values = qkv.block(0, 2 * width, rows, width),
                                               .examples = a.examples,
                                               .heads = config_.heads,
                                               .live_queries = a.live,
                                               .live_keys = a.live};
  attention.apply(index, batch, a.normalised, arena);
  apply_linear(layer.output, a.normalised, 1, a.residual, precision);
  if (!pre) apply_norm(layer.attention_norm, a.residual, epsilon, a.residual);

  const tensor::MatrixView<float> hidden(a.wide.data, rows, config_.hidden_width());
  if (pre) apply_norm(layer.feed_forward_norm, a.residual, epsilon, a.normalised);
  if (observer) observer->see_feed_forward(index, {read, a.examples, a.live});
  apply_linear(layer.up, read, 0, hidden, precision);
  activate(layer.regions, hidden);
  apply_linear(layer.down, hidden, 1, a.residual, precision);
  if (!pre) apply_norm(layer.feed_forward_norm, a.residual, epsilon, a.residual);
}

/// tokens: [B * N, W]. pooled: [B, W]: the first token, or the mean of live tokens (zeros where
/// there is none).
void Encoder::pool(const Activations& a, tensor::MatrixView<const float> tokens,
                   tensor::MatrixView<float> pooled) const {
  const bool first = config_.has_class_token() || config_.pooling == config::Pooling::first_token;
  for (std::int64_t b = 0; b < a.examples; ++b) {
    const std::int64_t count = a.live.empty() ? a.tokens : a.live[static_cast<std::size_t>(b)];
    const tensor::MatrixView<const float> x =
        tokens.block(b * a.tokens, 0, first ? 1 : count, config_.width);
    if (first) {
      std::ranges::copy(x.row(0), pooled.row(b).begin());
    } else {
      tensor::column_sums<float>(x, pooled.row(b), false);
      const float share = 1.0f / static_cast<float>(std::max<std::int64_t>(count, 1));
      tensor::scale<float>(share, pooled.row(b), pooled.row(b));
    }
  }
}

/// What the last layer gave, after the last layer norm: [B * N, W].
tensor::MatrixView<float> Encoder::normalised_tokens(const Activations& a) const {
  if (!config_.has_final_norm()) return a.residual;
  apply_norm(final_norm_, a.residual, config_.norm_epsilon, a.normalised);
  return a.normalised;
}

void Encoder::classify(const Activations& a, tensor::MatrixView<float> logits, tensor::Arena& arena,
                       TokenObserver* observer) const {
  const tensor::ArenaScope scope(arena);
  tensor::MatrixView<float> embeddings = normalised_tokens(a);
  if (!config_.labels_tokens()) {
    const tensor::MatrixView<float> pooled = arena.matrix<float>(a.examples, config_.width);
    pool(a, embeddings, pooled);
    embeddings = pooled;
  }
  if (config_.pooler) {
    const tensor::MatrixView<float> out = arena.matrix<float>(a.examples, config_.width);
    apply_linear(pooler_, embeddings, 0, out);
    const tensor::VectorView<float> flat(out.data, static_cast<std::size_t>(out.rows * out.cols));
    tensor::hyperbolic_tangent<float>(flat, flat);
    embeddings = out;
  }
  if (observer) observer->see_embeddings(embeddings);
  apply_linear(head_, embeddings, 0, logits);
}

void Encoder::forward(const config::ModelInput<float>& input,
                      const attention::AttentionOperator& attention,
                      tensor::MatrixView<float> logits, tensor::Arena& arena,
                      TokenObserver* observer) const {
  base::check(logits.rows == logit_rows(input) && logits.cols == config_.classes,
              "Encoder::forward: logits of another shape");
  if (!config_.has_attention()) return run_perceptron(input, logits, arena, observer);
  if (observer || !attention.works_by_example())
    return run_transformer(input, attention, logits, arena, observer);
  const std::int64_t at_once = examples_at_once(embedding_->tokens(input));
  const std::int64_t rows_each = config_.labels_tokens() ? input.tokens : 1;
  for (std::int64_t first = 0; first < input.examples; first += at_once) {
    const std::int64_t count = std::min(at_once, input.examples - first);
    run_transformer(examples_of(input, first, count), attention,
                    logits.block(first * rows_each, 0, count * rows_each, logits.cols), arena,
                    nullptr);
  }
}

/// As many examples as keep their activations in the cache of a core. Where the weights of a layer
/// do not fit there either, as many as have activations of their size: fewer would spend their time
/// on reading and packing weights.
std::int64_t Encoder::examples_at_once(std::int64_t tokens) const {
  const std::int64_t width = config_.width;
  const std::int64_t weights = 2 * width * (2 * width + config_.hidden_width());
  const std::int64_t floats = tokens * (2 * width + widest_activations());
  return std::max<std::int64_t>(
      1, std::max(kCachedFloats, weights) / std::max<std::int64_t>(floats, 1));
}

std::int64_t Encoder::widest_activations() const {
  return std::max<std::int64_t>(3 * config_.width, config_.hidden_width());
}

void Encoder::run_transformer(const config::ModelInput<float>& input,
                              const attention::AttentionOperator& attention,
                              tensor::MatrixView<float> logits, tensor::Arena& arena,
                              TokenObserver* observer) const {
  const tensor::ArenaScope scope(arena);
  const std::int64_t tokens = embedding_->tokens(input), width = config_.width;
  const std::int64_t rows = input.examples * tokens;
  const Activations a{input.examples,
                      tokens,
                      embedding_->live(input, arena),
                      arena.matrix<float>(rows, width),
                      arena.matrix<float>(rows, width),
                      arena.matrix<float>(rows, widest_activations())};
  embedding_->apply(input, a.residual, arena);
  if (observer) observer->see(0, {a.residual, a.examples, a.live});
  for (int index = 0; index < config_.layers; ++index) {
    run_layer(index, attention, a, arena, observer);
    if (observer) observer->see(index + 1, {a.residual, a.examples, a.live});
  }
  classify(a, logits, arena, observer);
}

void Encoder::require_attention(const std::string& source) const {
  if (!config_.has_attention())
    throw base::UsageError(source + ": a network of model.kind " +
                               (config_.has_convolutions() ? "convolutional" : "mlp") +
                               " has no attention to compile or compare",
                           "train a Transformer: model.kind vit, text or set");
}

std::unique_ptr<attention::KindOperator> Encoder::teacher() const {
  return std::make_unique<attention::KindOperator>(
      attention::make_attention<float>(config_.attention), scales_, learned_);
}

std::unique_ptr<attention::KindOperator> Encoder::with_kind(
    std::unique_ptr<attention::TrainableAttention<float>> kind) const {
  return std::make_unique<attention::KindOperator>(std::move(kind), scales_);
}

std::unique_ptr<attention::KindOperator> Encoder::softmax() const {
  return with_kind(attention::make_softmax_attention<float>());
}

std::unique_ptr<attention::KindOperator> Encoder::sinkhorn(int iterations) const {
  return std::make_unique<attention::KindOperator>(
      attention::make_sinkhorn_attention<float>(iterations), scales_,
      std::vector<tensor::Tensor<float>>(), slacks_);
}

}  // namespace asap::infer
