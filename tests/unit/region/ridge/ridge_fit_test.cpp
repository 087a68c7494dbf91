// Fits of several inputs: blocks, projection pursuit, folding, refinement, baselines.

#include <cmath>

#include <doctest/doctest.h>

#include "region/family/folded_function.h"
#include "region/network/region_count.h"
#include "region/ridge/baselines.h"
#include "region/ridge/kan_model.h"
#include "region/target/rows.h"

namespace asap {
namespace {

region::NamedTable drawn(const char* formula, std::int64_t rows, std::uint32_t stream) {
  return {{"x", "y"}, "f", region::sample_formula(formula, {"x", "y"}, {-1, 1}, rows, 1, stream)};
}

/// The network written out in plain loops.
double naive(const region::ReluNetwork& network, std::vector<double> h) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const region::DenseLayer& layer = network.layers[l];
    std::vector<double> next;
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      double z = layer.bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < layer.inputs(); ++j)
        z += layer.w(k, j) * h[static_cast<std::size_t>(j)];
      next.push_back(l + 1 < network.layers.size() ? std::max(z, 0.0) : z);
    }
    h = next;
  }
  return h[0];
}

region::RidgeFitOptions quick_options(int ridges) {
  region::RidgeFitOptions options;
  options.ridges = ridges;
  options.depth = 3;
  options.starts = 1;
  options.refinement.hops = 1;
  options.refinement.smoothed_iterations = 8;
  options.refinement.iterations = 40;
  options.refinement.hop_iterations = 20;
  return options;
}

TEST_CASE("a model of blocks is its block-diagonal network, zeros and all") {
  const region::TableRows rows = drawn("x+y", 13, 0).rows;
  const region::NetworkShape shape{2, 3, {4, 2, 5}};
  region::WeightsModel model(rows, shape);
  base::RandomStream random(2, base::RandomPurpose::test);
  std::vector<double> parameters;
  for (std::int64_t p = 0; p < model.parameter_count(); ++p) parameters.push_back(random.normal());
  CHECK(model.parameter_count() == 3 * (4 * 3 + 2 * 5 + 5 * 3) + 16);
  const region::ReluNetwork network = model.network(parameters);
  CHECK(network.nonzero_count() == model.parameter_count());
  CHECK(region::WeightsModel::parameters_of(network, 3) == parameters);
  std::vector<double> residuals(static_cast<std::size_t>(model.residual_count()));
  model.evaluate(parameters, residuals);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double value = naive(network, {rows.x[2 * i], rows.x[2 * i + 1]});
    const auto at = static_cast<std::size_t>(i);
    CHECK(residuals[at] == doctest::Approx((value - rows.y[at]) / std::sqrt(13.0)));
  }
}

TEST_CASE("projection pursuit finds the two directions of a product") {
  const region::NamedTable table = drawn("x*y", 400, 0);
  const region::TableRows unit = region::Standardisation::of(table).apply(table.rows);
  base::RandomStream random(1, base::RandomPurpose::test);
  region::RidgeSplinesOptions options;
  options.ridges = 2;
  const std::vector<region::RidgeSum> sums = region::pursue_projections(unit, options, random);
  REQUIRE(sums.size() == 2);
  for (const region::RidgeSpline& ridge : sums[1].ridges)
    CHECK(std::abs(std::abs(ridge.direction[0]) - std::sqrt(0.5)) < 0.02);
  CHECK(sums[1].error(unit) < 1e-5);
  CHECK(sums[1].error(unit) < sums[0].error(unit));
}

TEST_CASE("blocks side by side are the sum of networks across their directions") {
  base::RandomStream random(4, base::RandomPurpose::test);
  std::vector<region::ReluNetwork> blocks;
  for (int b = 0; b < 2; ++b) {
    region::FoldedFunction function{
        {-1, 2}, {random.normal(), random.normal()}, {{{{0.4, 0.6}, {0.3, 0.7}}, {1.0, -0.3}}}};
    blocks.push_back(region::to_network(function));
  }
  const std::vector<std::vector<double>> directions{{0.6, 0.8}, {-0.8, 0.6}};
  const region::ReluNetwork stacked = region::stack_blocks(blocks, directions);
  for (int i = 0; i < 20; ++i) {
    const double x = random.uniform(-1, 1), y = random.uniform(-1, 1);
    CHECK(naive(stacked, {x, y}) ==
          doctest::Approx(blocks[0](0.6 * x + 0.8 * y) + blocks[1](-0.8 * x + 0.6 * y)));
  }
}

TEST_CASE("a folded ridge has exactly fold^depth regions along its direction") {
  const region::NamedTable table = drawn("exp(x+2*y)", 400, 0);
  const region::TableRows unit = region::Standardisation::of(table).apply(table.rows);
  base::RandomStream random(1, base::RandomPurpose::test);
  region::RidgeSplinesOptions options;
  options.ridges = 1;
  const region::RidgeSum sum = region::pursue_projections(unit, options, random).front();
  const region::RidgeSpline& ridge = sum.ridges.front();
  std::vector<double> from, to;
  for (const double u : ridge.direction) {
    from.push_back(u * ridge.interval.low);
    to.push_back(u * ridge.interval.high);
  }
  for (const int depth : {1, 3, 5}) {
    CHECK(region::count_regions(region::fold_ridges(sum, depth, 2, random), from, to)
              .activation_regions == 1 << depth);
    CHECK(region::count_regions(region::fold_ridges(sum, depth, 3, random), from, to)
              .activation_regions == static_cast<int>(std::lround(std::pow(3, depth))));
  }
}

TEST_CASE("a product is fitted well, the same on any number of threads") {
  const region::NamedTable table = drawn("x*y", 500, 0);
  const region::Standardisation scales = region::Standardisation::of(table);
  const region::TableRows training = scales.apply(table.rows);
  const region::TableRows validation = scales.apply(drawn("x*y", 200, 1).rows);
  const region::TableRows test = scales.apply(drawn("x*y", 1000, 2).rows);
  region::RidgeFitOptions options = quick_options(2);
  const region::RidgeFit fit = region::fit_ridges({training, validation}, options);
  CHECK(fit.shape.parameter_count() == 2 * (4 * 3 + 2 * 20 + 4) + 1);
  CHECK(region::network_error(fit.network, test) < 1e-4);
  CHECK(region::network_error(fit.network, training) ==
        doctest::Approx(fit.training).epsilon(1e-6));
  options.threads = 3;
  const region::RidgeFit again = region::fit_ridges({training, validation}, options);
  CHECK(region::WeightsModel::parameters_of(again.network, 2) ==
        region::WeightsModel::parameters_of(fit.network, 2));
  for (const region::TableMethod method :
       {region::TableMethod::linear, region::TableMethod::kaiming, region::TableMethod::dense,
        region::TableMethod::kan}) {
    const region::TableFit baseline =
        region::fit_baseline({training, validation}, method, {options, fit.shape});
    CAPTURE(region::table_method_name(method));
    CHECK(std::isfinite(baseline.validation));
    CHECK(region::error_of(baseline, validation) ==
          doctest::Approx(baseline.validation).epsilon(1e-6));
    if (method == region::TableMethod::kan) CHECK(region::error_of(baseline, test) < 1e-3);
    if (method != region::TableMethod::linear && method != region::TableMethod::kan)
      CHECK(std::abs(baseline.parameters - fit.shape.parameter_count()) <=
            0.03 * static_cast<double>(fit.shape.parameter_count()) + 4);
  }
}

/// Cox and de Boor's recursion on knots low + k * step.
double b_spline(int degree, int k, double low, double step, double x) {
  if (degree == 0) return x >= low + k * step && x < low + (k + 1) * step ? 1 : 0;
  return (x - (low + k * step)) / (degree * step) * b_spline(degree - 1, k, low, step, x) +
         (low + (k + degree + 1) * step - x) / (degree * step) *
             b_spline(degree - 1, k + 1, low, step, x);
}

TEST_CASE("a Kolmogorov-Arnold network is its definition, splines by their recursion") {
  const region::TableRows rows = drawn("x+y", 9, 0).rows;
  const int cells = 4;
  const region::KanShape shape{2, {3}, cells};
  region::KanModel model(rows, shape);
  base::RandomStream random(3, base::RandomPurpose::test);
  std::vector<double> parameters;
  for (std::int64_t p = 0; p < model.parameter_count(); ++p)
    parameters.push_back(0.2 * random.normal());
  const auto edge = [&](const double* own, double low, double high, double x) {
    const double step = (high - low) / cells;
    double value = own[0] * x / (1 + std::exp(-x));
    for (int m = 0; m < cells + 3; ++m)
      value += own[1 + m] * b_spline(3, m, low - 3 * step, step, x);
    return value;
  };
  const std::vector<double> values = model.predict(parameters, rows);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double* own = parameters.data();
    double hidden[3] = {0, 0, 0}, out = 0;
    for (double& h : hidden)
      for (int j = 0; j < 2; ++j, own += cells + 4) h += edge(own, -3, 3, rows.x[2 * i + j]);
    for (const double h : hidden) {
      REQUIRE(std::abs(h) < 2);
      out += edge(own, -2, 2, h);
      own += cells + 4;
    }
    CHECK(values[static_cast<std::size_t>(i)] == doctest::Approx(out).epsilon(1e-12));
  }
}

TEST_CASE("noise is not fitted: validation stops before the raw weights chase it") {
  region::TableRows rows = drawn("0*x", 200, 0).rows, held = drawn("0*x", 200, 1).rows;
  base::RandomStream random(9, base::RandomPurpose::test);
  for (region::TableRows* part : {&rows, &held})
    for (std::size_t i = 0; i < part->y.size(); ++i)
      part->y[i] = part->x[2 * static_cast<std::int64_t>(i)] + 0.5 * random.normal();
  const region::RidgeFit fit = region::fit_ridges({rows, held}, quick_options(0));
  // The noise itself is .25; a fit of its own would be far above on rows it has not seen.
  CHECK(fit.validation < 0.30);
}

TEST_CASE("dense shapes have about the wanted number of parameters") {
  for (const std::int64_t parameters : {60, 200, 1000})
    for (const region::NetworkShape& shape : region::dense_shapes(4, parameters))
      CHECK(std::abs(shape.parameter_count() - parameters) <= parameters / 8);
}

TEST_CASE("effort shrinks with size and turns to Adam where nothing would be left") {
  const region::RefinementOptions all;
  CHECK(all.limited(200, 1000).iterations == all.iterations);
  CHECK(all.limited(1500, 2000).iterations < all.iterations);
  CHECK(all.limited(1500, 2000).adam_steps == 0);
  CHECK(all.limited(20000, 20000).adam_steps > 0);
}

}  // namespace
}  // namespace asap
