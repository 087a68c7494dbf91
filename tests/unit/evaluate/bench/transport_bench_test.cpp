#include "evaluate/bench/transport_bench.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("every form of the transport layer is timed and compared with the loop in double") {
  std::int64_t last = 0;
  const std::vector<TransportBenchRow> rows = run_transport_bench(
      {.sizes = {60, 90}, .width = 16, .iterations = 30, .rounds = 2, .calibration = 4},
      [&](std::int64_t done, std::int64_t total) {
        CHECK(total == 4);
        last = done;
      });
  CHECK(last == 4);
  REQUIRE(rows.size() == 2);
  for (const TransportBenchRow& row : rows) {
    REQUIRE(row.forms.size() == 6);
    for (const TransportFormResult& form : row.forms) {
      CHECK(form.milliseconds > 0);
      CHECK(form.fastest <= form.milliseconds);
      // The loops are the teacher's in float; scores up to 30 are rounded to 2e-6.
      const bool loop = form.name.find("compiled") == std::string::npos;
      CHECK(form.plan_l1 < (loop ? 2e-4 : .5));
      CHECK(std::isnan(form.entries_per_row) == (form.name != "compiled+sparse:100"));
    }
    CHECK(row.forms[5].entries_per_row > 0);
    CHECK(row.forms[5].plan_l1 < row.forms[3].plan_l1);
  }
  CHECK(transport_bench_text(rows).find("compiled+sparse:100") != std::string::npos);
  const io::Json summary = transport_bench_summary({.sizes = {60, 90}}, rows);
  CHECK(summary["sizes"][1]["forms"][2]["name"] == "tiled");
  CHECK(summary["sizes"][0]["forms"][0]["entries_per_row"].is_null());
  expect_error<base::UsageError>([] { run_transport_bench({}); }, {"sizes"});
}
