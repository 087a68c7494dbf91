#include "infer/matcher.h"

#include <algorithm>
#include <cmath>

#include "attention/kinds/attention_kinds.h"
#include "base/files.h"
#include "config/run_folder.h"
#include "tensor/kernels/elementwise.h"

namespace asap::infer {
namespace {

constexpr std::int64_t kKeypointInputs = 11;

tensor::VectorView<float> flat(tensor::MatrixView<float> x) {
  return {x.data, static_cast<std::size_t>(x.rows * x.cols)};
}

tensor::MatrixView<float> linear(const AffineWeights& weights, tensor::MatrixView<const float> x,
                                 tensor::Arena& arena) {
  const tensor::MatrixView<float> y = arena.matrix<float>(x.rows, weights.weight.shape()[0]);
  apply_linear(weights, x, 0, y);
  return y;
}

tensor::MatrixView<float> norm(const AffineWeights& weights, tensor::MatrixView<const float> x,
                               tensor::Arena& arena) {
  const tensor::MatrixView<float> y = arena.matrix<float>(x.rows, x.cols);
  apply_norm(weights, x, tensor::kLayerNormEpsilon, y);
  return y;
}

/// A two-layer perceptron with GELU.
tensor::MatrixView<float> perceptron(const AffineWeights& up, const AffineWeights& down,
                                     tensor::MatrixView<const float> x, tensor::Arena& arena) {
  const tensor::MatrixView<float> hidden = linear(up, x, arena);
  tensor::gelu<float>(flat(hidden), flat(hidden));
  return linear(down, hidden, arena);
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/// exp(x - log sum exp) over the rows of x: [rows, cols].
void softmax_columns(tensor::MatrixView<const float> x, tensor::MatrixView<float> out) {
  for (std::int64_t j = 0; j < x.cols; ++j) {
    float largest = x(0, j), sum = 0;
    for (std::int64_t i = 1; i < x.rows; ++i) largest = std::max(largest, x(i, j));
    for (std::int64_t i = 0; i < x.rows; ++i) sum += out(i, j) = std::exp(x(i, j) - largest);
    for (std::int64_t i = 0; i < x.rows; ++i) out(i, j) /= sum;
  }
}

void assign_by_dual_softmax(const MatcherScores& s, tensor::MatrixView<float> out,
                            tensor::Arena& arena) {
  const std::int64_t n = s.scores.rows, m = s.scores.cols;
  const tensor::MatrixView<float> rows = arena.matrix<float>(n, m), columns = out.block(0, 0, n, m);
  tensor::softmax_rows<float>(s.scores, rows);
  softmax_columns(s.scores, columns);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < m; ++j)
      out(i, j) *= rows(i, j) * sigmoid(s.row_logits[i]) * sigmoid(s.column_logits[j]);
    out(i, m) = sigmoid(-s.row_logits[i]);
  }
  for (std::int64_t j = 0; j < m; ++j) out(n, j) = sigmoid(-s.column_logits[j]);
  out(n, m) = 1;
}

}  // namespace

Matcher::Matcher(const config::MatcherConfig& config, const io::TensorFile& weights,
                 std::string fingerprint)
    : config_(config),
      fingerprint_(std::move(fingerprint)),
      kind_(attention::make_softmax_attention<float>()),
      descriptor_(take_linear(weights, "descriptor", config.width, config.descriptor_width)),
      position_up_(take_linear(weights, "position.up", config.width, kKeypointInputs)),
      position_down_(take_linear(weights, "position.down", config.width, config.width)),
      final_(take_linear(weights, "final", config.width, config.width)) {
  for (int i = 0; i < config.layers; ++i) {
    self_.push_back(take_update(weights, "self." + std::to_string(i)));
    cross_.push_back(take_update(weights, "cross." + std::to_string(i)));
  }
  if (config.output == config::MatcherOutput::dustbin)
    bin_ = take_weights(weights, "bin", {1})[0];
  else
    matchability_ = take_linear(weights, "matchability", 1, config.width);
}

Matcher::Update Matcher::take_update(const io::TensorFile& weights, const std::string& name) const {
  const std::int64_t width = config_.width;
  return {take_norm(weights, name + ".attention_norm", width),
          take_linear(weights, name + ".query", width, width),
          take_linear(weights, name + ".key_value", 2 * width, width),
          take_linear(weights, name + ".output", width, width),
          take_norm(weights, name + ".update_norm", 2 * width),
          take_linear(weights, name + ".up", 2 * width, 2 * width),
          take_linear(weights, name + ".down", width, 2 * width)};
}

Matcher Matcher::load(const std::filesystem::path& run) {
  const config::MatcherTrainConfig config = read_matcher_config(run);
  const std::filesystem::path file =
      config::RunFolder(run).require_checkpoint() / config::kModelFile;
  const std::string bytes = base::read_file(file);
  return {config.model.matcher, io::parse_safetensors(bytes, file.string()),
          base::content_fingerprint(bytes)};
}

tensor::MatrixView<float> Matcher::embed(const MatcherInput& input, tensor::Arena& arena) const {
  base::check(
      input.descriptors.cols == config_.descriptor_width && input.keypoints.cols == kKeypointInputs,
      "Matcher: the input does not fit the network");
  const tensor::MatrixView<float> x = linear(descriptor_, input.descriptors, arena);
  const tensor::MatrixView<float> position =
      perceptron(position_up_, position_down_, input.keypoints, arena);
  tensor::add<float>(flat(x), flat(position), flat(x));
  return x;
}

tensor::MatrixView<float> Matcher::update(const Update& weights, tensor::MatrixView<const float> x,
                                          tensor::MatrixView<const float> y,
                                          tensor::Arena& arena) const {
  const tensor::MatrixView<float> queries =
      linear(weights.query, norm(weights.attention_norm, x, arena), arena);
  const tensor::MatrixView<float> keys_values =
      linear(weights.key_value, norm(weights.attention_norm, y, arena), arena);
  const std::int64_t width = config_.width, head_width = width / config_.heads;
  const tensor::MatrixView<float> attended = arena.matrix<float>(x.rows, width);
  const float scale = 1 / std::sqrt(static_cast<float>(head_width));
  for (std::int64_t at = 0; at < width; at += head_width)
    kind_->infer(
        {queries.block(0, at, x.rows, head_width), keys_values.block(0, at, y.rows, head_width),
         keys_values.block(0, width + at, y.rows, head_width), scale},
        attended.block(0, at, x.rows, head_width), arena);
  const tensor::MatrixView<float> both = arena.matrix<float>(x.rows, 2 * width);
  for (std::int64_t i = 0; i < x.rows; ++i) std::ranges::copy(x.row(i), both.row(i).begin());
  apply_linear(weights.output, attended, 0, both.block(0, width, x.rows, width));
  const tensor::MatrixView<float> change =
      perceptron(weights.up, weights.down, norm(weights.update_norm, both, arena), arena);
  for (std::int64_t i = 0; i < x.rows; ++i)
    tensor::add<float>(x.row(i), change.row(i), change.row(i));
  return change;
}

tensor::VectorView<float> Matcher::matchability(tensor::MatrixView<const float> x,
                                                tensor::Arena& arena) const {
  if (config_.output == config::MatcherOutput::dustbin) return {};
  return flat(linear(matchability_, x, arena));
}

MatcherScores Matcher::scores(const MatcherInput& first, const MatcherInput& second,
                              tensor::Arena& arena) const {
  const std::int64_t n = first.keypoints.rows, m = second.keypoints.rows;
  MatcherScores out;
  out.scores = arena.matrix<float>(n, m);
  out.bin = bin_;
  if (n == 0 || m == 0) return out;
  tensor::MatrixView<float> x = embed(first, arena), y = embed(second, arena);
  for (std::size_t i = 0; i < self_.size(); ++i) {
    x = update(self_[i], x, x, arena);
    y = update(self_[i], y, y, arena);
    const tensor::MatrixView<float> before = x;
    x = update(cross_[i], x, y, arena);
    y = update(cross_[i], y, before, arena);
  }
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes,
                      1 / std::sqrt(static_cast<float>(config_.width)), linear(final_, x, arena),
                      linear(final_, y, arena), 0, out.scores);
  out.row_logits = matchability(x, arena);
  out.column_logits = matchability(y, arena);
  return out;
}

attention::PolishEvidence Matcher::assign(const MatcherScores& scores,
                                          const TransportSolver& solver,
                                          tensor::MatrixView<float> out,
                                          tensor::Arena& arena) const {
  const std::int64_t n = scores.scores.rows, m = scores.scores.cols;
  base::check(out.rows == n + 1 && out.cols == m + 1, "Matcher::assign: shapes do not fit");
  if (n == 0 || m == 0) {  // everything is in the dustbins
    for (std::int64_t i = 0; i < out.rows; ++i) std::ranges::fill(out.row(i), 1.F);
    return {};
  }
  if (config_.output == config::MatcherOutput::dustbin)
    return solve_transport(scores.scores, scores.bin, solver, out, arena);
  const tensor::ArenaScope scope(arena);
  assign_by_dual_softmax(scores, out, arena);
  return {};
}

bool is_matcher_run(const std::filesystem::path& run) {
  const std::filesystem::path file = config::RunFolder(run).config();
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) && config::is_matcher(io::read_json(file));
}

config::MatcherTrainConfig read_matcher_config(const std::filesystem::path& run) {
  const std::filesystem::path file = config::RunFolder(run).config();
  if (!is_matcher_run(run))
    throw base::DataError("'" + run.string() + "' is not the folder of a trained matcher",
                          "give the folder that asap-train wrote with model.kind=matcher");
  config::MatcherTrainConfig result;
  config::from_json(io::read_json(file), result, file.string());
  result.validate(file.string());
  if (result.model.matcher.descriptor_width == 0)
    throw base::DataError(file.string() + ": model.matcher.descriptor_width is not complete",
                          "the run is damaged");
  return result;
}

}  // namespace asap::infer
