#include "attention/stored/sinkhorn_log_domain.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "unit/attention/stored/random_head.h"

namespace asap::test {
namespace {

TEST_CASE("Sinkhorn in the log domain from the start is Sinkhorn, and zero without keys") {
  const RandomHead c = random_head(9, 7, 6, 1);
  const attention::AttentionHead<double> head{c.q.rows(), c.k.rows(), c.v.rows(), c.scale};
  tensor::Tensor<double> output({9, 8}), expected({9, 8});
  tensor::Arena scratch;
  for (const int iterations : {1, 4, 20}) {
    attention::log_domain_sinkhorn_attention<double>(head, iterations, output.rows(), scratch);
    attention::sinkhorn_attention<double>(head, iterations, expected.rows(), scratch);
    for (std::int64_t i = 0; i < output.size(); ++i)
      CHECK(std::abs(output[i] - expected[i]) < 1e-12);
  }
  const attention::AttentionHead<double> keyless{c.q.rows(), c.k.rows().block(0, 0, 0, 6),
                                                 c.v.rows().block(0, 0, 0, 8), c.scale};
  attention::log_domain_sinkhorn_attention<double>(keyless, 3, output.rows(), scratch);
  CHECK(std::ranges::all_of(output.flat(), [](double value) { return value == 0; }));
}

}  // namespace
}  // namespace asap::test
