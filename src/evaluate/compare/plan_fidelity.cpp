#include "evaluate/compare/plan_fidelity.h"

#include <algorithm>
#include <cmath>

#include "transport/marginals.h"

namespace asap::evaluate {
namespace {

double mean_row_distance(tensor::MatrixView<const float> a, tensor::MatrixView<const float> b) {
  double total = 0;
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.cols; ++j) total += std::abs(double{a(i, j)} - double{b(i, j)});
  return a.rows == 0 ? 0 : total / static_cast<double>(a.rows);
}

}  // namespace

void add_fidelity(const FidelityByMethod& part, FidelityByMethod& total) {
  for (std::size_t method = 0; method < total.size(); ++method)
    for (std::size_t layer = 0; layer < total[method].size(); ++layer)
      for (std::size_t head = 0; head < total[method][layer].size(); ++head) {
        total[method][layer][head].plan_l1 += part[method][layer][head].plan_l1;
        total[method][layer][head].column_error += part[method][layer][head].column_error;
      }
}

void scale_fidelity(double factor, FidelityByMethod& fidelity) {
  for (auto& method : fidelity)
    for (auto& layer : method)
      for (HeadFidelity& head : layer) {
        head.plan_l1 *= factor;
        head.column_error *= factor;
      }
}

FidelityProbe::FidelityProbe(const attention::AttentionOperator& teacher,
                             std::span<const attention::AttentionOperator* const> methods,
                             int layers, int heads)
    : teacher_(teacher),
      methods_(methods.begin(), methods.end()),
      sums_(methods.size(), std::vector(layers, std::vector<HeadFidelity>(heads))) {}

void FidelityProbe::apply(int layer, const attention::AttentionBatch<float>& batch,
                          tensor::MatrixView<float> output, tensor::Arena& scratch) const {
  teacher_.apply(layer, batch, output, scratch);
  for (std::int64_t index = 0; index < batch.examples; ++index) {
    const tensor::ArenaScope scope(scratch);
    compare_example(layer, batch.example(index), scratch);
  }
}

void FidelityProbe::compare_example(int layer, const attention::AttentionBatch<float>& example,
                                    tensor::Arena& scratch) const {
  const std::int64_t n = example.query_tokens(), m = example.key_tokens();
  const tensor::MatrixView<float> expected = scratch.matrix<float>(n, example.heads * m);
  const tensor::MatrixView<float> plans = scratch.matrix<float>(n, example.heads * m);
  teacher_.plans(layer, example, expected, scratch);
  for (std::size_t method = 0; method < methods_.size(); ++method) {
    methods_[method]->plans(layer, example, plans, scratch);
    for (std::int64_t head = 0; head < example.heads; ++head) {
      const auto live_part = [&](tensor::MatrixView<float> all) {
        return all.block(0, head * m, example.live_query_count(0), example.live_key_count(0));
      };
      HeadFidelity& sum = sums_[method][layer][head];
      sum.plan_l1 += mean_row_distance(live_part(plans), live_part(expected));
      sum.column_error += transport::marginal_errors<float>(live_part(plans)).column_mean;
    }
  }
}

}  // namespace asap::evaluate
