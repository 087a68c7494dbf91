#include "compile/teacher_sample.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "compile/activations.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"
#include "unit/compile/small_activations.h"

using namespace asap::compile;
using namespace asap::tensor;

namespace asap::test {
namespace {

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

}  // namespace
}  // namespace asap::test

TEST_CASE("converted rounds every value and keeps the shape") {
  Tensor<double> x({2, 2});
  x[0] = 1.0 / 3, x[1] = -2, x[2] = 0, x[3] = 1e-50;
  const Tensor<float> rounded = converted<float>(x);
  CHECK(rounded.shape() == x.shape());
  CHECK(rounded[0] == 1.0f / 3);
  CHECK(rounded[1] == -2);
  CHECK(rounded[3] == 0);
  CHECK(converted<double>(rounded)[0] == static_cast<double>(rounded[0]));
}
