#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "base/random.h"
#include "compile/compile_heads.h"
#include "compile/descent_fit.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"

namespace asap {
namespace {

struct Sizes {
  std::int64_t examples = 12, heads = 2, queries = 14, keys = 10, width = 6;
};

/// Tokens of a head share a random linear structure, so that there is something to learn across
/// examples.
compile::Activations random_activations(const Sizes& sizes, int layers, int iterations,
                                        std::uint32_t id = 0) {
  compile::Activations out;
  out.examples = sizes.examples;
  out.heads = sizes.heads;
  out.iterations = iterations;
  out.source = "test";
  base::RandomStream random(41, base::RandomPurpose::test, id);
  const std::int64_t columns = sizes.heads * sizes.width;
  const auto tokens = [&](std::int64_t count) {
    tensor::Tensor<float> values({sizes.examples * count, columns});
    for (std::int64_t i = 0; i < values.shape()[0]; ++i)
      for (std::int64_t d = 0; d < columns; ++d)
        values.rows()(i, d) = static_cast<float>(
            0.2 * static_cast<double>(d % 3) +
            random.normal() * (1.5 - 0.2 * static_cast<double>(d % sizes.width)));
    return values;
  };
  for (int layer = 0; layer < layers; ++layer)
    out.layers.push_back({tokens(sizes.queries), tokens(sizes.keys), tokens(sizes.keys),
                          std::vector<double>(sizes.heads, 0.4)});
  return out;
}

compile::CompileConfig small_config() {
  compile::CompileConfig config;
  config.slices = 3;
  config.calibration = 8;
  config.held_out = 4;
  return config;
}

TEST_CASE("Closing the target in centred coordinates gives the teacher's plan for any N, M and T") {
  std::uint32_t id = 0;
  for (const auto& [queries, keys] :
       std::vector<std::pair<int, int>>{{1, 1}, {1, 5}, {5, 1}, {9, 9}, {17, 6}, {6, 17}})
    for (const int iterations : {1, 2, 10}) {
      const compile::Activations activations = random_activations(
          {.examples = 1, .queries = queries, .keys = keys}, 1, iterations, ++id);
      const compile::TeacherSample sample = compile::run_teacher(activations, 0, 1, 0);
      tensor::Arena scratch;
      const attention::CentredHead<double> head = attention::centre_head<double>(
          sample.queries.rows(), sample.keys.rows(), sample.score_scale, scratch);
      tensor::Tensor<double> scores({queries, keys}), plan({queries, keys});
      for (std::int64_t i = 0; i < queries; ++i)
        for (std::int64_t j = 0; j < keys; ++j)
          for (std::int64_t d = 0; d < head.x.cols; ++d)
            scores.rows()(i, j) += head.x(i, d) * head.y(j, d);
      std::vector<double> f(queries), g(keys);
      transport::column_c_transform<double>(scores.rows(), sample.target, g);
      transport::row_c_transform<double>(scores.rows(), g, f);
      transport::plan_from_duals<double>(scores.rows(), f, g, plan.rows());
      const tensor::Tensor<double> teacher = compile::teacher_plan(sample);
      for (std::int64_t k = 0; k < plan.size(); ++k) CHECK(std::abs(plan[k] - teacher[k]) < 1e-10);
    }
}

TEST_CASE("The teacher that is fitted is the attention kernel that is trained") {
  const compile::Activations activations = random_activations({.examples = 1}, 1, 7);
  const compile::TeacherSample sample = compile::run_teacher(activations, 0, 0, 0);
  tensor::Arena arena;
  tensor::Tensor<double> output({14, 6}), plan({14, 10});
  const attention::SinkhornState<double> state =
      attention::sinkhorn_attention<double>(sample.head(), 7, output.rows(), arena);
  attention::sinkhorn_plan<double>(state, plan.rows());
  const tensor::Tensor<double> teacher = compile::teacher_plan(sample);
  // Both are float64; exponents below ten, 15 half-updates.
  for (std::int64_t k = 0; k < plan.size(); ++k) CHECK(std::abs(plan[k] - teacher[k]) < 1e-13);
}

std::vector<compile::FitSample> planted_samples(const std::vector<double>& weights, double noise) {
  base::RandomStream random(42, base::RandomPurpose::test);
  std::vector<compile::FitSample> samples;
  for (int s = 0; s < 6; ++s) {
    compile::FitSample sample{tensor::Tensor<double>({std::ssize(weights), 20}),
                              std::vector<double>(20, 0.0)};
    for (std::int64_t p = 0; p < std::ssize(weights); ++p)
      for (std::int64_t i = 0; i < 20; ++i) {
        sample.features.rows()(p, i) = random.normal();
        sample.target[i] += weights[p] * sample.features.rows()(p, i);
      }
    for (double& value : sample.target) value += noise * random.normal();
    samples.push_back(std::move(sample));
  }
  return samples;
}

TEST_CASE("Ridge regression recovers planted weights") {
  const std::vector<double> planted = {0.7, -1.3, 0, 2};
  const std::vector<double> found = compile::fit_ridge(planted_samples(planted, 0), 0);
  // The pivot guard of 1e-12 shrinks weights by as much.
  for (std::size_t p = 0; p < planted.size(); ++p) CHECK(std::abs(found[p] - planted[p]) < 1e-10);
}

TEST_CASE(
    "The ridge is relative to the Gram matrix's diagonal: one feature shrinks by 1 / (1 + ridge)") {
  for (const double ridge : {1e-3, 0.5})
    CHECK(compile::fit_ridge(planted_samples({3}, 0), ridge)[0] ==
          doctest::Approx(3 / (1 + ridge)).epsilon(1e-9));
}

TEST_CASE("A feature that never varies gets weight zero and disturbs nothing") {
  std::vector<compile::FitSample> samples = planted_samples({1, 2, 3}, 0);
  for (compile::FitSample& sample : samples) {
    for (std::int64_t i = 0; i < 20; ++i) {
      sample.target[i] -= 2 * sample.features.rows()(1, i);
      sample.features.rows()(1, i) = 0;
    }
  }
  const std::vector<double> found = compile::fit_ridge(samples, 0);
  CHECK(std::abs(found[0] - 1) < 1e-10);
  CHECK(found[1] == 0);
  CHECK(std::abs(found[2] - 3) < 1e-10);
}

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
          compile::centred_features({head.features, a.rows(), b.rows(), {}}, sample, scratch);
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

TEST_CASE("Compiling a head explains most of its dual and beats the zero dual on unseen examples") {
  const compile::Activations activations = random_activations({.examples = 80}, 1, 8);
  compile::CompileConfig config = small_config();
  config.calibration = 60, config.held_out = 20;
  for (const compile::SliceKind kind :
       {compile::SliceKind::canonical, compile::SliceKind::random}) {
    config.slice_kind = kind;
    const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
    std::vector<compile::TeacherSample> held_out;
    for (std::int64_t e = 60; e < 80; ++e)
      held_out.push_back(compile::run_teacher(activations, 0, 0, e));
    const compile::HeadEvidence zero =
        compile::measure_head(attention::CompiledHead::zero_dual(0.4f), held_out);
    const compile::HeadEvidence& fitted = model.evidence[0][0];
    CHECK(zero.dual_r2 == doctest::Approx(0));
    CHECK(fitted.dual_r2 > 0.8);
    CHECK(fitted.plan_l1 < 0.5 * zero.plan_l1);
    CHECK(fitted.plan_kl < 0.25 * zero.plan_kl);
    CHECK(fitted.column_error < 0.5 * zero.column_error);
    CHECK(fitted.output_error < 0.5 * zero.output_error);
    CHECK(fitted.teacher_column_error == zero.teacher_column_error);
  }
}

TEST_CASE("Evidence is what its names say") {
  const compile::Activations activations = random_activations({.examples = 2}, 1, 4);
  const std::vector<compile::TeacherSample> samples = {compile::run_teacher(activations, 0, 0, 0),
                                                       compile::run_teacher(activations, 0, 0, 1)};
  const compile::HeadEvidence evidence =
      compile::measure_head(attention::CompiledHead::zero_dual(0.4f), samples);
  double l1 = 0, kl = 0, column = 0, output = 0, output_error = 0;
  for (const compile::TeacherSample& sample : samples) {
    const tensor::Tensor<double> teacher = compile::teacher_plan(sample);
    // The closure of zero in centred coordinates, in plain loops.
    tensor::Arena scratch;
    const attention::CentredHead<double> head = attention::centre_head<double>(
        sample.queries.rows(), sample.keys.rows(), sample.score_scale, scratch);
    tensor::Tensor<double> plan({14, 10});
    for (std::int64_t i = 0; i < 14; ++i)
      for (std::int64_t j = 0; j < 10; ++j) {
        double score = 0;
        for (std::int64_t d = 0; d < 6; ++d) score += head.x(i, d) * head.y(j, d);
        plan.rows()(i, j) = std::exp(score);
      }
    for (std::int64_t j = 0; j < 10; ++j) {
      double total = 0;
      for (std::int64_t i = 0; i < 14; ++i) total += plan.rows()(i, j);
      for (std::int64_t i = 0; i < 14; ++i) plan.rows()(i, j) /= total;
    }
    for (std::int64_t i = 0; i < 14; ++i) {
      double total = 0;
      for (std::int64_t j = 0; j < 10; ++j) total += plan.rows()(i, j);
      for (std::int64_t j = 0; j < 10; ++j) plan.rows()(i, j) /= total;
    }
    for (std::int64_t i = 0; i < 14; ++i) {
      for (std::int64_t j = 0; j < 10; ++j) {
        l1 += std::abs(teacher.rows()(i, j) - plan.rows()(i, j)) / 28;
        kl += teacher.rows()(i, j) * std::log(teacher.rows()(i, j) / plan.rows()(i, j)) / 28;
      }
      for (std::int64_t d = 0; d < 6; ++d) {
        double a = 0, b = 0;
        for (std::int64_t j = 0; j < 10; ++j) {
          a += teacher.rows()(i, j) * sample.values.rows()(j, d);
          b += plan.rows()(i, j) * sample.values.rows()(j, d);
        }
        output += a * a;
        output_error += (a - b) * (a - b);
      }
    }
    for (std::int64_t j = 0; j < 10; ++j) {
      double total = 0;
      for (std::int64_t i = 0; i < 14; ++i) total += plan.rows()(i, j);
      column += std::abs(total * 10 / 14 - 1) / 20;
    }
  }
  // What runs is in float32: plan entries, whose rows sum to 1, have relative errors of some 2^-24.
  CHECK(std::abs(evidence.plan_l1 - l1) < 1e-6);
  CHECK(std::abs(evidence.plan_kl - kl) < 1e-6);
  CHECK(std::abs(evidence.column_error - column) < 1e-6);
  CHECK(std::abs(evidence.output_error - std::sqrt(output_error / output)) < 1e-6);
}

bool same_heads(const compile::CompiledModel& a, const compile::CompiledModel& b) {
  for (std::size_t layer = 0; layer < a.heads.size(); ++layer)
    for (std::size_t head = 0; head < a.heads[layer].size(); ++head) {
      const attention::CompiledHead &x = a.heads[layer][head], &y = b.heads[layer][head];
      if (x.weights != y.weights ||
          !std::ranges::equal(x.query_slices.flat(), y.query_slices.flat()) ||
          !std::ranges::equal(x.key_slices.flat(), y.key_slices.flat()))
        return false;
    }
  return true;
}

TEST_CASE("The result is the same for any number of threads") {
  const compile::Activations activations = random_activations({}, 2, 3);
  const compile::CompiledModel one = compile::compile_heads(activations, small_config(), 1);
  const compile::CompiledModel two = compile::compile_heads(activations, small_config(), 2);
  CHECK(same_heads(one, two));
  CHECK(one.evidence[1][1].plan_kl == two.evidence[1][1].plan_kl);
}

TEST_CASE("Held-out examples change the evidence and not the fit") {
  compile::Activations activations = random_activations({}, 1, 3);
  const compile::CompiledModel before = compile::compile_heads(activations, small_config(), 1);
  tensor::Tensor<float>& queries = activations.layers[0].queries;
  for (std::int64_t i = 8 * 14; i < queries.shape()[0]; ++i)
    for (float& value : queries.rows().row(i)) value *= 1.5f;
  const compile::CompiledModel after = compile::compile_heads(activations, small_config(), 1);
  CHECK(same_heads(before, after));
  CHECK(before.evidence[0][0].plan_l1 != after.evidence[0][0].plan_l1);
}

TEST_CASE("Padding does not enter the fit, and empty examples are left out") {
  compile::Activations activations = random_activations({}, 1, 3);
  activations.live_queries.assign(12, 9);
  activations.live_keys.assign(12, 7);
  activations.live_queries[2] = 0;
  const compile::CompiledModel before = compile::compile_heads(activations, small_config(), 1);
  for (std::int64_t example = 0; example < 12; ++example)
    for (std::int64_t token = 9; token < 14; ++token)
      for (float& value : activations.layers[0].queries.rows().row(example * 14 + token))
        value = 1e6f;
  CHECK(same_heads(before, compile::compile_heads(activations, small_config(), 1)));
}

TEST_CASE("What cannot be compiled is refused with the reason") {
  compile::Activations activations = random_activations({}, 1, 3);
  compile::CompileConfig config = small_config();
  config.slices = 7;
  CHECK_THROWS_WITH_AS(compile::compile_heads(activations, config, 1),
                       "slices: 7 canonical slices, but a head of width 6 has only 6",
                       base::UsageError);
  config = small_config();
  config.held_out = 5;
  CHECK_THROWS_WITH_AS(compile::compile_heads(activations, config, 1),
                       "test: 12 examples, but calibration and held_out need 13", base::DataError);
  config = small_config();
  config.objective = compile::DualObjective::output;
  activations.layers[0].values = {};
  CHECK_THROWS_WITH_AS(compile::compile_heads(activations, config, 1),
                       "objective: 'output' needs values, which the activations do not hold",
                       base::UsageError);
  activations.iterations = 0;
  CHECK_THROWS_AS(compile::compile_heads(activations, small_config(), 1), base::UsageError);
}

TEST_CASE("Without values everything but the output error is measured") {
  compile::Activations activations = random_activations({}, 1, 3);
  activations.layers[0].values = {};
  const compile::CompiledModel model = compile::compile_heads(activations, small_config(), 1);
  CHECK(std::isnan(model.evidence[0][0].output_error));
  CHECK(model.evidence[0][0].plan_l1 > 0);
}

}  // namespace
}  // namespace asap
