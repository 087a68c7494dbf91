#include "region/ridge/baselines.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "region/ridge/kan_model.h"
#include "region/ridge/linear_model.h"

namespace asap::region {
namespace {

/// One start of a shape.
struct Trial {
  NetworkShape shape;
  double decay;
  RefinedWeights weights;
};

double mean_square(const std::vector<double>& prediction, const std::vector<double>& y) {
  double squares = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    squares += (prediction[i] - y[i]) * (prediction[i] - y[i]);
  return squares / static_cast<double>(y.size());
}

std::string shape_text(const NetworkShape& shape) {
  std::vector<std::string> widths;
  for (const std::int64_t width : shape.widths) widths.push_back(std::to_string(width));
  return (shape.blocks > 1 ? base::counted(shape.blocks, "block") + " of " : "") +
         base::join(widths, "-");
}

/// Refines several starts of every shape; the best on the validation rows wins.
MethodFit fit_shapes(const LearningRows& rows, Baseline baseline,
                     const std::vector<NetworkShape>& shapes, const BaselineOptions& options) {
  RefinementOptions effort = options.ridge.refinement;
  if (baseline == Baseline::adam) effort.adam_steps = 5000;
  std::vector<Trial> trials;
  for (const NetworkShape& shape : shapes)
    for (const double decay : baseline == Baseline::adam
                                  ? std::vector<double>{0}
                                  : decays_for(shape.parameter_count(), rows.training.size()))
      for (int start = 0; start < options.ridge.starts; ++start)
        trials.push_back({shape, decay, {}});
  base::parallel_for(
      static_cast<std::int64_t>(trials.size()), options.ridge.threads,
      [&](std::int64_t index, int) {
        Trial& trial = trials[static_cast<std::size_t>(index)];
        base::RandomStream random(options.ridge.seed, base::RandomPurpose::region,
                                  0x20000U + static_cast<std::uint32_t>(baseline),
                                  static_cast<std::uint32_t>(index));
        RefinementOptions own = effort.limited(trial.shape.parameter_count(), rows.training.size());
        own.decay = trial.decay;
        WeightRefiner refiner(rows.training, rows.validation, trial.shape, own);
        trial.weights = refiner.refine(kaiming_parameters(trial.shape, random), random);
      });
  const Trial& best = *std::min_element(
      trials.begin(), trials.end(),
      [](const Trial& a, const Trial& b) { return a.weights.validation < b.weights.validation; });
  MethodFit fit;
  fit.method = baseline_name(baseline);
  fit.network = WeightsModel(rows.training, best.shape).network(best.weights.parameters);
  fit.parameters = best.shape.parameter_count();
  fit.training = best.weights.training;
  fit.validation = best.weights.validation;
  fit.description = shape_text(best.shape);
  return fit;
}

/// One start of a Kolmogorov-Arnold network.
struct KanTrial {
  KanShape shape;
  std::vector<double> parameters{};
  double training = 0, validation = std::numeric_limits<double>::infinity();
};

/// Levenberg-Marquardt; keeps the parameters that are best on the validation rows.
void fit_kan_trial(const LearningRows& rows, KanTrial& trial, int iterations,
                   base::RandomStream& random) {
  constexpr int kChunk = 20;
  KanModel model(rows.training, trial.shape);
  std::vector<double> parameters = model.start(random);
  numerics::LevenbergMarquardt solver;
  numerics::LevenbergMarquardtOptions options;
  options.max_iterations = kChunk;
  for (int done = 0; done < iterations; done += kChunk) {
    const numerics::LevenbergMarquardtEvidence evidence =
        solver.minimise(model, parameters, options);
    const double validation =
        mean_square(model.predict(parameters, rows.validation), rows.validation.y);
    if (validation < trial.validation) {
      trial.parameters = parameters;
      trial.validation = validation;
      trial.training = evidence.final_cost;
    }
    if (evidence.converged) break;
  }
}

MethodFit fit_kan(const LearningRows& rows, const BaselineOptions& options) {
  std::vector<KanTrial> trials;
  for (const KanShape& shape :
       kan_shapes(options.reference.inputs, options.reference.parameter_count()))
    for (int start = 0; start < options.ridge.starts; ++start) trials.push_back({shape});
  const RefinementOptions effort =
      options.ridge.refinement.limited(options.reference.parameter_count(), rows.training.size());
  const int iterations = effort.iterations + effort.hops * effort.hop_iterations +
                         static_cast<int>(effort.smoothing.size()) * effort.smoothed_iterations;
  base::parallel_for(
      static_cast<std::int64_t>(trials.size()), options.ridge.threads,
      [&](std::int64_t index, int) {
        base::RandomStream random(options.ridge.seed, base::RandomPurpose::region,
                                  0x20000U + static_cast<std::uint32_t>(Baseline::kan),
                                  static_cast<std::uint32_t>(index));
        fit_kan_trial(rows, trials[static_cast<std::size_t>(index)], iterations, random);
      });
  const KanTrial best = *std::min_element(
      trials.begin(), trials.end(),
      [](const KanTrial& a, const KanTrial& b) { return a.validation < b.validation; });
  if (best.parameters.empty())
    throw base::NumericalError("no Kolmogorov-Arnold network could be fitted");
  MethodFit fit;
  fit.method = baseline_name(Baseline::kan);
  fit.predict = [best](const Rows& wanted) {
    return KanModel(wanted, best.shape).predict(best.parameters, wanted);
  };
  fit.parameters = best.shape.parameter_count();
  fit.training = best.training;
  fit.validation = best.validation;
  fit.description = std::to_string(best.shape.widths[0]) + " wide, splines of " +
                    base::counted(best.shape.cells, "cell");
  return fit;
}

/// One neuron that never switches off would depend on the range of the inputs, so the plane is
/// written with two: relu(z) - relu(-z).
MethodFit fit_plane(const LearningRows& rows) {
  MethodFit fit;
  fit.method = baseline_name(Baseline::linear);
  fit.network = linear_network(fit_linear(rows.training), 1);
  fit.parameters = rows.training.inputs() + 1;
  fit.training = network_error(fit.network, rows.training);
  fit.validation = network_error(fit.network, rows.validation);
  fit.description = "least squares";
  return fit;
}

}  // namespace

const char* baseline_name(Baseline baseline) {
  switch (baseline) {
    case Baseline::kaiming:
      return "kaiming";
    case Baseline::dense:
      return "dense";
    case Baseline::adam:
      return "adam";
    case Baseline::kan:
      return "kan";
    case Baseline::linear:
      return "linear";
  }
  throw base::InternalError("baseline_name: unknown baseline");
}

std::vector<NetworkShape> dense_shapes(std::int64_t inputs, std::int64_t parameters) {
  std::vector<NetworkShape> shapes;
  for (std::size_t layers = 1; layers <= 3; ++layers) {
    NetworkShape best;
    for (std::int64_t width = 1;; ++width) {
      NetworkShape shape{inputs, 1, std::vector<std::int64_t>(layers, width)};
      const std::int64_t distance = std::abs(shape.parameter_count() - parameters);
      if (width > 1 && distance >= std::abs(best.parameter_count() - parameters)) break;
      best = std::move(shape);
    }
    shapes.push_back(std::move(best));
  }
  return shapes;
}

double network_error(const ReluNetwork& network, const Rows& rows) {
  std::vector<double> prediction(rows.y.size());
  network.evaluate(rows.x.rows(), prediction);
  return mean_square(prediction, rows.y);
}

double error_of(const MethodFit& fit, const Rows& rows) {
  return fit.predict ? mean_square(fit.predict(rows), rows.y) : network_error(fit.network, rows);
}

MethodFit fit_baseline(const LearningRows& rows, Baseline baseline,
                       const BaselineOptions& options) {
  switch (baseline) {
    case Baseline::linear:
      return fit_plane(rows);
    case Baseline::kan:
      return fit_kan(rows, options);
    case Baseline::kaiming:
      return fit_shapes(rows, baseline, {options.reference}, options);
    case Baseline::dense:
    case Baseline::adam:
      return fit_shapes(rows, baseline,
                        dense_shapes(options.reference.inputs, options.reference.parameter_count()),
                        options);
  }
  throw base::InternalError("fit_baseline: unknown baseline");
}

}  // namespace asap::region
