#include "region/ridge/ridge_fit.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/error.h"
#include "base/parallel.h"
#include "region/family/family_fit.h"
#include "region/ridge/baselines.h"

namespace asap::region {
namespace {

constexpr int kMostRidges = 8;
constexpr int kCurveSamples = 1000;

base::RandomStream stream_of(const RidgeFitOptions& options, std::uint32_t purpose,
                             std::uint32_t index = 0) {
  // Above the streams of the methods for one input.
  return {options.seed, base::RandomPurpose::region, 0x10000U + purpose, index};
}

/// A sum of splines with its validation error and the standard error of that error.
struct Candidate {
  RidgeSum sum;
  double error = 0, uncertainty = 0;
};

Candidate validated(const RidgeSum& sum, const Rows& rows) {
  const auto count = static_cast<double>(rows.size());
  double squares = 0, fourth_powers = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double residual = sum(rows.row(i)) - rows.y[static_cast<std::size_t>(i)];
    squares += residual * residual / count;
    fourth_powers += std::pow(residual, 4) / count;
  }
  return {sum, squares, std::sqrt(std::max(0.0, fourth_powers - squares * squares) / count)};
}

/// The best sum with the fewest ridges whose validation error is within one standard error of the
/// least (Breiman et al. 1984), over all roughness penalties.
RidgeSum choose_sum(const LearningRows& rows, const RidgeFitOptions& options) {
  std::vector<Candidate> candidates;
  for (const double penalty : {1e-7, 1e-4, 1e-2, 1.0}) {
    base::RandomStream random = stream_of(options, 0);
    RidgeSplinesOptions pursuit;
    pursuit.ridges = options.ridges > 0 ? options.ridges : kMostRidges;
    pursuit.penalty = penalty;
    const std::vector<RidgeSum> sums = pursue_projections(rows.training, pursuit, random);
    const std::size_t first = options.ridges > 0 && !sums.empty() ? sums.size() - 1 : 0;
    for (std::size_t k = first; k < sums.size(); ++k)
      candidates.push_back(validated(sums[k], rows.validation));
  }
  if (candidates.empty())
    throw base::NumericalError("no direction in which the target changes was found",
                               "is the target a constant?");
  const auto better = [](const Candidate& a, const Candidate& b) { return a.error < b.error; };
  const Candidate& least = *std::min_element(candidates.begin(), candidates.end(), better);
  const Candidate* best = &least;
  for (const Candidate& candidate : candidates) {
    if (candidate.error > least.error + least.uncertainty) continue;
    const std::size_t ridges = candidate.sum.ridges.size(), fewest = best->sum.ridges.size();
    if (ridges < fewest || (ridges == fewest && candidate.error < best->error)) best = &candidate;
  }
  return best->sum;
}

class RidgeFitter {
 public:
  RidgeFitter(const LearningRows& rows, const RidgeFitOptions& options)
      : rows_(rows), options_(options) {}

  RidgeFit run() {
    const RidgeSum sum = choose_sum(rows_, options_);
    report(0.1);
    const std::vector<int> folds =
        options_.fold > 0 ? std::vector<int>{options_.fold} : std::vector<int>{2, 3};
    NetworkShape shape;
    std::vector<Start> starts;
    for (const int fold : folds) {
      base::RandomStream random = stream_of(options_, 1, static_cast<std::uint32_t>(fold));
      const ReluNetwork folded = fold_ridges(sum, options_.depth, fold, random);
      shape = shape_of(folded, sum.ridges.size());
      for (const double decay : decays_for(shape.parameter_count(), rows_.training.size()))
        for (int k = 0; k < std::max(options_.starts, 1); ++k)
          starts.push_back({fold, decay, folded, {}});
    }
    refine(starts, shape);
    return best_of(starts, shape);
  }

 private:
  /// One refinement.
  struct Start {
    int fold;
    double decay;
    ReluNetwork folded;
    RefinedWeights refined;
  };

  void report(double part) {
    if (options_.progress) options_.progress(part);
  }

  NetworkShape shape_of(const ReluNetwork& folded, std::size_t ridges) const {
    NetworkShape shape{rows_.training.inputs(), static_cast<std::int64_t>(ridges), {}};
    for (int l = 0; l < options_.depth; ++l)
      shape.widths.push_back(folded.layers[static_cast<std::size_t>(l)].outputs() / shape.blocks);
    return shape;
  }

  void refine(std::vector<Start>& starts, const NetworkShape& shape) {
    const RefinementOptions effort =
        options_.refinement.limited(shape.parameter_count(), rows_.training.size());
    base::parallel_for(
        static_cast<std::int64_t>(starts.size()), options_.threads, [&](std::int64_t index, int) {
          Start& start = starts[static_cast<std::size_t>(index)];
          base::RandomStream random = stream_of(options_, 2, static_cast<std::uint32_t>(index));
          WeightRefiner refiner(rows_.training, rows_.validation, shape, effort);
          start.refined =
              refiner.refine(WeightsModel::parameters_of(start.folded, shape.blocks), random);
          const std::lock_guard lock(mutex_);
          report(0.1 + 0.9 * ++done_ / static_cast<double>(starts.size()));
        });
  }

  RidgeFit best_of(const std::vector<Start>& starts, const NetworkShape& shape) const {
    const Start& best = *std::min_element(
        starts.begin(), starts.end(),
        [](const Start& a, const Start& b) { return a.refined.validation < b.refined.validation; });
    RidgeFit fit;
    fit.shape = shape;
    fit.fold = best.fold;
    fit.folded = best.folded;
    fit.folded_training = network_error(fit.folded, rows_.training);
    fit.folded_validation = network_error(fit.folded, rows_.validation);
    fit.network = WeightsModel(rows_.training, shape).network(best.refined.parameters);
    fit.training = best.refined.training;
    fit.validation = best.refined.validation;
    return fit;
  }

  LearningRows rows_;
  const RidgeFitOptions& options_;
  std::mutex mutex_;
  int done_ = 0;
};

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
    network.substitute_input(1 / ridge.interval.length(),
                             -ridge.interval.low / ridge.interval.length());
    blocks.push_back(std::move(network));
    directions.push_back(ridge.direction);
  }
  return stack_blocks(blocks, directions);
}

RidgeFit fit_ridges(const LearningRows& rows, const RidgeFitOptions& options) {
  return RidgeFitter(rows, options).run();
}

}  // namespace asap::region
