#include "transport/weighted_sinkhorn.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"

using namespace asap::test;

TEST_CASE("weighted, rectangular, masked and unbalanced plans equal POT's") {
  using namespace asap;
  const io::TensorFile file = read_golden("weighted_transport.safetensors");
  for (const std::string kind :
       {"balanced", "masked", "unbalanced_both", "unbalanced_unequal", "unbalanced_rows"})
    for (const std::string shape : {"square", "wide", "tall"}) {
      const std::string name = kind + "." + shape;
      CAPTURE(name);
      const tensor::Tensor<double> scores = golden(file, name + ".scores");
      const tensor::Tensor<double> rows = golden(file, name + ".row_marginals");
      const tensor::Tensor<double> columns = golden(file, name + ".column_marginals");
      const tensor::Tensor<double> relaxations = golden(file, name + ".relaxations");
      const transport::WeightedTransport problem{scores.rows(), rows.flat(), columns.flat(),
                                                 relaxations[0], relaxations[1]};
      const transport::WeightedDuals duals =
          transport::weighted_sinkhorn(problem, {.iterations = 20000, .tolerance = 1e-14});
      CHECK(duals.converged);
      tensor::Tensor<double> plan(scores.shape());
      transport::weighted_plan(problem, duals, plan.rows());
      CHECK(relative_difference(plan.flat(), golden(file, name + ".plan").flat()) < 1e-10);
    }
}
