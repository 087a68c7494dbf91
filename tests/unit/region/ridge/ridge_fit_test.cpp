#include <cmath>

#include <doctest/doctest.h>

#include "region/family/folded_function.h"
#include "region/network/region_count.h"
#include "region/ridge/baselines.h"
#include "region/target/rows.h"
#include "support/drawn_rows.h"
#include "support/share.h"

namespace asap::test {
namespace {

region::RidgeFitOptions quick_options(int ridges) {
  region::RidgeFitOptions options;
  options.ridges = ridges;
  options.depth = 3;
  options.starts = 1;
  options.refinement.hops = 1;
  options.refinement.smoothed_iterations = 8;
  options.refinement.iterations = in_full() ? 40 : 16;
  options.refinement.hop_iterations = in_full() ? 20 : 8;
  return options;
}

/// The number of ridges that the validation rows choose; two where tests are shortened.
int chosen_ridges() { return in_full() ? 0 : 2; }

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
  const region::NamedRows named = drawn("exp(x+2*y)", 400, 0);
  const region::Rows unit = region::Standardisation::of(named).apply(named.rows);
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
  const region::NamedRows named = drawn("x*y", 500, 0);
  const region::Standardisation scales = region::Standardisation::of(named);
  const region::Rows training = scales.apply(named.rows);
  const region::Rows validation = scales.apply(drawn("x*y", 200, 1).rows);
  const region::Rows test = scales.apply(drawn("x*y", 1000, 2).rows);
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
  for (const region::Baseline method : {region::Baseline::linear, region::Baseline::kaiming,
                                        region::Baseline::dense, region::Baseline::kan}) {
    const region::MethodFit baseline =
        region::fit_baseline({training, validation}, method, {options, fit.shape});
    CAPTURE(region::baseline_name(method));
    CHECK(std::isfinite(baseline.validation));
    CHECK(region::error_of(baseline, validation) ==
          doctest::Approx(baseline.validation).epsilon(1e-6));
    if (method == region::Baseline::kan) CHECK(region::error_of(baseline, test) < 1e-3);
    if (method != region::Baseline::linear && method != region::Baseline::kan)
      CHECK(std::abs(baseline.parameters - fit.shape.parameter_count()) <=
            0.03 * static_cast<double>(fit.shape.parameter_count()) + 4);
  }
}

TEST_CASE("a linear target gets the linear model") {
  region::Rows rows = drawn("x-2*y", 60, 0).rows, held = drawn("x-2*y", 30, 1).rows;
  base::RandomStream random(9, base::RandomPurpose::test);
  for (region::Rows* part : {&rows, &held})
    for (double& y : part->y) y += 0.2 * random.normal();
  const region::RidgeFit fit = region::fit_ridges({rows, held}, quick_options(chosen_ridges()));
  CHECK(fit.kind == region::RidgeKind::linear);
  const region::MethodFit linear =
      region::fit_baseline({rows, held}, region::Baseline::linear, {quick_options(0), fit.shape});
  CHECK(fit.validation == linear.validation);
}

TEST_CASE("a linear term stands beside the ridges where they cannot hold it") {
  const auto named = [](std::uint32_t stream) { return drawn("sin(3*x)+2*y", 600, stream); };
  const region::Standardisation scales = region::Standardisation::of(named(0));
  const region::Rows rows = scales.apply(named(0).rows), held = scales.apply(named(1).rows);
  const region::RidgeFit fit = region::fit_ridges({rows, held}, quick_options(1));
  CHECK(fit.linear_term);
  CHECK(fit.parameters == fit.shape.parameter_count() + 2 * 2 + 2 * 2 + 2);
  CHECK(fit.validation < 1e-3);
  // Beyond the rows the end pieces of the folded ridges continue. (Fitted weights may have corners
  // among the rows that go on outside.)
  const auto at = [&](double far) { return naive(fit.folded, {far, -far}); };
  CHECK(at(6) - at(4) == doctest::Approx(at(8) - at(6)).epsilon(1e-6));
}

TEST_CASE("a fit is good from every seed") {
  const char* const formula = "exp(2*x)*y";
  const region::NamedRows named = drawn(formula, 160, 0);
  const region::Standardisation scales = region::Standardisation::of(named);
  const region::Rows training = scales.apply(named.rows);
  const region::Rows validation = scales.apply(drawn(formula, 100, 1).rows);
  const region::Rows test = scales.apply(drawn(formula, 1000, 2).rows);
  region::RidgeFitOptions options = quick_options(3);
  for (options.seed = 0; options.seed < static_cast<std::uint64_t>(share_of(4)); ++options.seed) {
    CAPTURE(options.seed);
    // The variance is one: at least .97 of it is explained.
    CHECK(region::network_error(region::fit_ridges({training, validation}, options).network, test) <
          0.03);
  }
}

/// Two inputs with Student's distribution of two degrees of freedom, a bend along a ridge.
region::Rows rows_with_tails(std::int64_t count, std::uint32_t stream) {
  base::RandomStream random(7, base::RandomPurpose::test, stream);
  region::Rows rows{tensor::Tensor<double>({count, 2}), {}};
  for (std::int64_t i = 0; i < count; ++i) {
    for (int j = 0; j < 2; ++j)
      rows.x[2 * i + j] = random.normal() / std::sqrt(-std::log(1 - random.uniform(0, 1)));
    const double a = rows.x[2 * i], b = rows.x[2 * i + 1];
    rows.y.push_back(a + b + std::max(a - b, 0.0));
  }
  return rows;
}

TEST_CASE("with long tails a fit is good from every seed") {
  for (std::uint32_t seed = 0; seed < static_cast<std::uint32_t>(share_of(4)); ++seed) {
    const region::NamedRows named{{"a", "b"}, "y", rows_with_tails(300, 3 * seed)};
    const region::Standardisation scales = region::Standardisation::of(named);
    const region::Rows training = scales.apply(named.rows);
    const region::Rows validation = scales.apply(rows_with_tails(100, 3 * seed + 1));
    const region::Rows test = scales.apply(rows_with_tails(1000, 3 * seed + 2));
    double mean = 0, variance = 0;
    for (const double y : test.y) mean += y / 1000;
    for (const double y : test.y) variance += (y - mean) * (y - mean) / 1000;
    region::RidgeFitOptions options = quick_options(2);
    options.seed = seed;
    const region::RidgeFit fit = region::fit_ridges({training, validation}, options);
    CAPTURE(seed);
    CAPTURE(fit.validation);
    CHECK(region::network_error(fit.network, test) < 0.03 * variance);
  }
}

TEST_CASE("noise is not fitted: validation stops before the raw weights chase it") {
  region::Rows rows = drawn("0*x", 200, 0).rows, held = drawn("0*x", 200, 1).rows;
  base::RandomStream random(9, base::RandomPurpose::test);
  for (region::Rows* part : {&rows, &held})
    for (std::size_t i = 0; i < part->y.size(); ++i)
      part->y[i] = part->x[2 * static_cast<std::int64_t>(i)] + 0.5 * random.normal();
  const region::RidgeFit fit = region::fit_ridges({rows, held}, quick_options(chosen_ridges()));
  // The noise itself is .25; a fit of its own would be far above on rows it has not seen.
  CHECK(fit.validation < 0.30);
}

}  // namespace
}  // namespace asap::test
