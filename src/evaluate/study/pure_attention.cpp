#include "evaluate/study/pure_attention.h"

#include <algorithm>
#include <cmath>

#include "evaluate/study/plan_measures.h"

namespace asap::evaluate {
namespace {

double frobenius_norm(tensor::MatrixView<const float> x) {
  double square = 0;
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (const float entry : x.row(i)) square += double{entry} * entry;
  return std::sqrt(square);
}

/// Bound of the relative residual of tokens whose diameter is at most `bound`.
double relative_bound(tensor::MatrixView<const float> tokens, double bound) {
  const double size = frobenius_norm(tokens);
  if (size == 0) return 0;
  return std::min(1.0, std::sqrt(static_cast<double>(tokens.rows)) * bound / size);
}

}  // namespace

PureAttention::PureAttention(const infer::Encoder& encoder) : encoder_(encoder) {
  for (int layer = 0; layer < encoder.config().layers; ++layer) {
    const infer::AttentionWeights weights = encoder.attention_weights(layer);
    const std::span<const float> scales = encoder.score_scales()[layer];
    norms_.push_back(head_norms(weights.qkv.weight.rows(), weights.output.weight.rows(), scales));
    composite_.push_back(
        composite_norms(weights.qkv.weight.rows(), weights.output.weight.rows(), scales));
  }
}

void PureAttention::add(const attention::AttentionOperator& attention,
                        const infer::TokenRows& start, std::span<double> residuals,
                        std::span<double> bounds) const {
  const std::int64_t rows = start.rows.rows, width = start.rows.cols;
  tensor::Tensor<float> x({rows, width}), qkv({rows, 3 * width}), mixed({rows, width});
  std::ranges::copy(std::span(start.rows.data, static_cast<std::size_t>(rows * width)), x.data());
  const infer::TokenRows tokens{x.rows(), start.examples, start.live};
  std::vector<double> diameters;
  for (std::int64_t index = 0; index < start.examples; ++index)
    diameters.push_back(diameter(tokens.live_rows(index)));
  tensor::Arena arena;
  for (std::size_t depth = 0; depth < residuals.size(); ++depth) {
    if (depth > 0) {
      const int layer = static_cast<int>(depth) - 1;
      const infer::AttentionWeights weights = encoder_.attention_weights(layer);
      infer::apply_linear(weights.qkv, x.rows(), 0, qkv.rows());
      const attention::AttentionBatch<float> batch{
          .queries = qkv.rows().block(0, 0, rows, width),
          .keys = qkv.rows().block(0, width, rows, width),
          .values = qkv.rows().block(0, 2 * width, rows, width),
          .examples = start.examples,
          .heads = encoder_.config().heads,
          .live_queries = start.live,
          .live_keys = start.live};
      attention.apply(layer, batch, mixed.rows(), arena);
      infer::apply_linear(weights.output, mixed.rows(), 0, x.rows());
      for (double& d : diameters) d = next_diameter(norms_[depth - 1], d);
    }
    for (std::int64_t index = 0; index < start.examples; ++index) {
      const tensor::MatrixView<const float> live = tokens.live_rows(index);
      if (live.rows == 0) continue;
      residuals[depth] += rank_one_residual(live);
      if (!bounds.empty())
        bounds[depth] += relative_bound(live, diameters[static_cast<std::size_t>(index)]);
    }
  }
}

double PureAttention::base(tensor::MatrixView<const float> tokens) const {
  double factor = 0;
  for (const std::vector<HeadNorms>& layer : norms_)
    factor = std::max(factor, collapse_factor(layer));
  const double start = diameter(tokens);
  return factor * start * start;
}

double PureAttention::theorem_base(tensor::MatrixView<const float> tokens) const {
  return evaluate::theorem_base(composite_, tokens);
}

}  // namespace asap::evaluate
