#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "compile/compile_heads.h"
#include "unit/compile/small_activations.h"

namespace asap::test {
namespace {

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

TEST_CASE("Without values everything but the output error is measured") {
  compile::Activations activations = random_activations({}, 1, 3);
  activations.layers[0].values = {};
  const compile::CompiledModel model = compile::compile_heads(activations, small_config(), 1);
  CHECK(std::isnan(model.evidence[0][0].output_error));
  CHECK(model.evidence[0][0].plan_l1 > 0);
}

TEST_CASE("The error of several heads is that of each of them alone") {
  const compile::Activations activations = random_activations({.examples = 3}, 1, 4);
  std::vector<compile::TeacherSample> samples;
  for (std::int64_t e = 0; e < 3; ++e)
    samples.push_back(compile::run_teacher(activations, 0, 0, e));
  std::vector<attention::CompiledHead> heads = {attention::CompiledHead::zero_dual(0.4F)};
  for (const int iterations : {1, 2, 4})
    heads.push_back(
        {.mode = attention::CompiledMode::sinkhorn, .score_scale = 0.4F, .iterations = iterations});
  for (const bool with_values : {true, false}) {
    if (!with_values)
      for (compile::TeacherSample& sample : samples) sample.values = {};
    compile::ErrorMeasurement measured(heads);
    tensor::Arena scratch;
    for (const compile::TeacherSample& sample : samples) measured.add(sample, scratch);
    CHECK(measured.samples() == 3);
    const std::vector<double> errors = measured.errors();
    for (std::size_t c = 0; c < heads.size(); ++c) {
      const compile::HeadEvidence alone = compile::measure_head(heads[c], samples);
      CHECK(errors[c] == (with_values ? alone.output_error : alone.plan_l1));
    }
    CHECK(errors[1] > errors[2]);
    CHECK(errors[3] < 1e-5);
  }
}

}  // namespace
}  // namespace asap::test
