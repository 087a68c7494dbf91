#include "region/ridge/ridge_blocks.h"

#include "base/error.h"
#include "region/family/family_fit.h"
#include "region/family/folded_function.h"
#include "region/ridge/continuation.h"

namespace asap::region {
namespace {

constexpr int kCurveSamples = 1000;

/// Places inside [0, 1]: [n, 1].
tensor::Tensor<double> middles() {
  tensor::Tensor<double> places({kCurveSamples, 1});
  for (int i = 0; i < kCurveSamples; ++i) places[i] = (i + 0.5) / kCurveSamples;
  return places;
}

}  // namespace

ReluNetwork stack_blocks(const std::vector<ReluNetwork>& blocks,
                         const std::vector<std::vector<double>>& directions) {
  ReluNetwork stacked;
  const std::size_t last = blocks.front().layers.size() - 1;
  for (std::size_t l = 0; l <= last; ++l) {
    std::int64_t outputs = l == last ? 1 : 0, inputs = 0;
    for (const ReluNetwork& block : blocks) {
      if (block.layers.size() != last + 1) throw base::UsageError("blocks have different depths");
      if (l < last) outputs += block.layers[l].outputs();
      inputs += block.layers[l].inputs();
    }
    if (l == 0) inputs = static_cast<std::int64_t>(directions.front().size());
    DenseLayer layer(outputs, inputs);
    std::int64_t row = 0, column = 0;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const DenseLayer& own = blocks[b].layers[l];
      for (std::int64_t k = 0; k < own.outputs(); ++k) {
        layer.bias[static_cast<std::size_t>(row + k)] += own.bias[static_cast<std::size_t>(k)];
        for (std::int64_t j = 0; j < (l == 0 ? inputs : own.inputs()); ++j)
          layer.w(row + k, column + j) =
              l == 0 ? own.w(k, 0) * directions[b][static_cast<std::size_t>(j)] : own.w(k, j);
      }
      if (l < last) row += own.outputs();
      if (l > 0) column += own.inputs();
    }
    stacked.layers.push_back(std::move(layer));
  }
  return stacked;
}

ReluNetwork fold_ridges(const RidgeSum& sum, int depth, int fold, base::RandomStream& random) {
  const tensor::Tensor<double> inside = middles();
  std::vector<ReluNetwork> blocks;
  std::vector<std::vector<double>> directions;
  for (const RidgeSpline& ridge : sum.ridges) {
    const numerics::Curve unit = [&](double u) { return ridge(ridge.interval.at(u)); };
    Samples samples;
    for (int i = 0; i < kCurveSamples; ++i) {
      samples.x.push_back(i / (kCurveSamples - 1.0));
      samples.y.push_back(unit(samples.x.back()));
    }
    FamilyFit fit = fit_family(unit, samples, depth, fold, 0, random);
    ReluNetwork network = to_network(fit.function);
    if (ridge.reach > 0) network = continue_end_pieces(network, inside.rows(), ridge.reach);
    network.substitute_input(1 / ridge.interval.length(),
                             -ridge.interval.low / ridge.interval.length());
    blocks.push_back(std::move(network));
    directions.push_back(ridge.direction);
  }
  return stack_blocks(blocks, directions);
}

}  // namespace asap::region
