#include "region/family/linear_part.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/folded_functions.h"

namespace asap::test {
namespace {

TEST_CASE("the linear part recovers a folded function from its values, in every window") {
  for (const int fold : {2, 3}) {
    const region::FoldedFunction truth = random_function(4, fold, 3, 5);
    const numerics::Curve f = [&](double x) { return truth(x); };
    region::FoldedFunction function = truth;
    for (region::FoldedWindow& window : function.windows)
      for (double& scale : window.scales) scale = 0;
    for (double& value : function.values) value += 0.5;
    region::fit_linear_part(function, dense_samples(f, truth.interval(), 6001));
    for (std::size_t j = 0; j < truth.windows.size(); ++j)
      for (std::size_t k = 0; k < truth.windows[j].scales.size(); ++k)
        // The ridge of 1e-11 of the diagonal, times the condition of the tents (below 1e3).
        CHECK(std::abs(function.windows[j].scales[k] - truth.windows[j].scales[k]) < 1e-8);
  }
}

TEST_CASE("weights decide where a fit is good") {
  region::Samples samples = dense_samples([](double x) { return std::abs(x); }, {-1, 1}, 401);
  for (const double x : samples.x) samples.weight.push_back(x < 0 ? 1e6 : 1.0);
  region::FoldedFunction line;
  line.nodes = {-1, 1};
  line.values = {0, 0};
  line.windows.resize(1);
  region::fit_linear_part(line, samples);
  // The left half alone is fitted by -x; the right half weighs a millionth.
  CHECK(line.values[0] == doctest::Approx(1).epsilon(1e-4));
  CHECK(line.values[1] == doctest::Approx(-1).epsilon(1e-4));
}

}  // namespace
}  // namespace asap::test
