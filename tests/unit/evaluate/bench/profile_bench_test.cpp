#include "evaluate/bench/profile_bench.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("A measured profile has times for the forms it was fitted to") {
  const evaluate::ProfileSettings settings{.most_tokens = 64, .rounds = 1, .turn_seconds = 1e-4};
  std::int64_t calls = 0;
  const evaluate::MeasuredProfile measured =
      evaluate::measure_profile(settings, [&](std::int64_t done, std::int64_t total) {
        CHECK(done == ++calls);
        CHECK(total == 4 * 3);
      });
  CHECK(calls == 12);
  CHECK(std::ranges::all_of(measured.profile.nanoseconds,
                            [](double x) { return x >= 0 && std::isfinite(x); }));
  for (const auto& form : {compile::OperatorForm::softmax(), compile::OperatorForm::sinkhorn(10)})
    CHECK(measured.profile.time(form, {64, 64, 32, 32}) > 0);
  CHECK(measured.median_error() <= measured.largest_error());
  const io::Json summary = evaluate::profile_summary(settings, measured);
  CHECK(summary["timings"].size() == measured.timings.size());
  CHECK(summary["profile"]["format"] == "asap-machine-profile");
  CHECK(evaluate::profile_text(measured).find("sinkhorn:10") != std::string::npos);
}

}  // namespace
}  // namespace asap::test
