#include "region/ridge/weight_refiner.h"

#include <algorithm>
#include <cmath>

#include "region/fit/adam_fit.h"

namespace asap::region {
namespace {

/// Iterations between two checks on the validation rows.
constexpr int kChunk = 25;

/// A model with weight decay: one more residual per parameter.
class DecayedModel : public numerics::LeastSquaresModel {
 public:
  DecayedModel(numerics::LeastSquaresModel& model, double decay)
      : model_(model), root_(std::sqrt(decay)) {}

  std::int64_t parameter_count() const override { return model_.parameter_count(); }
  std::int64_t residual_count() const override {
    return model_.residual_count() + model_.parameter_count();
  }
  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override {
    const auto own = static_cast<std::size_t>(model_.residual_count());
    model_.evaluate(parameters, residuals.subspan(0, own));
    for (std::size_t p = 0; p < parameters.size(); ++p) residuals[own + p] = root_ * parameters[p];
  }
  void jacobian(tensor::MatrixView<double> transposed) override {
    const std::int64_t own = model_.residual_count(), count = model_.parameter_count();
    model_.jacobian(transposed.block(0, 0, count, own));
    for (std::int64_t p = 0; p < count; ++p)
      for (std::int64_t q = 0; q < count; ++q) transposed(p, own + q) = p == q ? root_ : 0;
  }

 private:
  numerics::LeastSquaresModel& model_;
  double root_;
};

}  // namespace

RefinementOptions RefinementOptions::limited(std::int64_t parameters, std::int64_t rows) const {
  // Products in the normal equations of one start: some ten seconds on one core.
  constexpr double kBudget = 2e11;
  // With a smaller share of the iterations Adam gets further.
  constexpr double kLeast = 0.05;
  const double size = static_cast<double>(parameters);
  const double planned = first_iterations() + last_iterations();
  const double share = std::min(1.0, kBudget / (planned * size * size * static_cast<double>(rows)));
  RefinementOptions result = part(share);
  if (share < kLeast && adam_steps == 0) result.adam_steps = 4000;
  return result;
}

RefinementOptions RefinementOptions::part(double share) const {
  RefinementOptions result = *this;
  const auto of = [share](int full) { return std::max(1, static_cast<int>(full * share)); };
  result.smoothed_iterations = of(smoothed_iterations);
  result.iterations = of(iterations);
  result.hops = of(hops);
  return result;
}

std::vector<double> decays_for(std::int64_t parameters, std::int64_t rows) {
  if (rows >= 10 * parameters) return {0};
  return {0, 1e-4, 1e-2};
}

WeightRefiner::WeightRefiner(const Rows& training, const Rows& validation,
                             const NetworkShape& shape, RefinementOptions options)
    : options_(std::move(options)), training_(training, shape), validation_(validation, shape) {}

void WeightRefiner::consider(const std::vector<double>& parameters, RefinedWeights& best) {
  training_.set_smoothing(0);
  const double validation = validation_.mean_squared_error(parameters);
  if (!best.parameters.empty() && !(validation < best.validation)) return;
  best = {parameters, training_.mean_squared_error(parameters), validation, {}};
}

void WeightRefiner::fit(std::vector<double>& parameters, double tau, int iterations,
                        RefinedWeights& best) {
  numerics::LevenbergMarquardtOptions options;
  for (int left = iterations; left > 0; left -= kChunk) {
    training_.set_smoothing(0);
    training_.balance(parameters);
    training_.set_smoothing(tau);
    options.max_iterations = std::min(left, kChunk);
    DecayedModel decayed(training_, options_.decay);
    numerics::LeastSquaresModel& model =
        options_.decay > 0 ? static_cast<numerics::LeastSquaresModel&>(decayed) : training_;
    const numerics::LevenbergMarquardtEvidence evidence =
        solver_.minimise(model, parameters, options);
    consider(parameters, best);
    if (evidence.converged) break;
  }
}

void WeightRefiner::hop(RefinedWeights& best, base::RandomStream& random) {
  RefinedWeights trial = best;
  training_.balance(trial.parameters);
  const double size = std::pow(10.0, random.uniform(-3.0, -1.0));
  for (double& parameter : trial.parameters) parameter += size * random.normal();
  fit(trial.parameters, 0, options_.hop_iterations, best);
}

RefinedWeights WeightRefiner::refine(std::vector<double> start, base::RandomStream& random) {
  return finish(begin(std::move(start), random), random);
}

RefinedWeights WeightRefiner::begin(std::vector<double> start, base::RandomStream& random) {
  RefinedWeights best;
  consider(start, best);
  if (options_.adam_steps > 0) {
    training_.balance(start);
    adam_fit(training_, start, {options_.adam_steps, options_.adam_rate});
    consider(start, best);
    return best;
  }
  training_.balance(start);
  for (double& parameter : start) parameter += options_.jitter * random.normal();
  for (const double tau : options_.smoothing) fit(start, tau, options_.smoothed_iterations, best);
  best.last = std::move(start);
  return best;
}

RefinedWeights WeightRefiner::polish(std::vector<double> start) {
  RefinedWeights best;
  consider(start, best);
  fit(start, 0, options_.iterations, best);
  return best;
}

RefinedWeights WeightRefiner::finish(RefinedWeights best, base::RandomStream& random) {
  if (options_.adam_steps > 0) return best;
  std::vector<double> start = std::move(best.last);
  fit(start, 0, options_.iterations, best);
  for (int h = 0; h < options_.hops; ++h) hop(best, random);
  return best;
}

}  // namespace asap::region
