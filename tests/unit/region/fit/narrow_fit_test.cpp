#include "region/fit/narrow_fit.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "region/fit/continued_ends.h"
#include "support/share.h"
#include "unit/region/fit/fit_targets.h"

namespace asap::test {
namespace {

bool same_weights(const region::ReluNetwork& a, const region::ReluNetwork& b) {
  return region::WeightsModel::parameters_of(a) == region::WeightsModel::parameters_of(b);
}

TEST_CASE("fits are the same for any number of threads") {
  const region::Target target = region::paper_points(region::paper_target("x11"));
  region::FitOptions options;
  options.starts = std::max(2, test::share_of(4));
  options.first_hops = 1;
  options.last_hops = 1;
  options.seed = 5;
  options.threads = 1;
  const region::Fit one = region::narrow_fit(target, options);
  options.threads = 3;
  CHECK(same_weights(one.network, region::narrow_fit(target, options).network));
  options.seed = 6;
  CHECK_FALSE(same_weights(one.network, region::narrow_fit(target, options).network));
}

TEST_CASE("a start from less depth is never made worse, and the ends of a fit go on") {
  const region::Target target = region::function_target("x^2*(2-x)", {0, 1});
  region::FitOptions options;
  options.depth = 2;
  options.starts = 2;
  options.first_hops = 1;
  options.last_hops = 1;
  const region::Fit shallow = region::unit_narrow_fit(target, options);
  options.depth = 4;
  const region::Fit deep = region::unit_narrow_fit_from(shallow.network, target, options);
  CHECK(deep.network.depth() == 4);
  CHECK(dense_error(target, deep.network) <= dense_error(target, shallow.network) * (1 + 1e-9));
  CHECK(region::ends_continue(region::narrow_fit(target, options).network, target.interval));
}

}  // namespace
}  // namespace asap::test
