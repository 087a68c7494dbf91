#include "region/run/fit_bench.h"

#include <doctest/doctest.h>

#include "support/share.h"

namespace asap::test {
namespace {

TEST_CASE("the paper's full method reaches its error on x cubed and x to the eleventh") {
  // Five seeds of the thirty of the bench, whose means are 2.1e-7 and 1.7e-6.
  region::BenchConfig config;
  config.targets = {"x3"};
  if (test::in_full()) config.targets.push_back("x11");
  config.methods = {region::Method::smooth};
  config.seeds = test::share_of(5);
  config.threads = 2;
  const std::vector<region::BenchRow> rows = region::run_bench(config, [](std::int64_t) {});
  REQUIRE(rows.size() == config.targets.size());
  CHECK(rows[0].mean < 5e-7);
  CHECK(rows.back().mean < 3e-6);
  for (const region::BenchRow& row : rows) CHECK(row.dense_ratio < 1.5);
}

}  // namespace
}  // namespace asap::test
