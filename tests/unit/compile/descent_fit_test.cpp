#include "compile/descent_fit.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "compile/compile_heads.h"
#include "unit/compile/small_activations.h"

namespace asap::test {
namespace {

TEST_CASE("The gradients of kl, output and dual in the row dual are those of central differences") {
  const compile::Activations activations =
      random_activations({.examples = 1, .queries = 7, .keys = 5}, 1, 3);
  const compile::TeacherSample sample = compile::run_teacher(activations, 0, 0, 0);
  std::vector<double> dual(7), gradient(7), ignored(7);
  for (std::size_t i = 0; i < dual.size(); ++i) dual[i] = 0.3 * std::sin(3.0 * i);
  for (const compile::DualObjective objective :
       {compile::DualObjective::kl, compile::DualObjective::output, compile::DualObjective::dual}) {
    compile::plan_objective(sample, objective, dual, gradient);
    double largest = 0;
    for (const double value : gradient) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < dual.size(); ++i) {
      const double step = 1e-5, centre = dual[i];
      dual[i] = centre + step;
      const double above = compile::plan_objective(sample, objective, dual, ignored);
      dual[i] = centre - step;
      const double below = compile::plan_objective(sample, objective, dual, ignored);
      dual[i] = centre;
      // Truncation of order step² and rounding of order 2^-52 / step, relative to values of order
      // one.
      CHECK(std::abs(gradient[i] - (above - below) / (2 * step)) < 1e-7 * std::max(largest, 0.01));
    }
  }
}

TEST_CASE("The objectives vanish, and have no slope, where the plan is the teacher's") {
  const compile::Activations activations = random_activations({.examples = 1}, 1, 5);
  const compile::TeacherSample sample = compile::run_teacher(activations, 0, 0, 0);
  std::vector<double> gradient(14);
  for (const compile::DualObjective objective :
       {compile::DualObjective::kl, compile::DualObjective::output}) {
    CHECK(std::abs(compile::plan_objective(sample, objective, sample.target, gradient)) < 1e-13);
    for (const double value : gradient) CHECK(std::abs(value) < 1e-13);
  }
}

TEST_CASE("Descent improves its objective on the ridge solution") {
  const compile::Activations activations = random_activations({}, 1, 6);
  compile::CompileConfig config = small_config();
  const compile::CompiledModel ridge = compile::compile_heads(activations, config, 1);
  const auto total = [&](const attention::CompiledHead& head, compile::DualObjective objective) {
    const tensor::Tensor<double> a = [&] {
      tensor::Tensor<double> out(head.query_slices.shape());
      std::copy_n(head.query_slices.data(), out.size(), out.data());
      return out;
    }();
    const tensor::Tensor<double> b = [&] {
      tensor::Tensor<double> out(head.key_slices.shape());
      std::copy_n(head.key_slices.data(), out.size(), out.data());
      return out;
    }();
    double value = 0;
    tensor::Arena scratch;
    for (std::int64_t e = 0; e < config.calibration; ++e) {
      const compile::TeacherSample sample = compile::run_teacher(activations, 0, 0, e);
      const tensor::Tensor<double> features =
          compile::centred_features({head.features, a.rows(), b.rows(), {}},
                                    compile::centre_sample(sample, scratch), scratch);
      std::vector<double> dual(14, 0.0), gradient(14);
      for (std::size_t p = 0; p < head.weights.size(); ++p)
        for (std::int64_t i = 0; i < 14; ++i)
          dual[i] += head.weights[p] * features.rows()(static_cast<std::int64_t>(p), i);
      value += compile::plan_objective(sample, objective, dual, gradient);
    }
    return value;
  };
  for (const compile::DualObjective objective :
       {compile::DualObjective::kl, compile::DualObjective::output, compile::DualObjective::dual}) {
    config.objective = objective;
    const compile::CompiledModel descended = compile::compile_heads(activations, config, 1);
    CHECK(total(descended.heads[0][0], objective) < total(ridge.heads[0][0], objective));
  }
}

}  // namespace
}  // namespace asap::test
