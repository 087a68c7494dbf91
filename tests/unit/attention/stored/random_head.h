#pragma once

#include <cmath>
#include <cstdint>

#include "base/random.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"

namespace asap::test {

struct RandomHead {
  tensor::Tensor<double> q, k, v;
  double scale;
};

inline RandomHead random_head(std::int64_t n, std::int64_t m, std::int64_t d, double sharpness) {
  RandomHead c{tensor::Tensor<double>({n, d}), tensor::Tensor<double>({m, d}),
               tensor::Tensor<double>({m, 8}), 1 / std::sqrt(static_cast<double>(d))};
  base::RandomStream random(5, base::RandomPurpose::test);
  // Values that float holds exactly, so that both precisions see the same problem.
  for (double& x : c.q.flat()) x = static_cast<float>(sharpness * random.normal());
  for (double& x : c.k.flat()) x = static_cast<float>(sharpness * random.normal());
  for (double& x : c.v.flat()) x = static_cast<float>(random.normal());
  return c;
}

/// The plan by the log-domain reference, in double.
inline tensor::Tensor<double> reference_plan(const RandomHead& c, int iterations,
                                             double slack = 0) {
  const std::int64_t n = c.q.shape()[0], m = c.k.shape()[0];
  tensor::Tensor<double> scores({n, m});
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t l = 0; l < c.q.shape()[1]; ++l)
        scores[i * m + j] += c.scale * c.q.rows()(i, l) * c.k.rows()(j, l);
  const transport::SinkhornTrace<double> trace =
      transport::sinkhorn_log<double>(scores.rows(), {}, iterations, {slack});
  tensor::Tensor<double> plan({n, m});
  const tensor::Tensor<double> zero({m});
  transport::plan_from_duals<double>(
      scores.rows(), trace.row_duals.rows().row(iterations),
      iterations == 0 ? zero.flat() : trace.column_duals.rows().row(iterations - 1), plan.rows());
  return plan;
}

}  // namespace asap::test
