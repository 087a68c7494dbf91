#include "region/fit/polish.h"

#include <cmath>

namespace asap::region {
Polisher::Polisher(const Samples& samples, const Samples& dense,
                   const std::vector<std::int64_t>& widths, PolishOptions options)
    : options_(std::move(options)), model_(samples, widths), dense_model_(dense, widths) {}

std::int64_t Polisher::minimise(std::vector<double>& parameters, double tau, int iterations) {
  model_.set_smoothing(0);
  model_.balance(parameters);
  model_.set_smoothing(tau);
  numerics::LevenbergMarquardtOptions options;
  options.max_iterations = iterations;
  const auto evidence = solver_.minimise(model_, parameters, options);
  model_.set_smoothing(0);
  return evidence.iterations;
}

void Polisher::measure(PolishedWeights& weights) {
  weights.error = model_.mean_squared_error(weights.parameters);
  weights.dense_error = dense_model_.mean_squared_error(weights.parameters);
  weights.guarded = weights.dense_error <= options_.guard_ratio * weights.error;
}

PolishedWeights Polisher::polish(const ReluNetwork& start, base::RandomStream& random) {
  PolishedWeights weights;
  weights.parameters = WeightsModel::parameters_of(start);
  model_.balance(weights.parameters);
  for (double& parameter : weights.parameters) parameter += options_.jitter * random.normal();
  for (const double tau : options_.smoothing)
    weights.iterations += minimise(weights.parameters, tau, options_.smoothed_iterations);
  weights.iterations += minimise(weights.parameters, 0, options_.iterations);
  measure(weights);
  return weights;
}

PolishedWeights Polisher::measured(std::vector<double> parameters) {
  PolishedWeights weights;
  weights.parameters = std::move(parameters);
  measure(weights);
  return weights;
}

void Polisher::hop(PolishedWeights& best, int count, base::RandomStream& random) {
  const std::vector<std::int64_t>& layer_begins = model_.layer_begins();
  const auto layers = static_cast<std::uint64_t>(layer_begins.size() - 1);
  for (int attempt = 0; attempt < count; ++attempt) {
    PolishedWeights trial = best;
    model_.balance(trial.parameters);
    // Noise between a thousandth and a tenth, on all layers or on one.
    const double size = std::pow(10.0, random.uniform(-3.0, -1.0));
    std::int64_t first = 0, last = layer_begins.back();
    if (random.below(2) == 1) {
      const std::uint64_t layer = random.below(layers);
      first = layer_begins[layer];
      last = layer_begins[layer + 1];
    }
    for (std::int64_t p = first; p < last; ++p) trial.parameters[p] += size * random.normal();
    best.iterations += minimise(trial.parameters, 0, options_.hop_iterations);
    measure(trial);
    const bool accepted = trial.error < best.error && (trial.guarded || !best.guarded);
    if (!accepted) continue;
    trial.iterations = best.iterations;
    best = std::move(trial);
  }
}

}  // namespace asap::region
