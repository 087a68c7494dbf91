#include "region/ridge/baselines.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "numerics/dense_solvers.h"
#include "region/ridge/kan_model.h"

namespace asap::region {
namespace {

constexpr std::pair<const char*, TableMethod> kTableMethods[] = {
    {"region", TableMethod::region}, {"kaiming", TableMethod::kaiming},
    {"dense", TableMethod::dense},   {"adam", TableMethod::adam},
    {"kan", TableMethod::kan},       {"linear", TableMethod::linear}};

/// A candidate: a shape and one start from it.
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
  return (shape.blocks > 1 ? std::to_string(shape.blocks) + " blocks of " : "") +
         base::join(widths, "-");
}

TableFit fit_shapes(const LearningRows& rows, TableMethod method,
                    const std::vector<NetworkShape>& shapes, const TableFitOptions& options) {
  RefinementOptions effort = options.ridge.refinement;
  if (method == TableMethod::adam) effort.adam_steps = 5000;
  std::vector<Trial> trials;
  for (const NetworkShape& shape : shapes)
    for (const double decay : method == TableMethod::adam
                                  ? std::vector<double>{0}
                                  : decays_for(shape.parameter_count(), rows.training.size()))
      for (int start = 0; start < options.ridge.starts; ++start)
        trials.push_back({shape, decay, {}});
  base::parallel_for(
      static_cast<std::int64_t>(trials.size()), options.ridge.threads,
      [&](std::int64_t index, int) {
        Trial& trial = trials[static_cast<std::size_t>(index)];
        base::RandomStream random(options.ridge.seed, base::RandomPurpose::region,
                                  0x20000U + static_cast<std::uint32_t>(method),
                                  static_cast<std::uint32_t>(index));
        RefinementOptions own = effort.limited(trial.shape.parameter_count(), rows.training.size());
        own.decay = trial.decay;
        WeightRefiner refiner(rows.training, rows.validation, trial.shape, own);
        trial.weights = refiner.refine(kaiming_parameters(trial.shape, random), random);
      });
  const Trial& best = *std::min_element(
      trials.begin(), trials.end(),
      [](const Trial& a, const Trial& b) { return a.weights.validation < b.weights.validation; });
  TableFit fit;
  fit.method = method;
  fit.network = WeightsModel(rows.training, best.shape).network(best.weights.parameters);
  fit.parameters = best.shape.parameter_count();
  fit.training = best.weights.training;
  fit.validation = best.weights.validation;
  fit.description = shape_text(best.shape);
  return fit;
}

/// A start of a Kolmogorov-Arnold network.
struct KanTrial {
  KanShape shape;
  std::vector<double> parameters{};
  double training = 0, validation = std::numeric_limits<double>::infinity();
};

/// Levenberg-Marquardt, looking at the validation rows now and then.
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

TableFit fit_kan(const LearningRows& rows, const TableFitOptions& options) {
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
                                  0x20000U + static_cast<std::uint32_t>(TableMethod::kan),
                                  static_cast<std::uint32_t>(index));
        fit_kan_trial(rows, trials[static_cast<std::size_t>(index)], iterations, random);
      });
  const KanTrial best = *std::min_element(
      trials.begin(), trials.end(),
      [](const KanTrial& a, const KanTrial& b) { return a.validation < b.validation; });
  if (best.parameters.empty())
    throw base::NumericalError("no Kolmogorov-Arnold network could be fitted");
  TableFit fit;
  fit.method = TableMethod::kan;
  fit.predict = [best](const TableRows& wanted) {
    return KanModel(wanted, best.shape).predict(best.parameters, wanted);
  };
  fit.parameters = best.shape.parameter_count();
  fit.training = best.training;
  fit.validation = best.validation;
  fit.description = std::to_string(best.shape.widths[0]) + " wide, splines of " +
                    std::to_string(best.shape.cells) + " cells";
  return fit;
}

/// Least squares as a network: a plane written as one neuron that never switches off would depend
/// on the range of the inputs, so it is two, relu(z) - relu(-z).
TableFit fit_plane(const LearningRows& rows) {
  const std::int64_t inputs = rows.training.x.rows().cols, size = inputs + 1;
  tensor::Tensor<double> gram({size, size}), moment({size}), plane({size});
  for (std::int64_t i = 0; i < rows.training.size(); ++i) {
    const auto value = [&](std::int64_t j) {
      return j < inputs ? rows.training.x[i * inputs + j] : 1.0;
    };
    for (std::int64_t p = 0; p < size; ++p) {
      moment[p] += value(p) * rows.training.y[static_cast<std::size_t>(i)];
      for (std::int64_t q = 0; q <= p; ++q) gram[p * size + q] += value(p) * value(q);
    }
  }
  const std::vector<double> ridge(static_cast<std::size_t>(size),
                                  1e-6 * static_cast<double>(rows.training.size()));
  if (!numerics::solve_positive_definite(gram.rows(), ridge, moment.flat(), plane.flat()))
    throw base::NumericalError("the linear fit has no solution");
  DenseLayer first(2, inputs), output(1, 2);
  for (std::int64_t j = 0; j < inputs; ++j) {
    first.w(0, j) = plane[j];
    first.w(1, j) = -plane[j];
  }
  output.w(0, 0) = 1;
  output.w(0, 1) = -1;
  output.bias[0] = plane[inputs];
  TableFit fit;
  fit.method = TableMethod::linear;
  fit.network.layers = {first, output};
  fit.parameters = size;
  fit.training = network_error(fit.network, rows.training);
  fit.validation = network_error(fit.network, rows.validation);
  fit.description = "least squares";
  return fit;
}

}  // namespace

const char* table_method_name(TableMethod method) {
  for (const auto& [name, value] : kTableMethods)
    if (value == method) return name;
  throw base::InternalError("table_method_name: unknown method");
}

TableMethod table_method_from_name(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, value] : kTableMethods) {
    if (name == known) return value;
    names.emplace_back(known);
  }
  throw base::UsageError("unknown method '" + name + "'", base::suggestion(name, names));
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

double network_error(const ReluNetwork& network, const TableRows& rows) {
  std::vector<double> prediction(rows.y.size());
  network.evaluate(rows.x.rows(), prediction);
  return mean_square(prediction, rows.y);
}

double error_of(const TableFit& fit, const TableRows& rows) {
  return fit.predict ? mean_square(fit.predict(rows), rows.y) : network_error(fit.network, rows);
}

TableFit fit_baseline(const LearningRows& rows, TableMethod method,
                      const TableFitOptions& options) {
  switch (method) {
    case TableMethod::linear:
      return fit_plane(rows);
    case TableMethod::kan:
      return fit_kan(rows, options);
    case TableMethod::kaiming:
      return fit_shapes(rows, method, {options.reference}, options);
    case TableMethod::dense:
    case TableMethod::adam:
      return fit_shapes(rows, method,
                        dense_shapes(options.reference.inputs, options.reference.parameter_count()),
                        options);
    case TableMethod::region:
      break;
  }
  throw base::InternalError("fit_baseline: not a baseline");
}

}  // namespace asap::region
