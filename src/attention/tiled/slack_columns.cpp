#include "attention/tiled/slack_columns.h"

#include <algorithm>
#include <cmath>

#include "attention/tiled/tile_operands.h"
#include "tensor/kernels/elementwise.h"
#include "transport/slack.h"

namespace asap::attention {
namespace {

/// exponents_j = 2^(exponents_j - largest)
void exponentiate_shifted(tensor::VectorView<float> exponents) {
  const float largest = tensor::maximum<float>(exponents);
  for (float& exponent : exponents) exponent -= largest;
  exp2_values(exponents, exponents);
}

}  // namespace

SlackColumns SlackColumns::following(float slack, const TiledHead& tiled) {
  SlackColumns columns;
  columns.slack_ = slack;
  columns.mass_ = slack * static_cast<float>(tiled.n);
  return columns;
}

SlackColumns SlackColumns::closing(const AttentionHead<float>& head, const TiledHead& tiled,
                                   tensor::Arena& arena) {
  if (!(head.slack > 0)) return {};
  SlackColumns columns = following(head.slack, tiled);
  columns.closing_ = true;
  const tensor::VectorView<float> exponents = mean_query_scores(head, arena);
  for (float& exponent : exponents) exponent = -exponent;
  columns.log_entries_ = exponents;
  return columns;
}

/// entries: of the slack row, times the factors that the sums hold; total: of entries times v.
void SlackColumns::add_entries(float exponent, float total, tensor::VectorView<const float> entries,
                               tensor::VectorView<float> sums, tensor::Arena& scratch) const {
  if (!closing_) return tensor::axpy<float>(mass_ / total * std::exp2(-exponent), entries, sums);
  const tensor::VectorView<float> ratios = scratch.vector<float>(std::ssize(sums));
  for (std::size_t j = 0; j < sums.size(); ++j) ratios[j] = entries[j] / sums[j];
  tensor::axpy<float>(transport::slack_scaling<float>(slack_, ratios), entries, sums);
}

void SlackColumns::add(float exponent, tensor::VectorView<const float> v,
                       tensor::VectorView<float> sums, tensor::Arena& scratch) const {
  if (!exists()) return;
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<float> entries = scratch.vector<float>(std::ssize(sums));
  if (closing_) {
    std::ranges::copy(log_entries_, entries.begin());
    exponentiate_shifted(entries);
  } else {
    std::ranges::fill(entries, 1.0f);
  }
  add_entries(exponent, tensor::sum<float>(v), entries, sums, scratch);
}

void SlackColumns::add_scaled(float exponent, tensor::VectorView<const float> column_dual,
                              tensor::VectorView<float> sums, tensor::Arena& scratch) const {
  if (!exists()) return;
  const tensor::ArenaScope scope(scratch);
  const tensor::VectorView<float> entries = scratch.vector<float>(std::ssize(sums));
  std::ranges::copy(column_dual, entries.begin());
  if (closing_) tensor::add<float>(entries, log_entries_, entries);
  exponentiate_shifted(entries);
  add_entries(exponent, tensor::sum<float>(entries), entries, sums, scratch);
}

}  // namespace asap::attention
