#include "region/run/fit_config.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/expect_error.h"

namespace asap::test {
namespace {

/// A configuration with one number of `field` that no flag and no file has checked.
template <class T>
region::FitConfig with(T region::FitConfig::*field, T value) {
  region::FitConfig config;
  config.function = "x";
  config.*field = value;
  return config;
}

TEST_CASE("numbers outside their range are refused by field, also where they are not used") {
  using Config = region::FitConfig;
  CHECK_NOTHROW(with(&Config::windows, 4).validate());
  for (const auto& [config, field] : {std::pair{with(&Config::points, -5), "`points` must be"},
                                      {with(&Config::windows, -1), "`windows` must be"},
                                      {with(&Config::jumps, -1), "`jumps` must be"},
                                      {with(&Config::ridges, 65), "`ridges` must be"},
                                      {with(&Config::tolerance, -1.0), "`tolerance` must be"},
                                      {with(&Config::tolerance, double{NAN}), "got nan"},
                                      {with(&Config::validation, 0.6), "`validation` must be"},
                                      {with(&Config::test, double{NAN}), "`test` must be"},
                                      {with(&Config::high, double{INFINITY}), "`high` must be"}})
    expect_error<base::UsageError>([&config = config] { config.validate(); }, {field});
}

}  // namespace
}  // namespace asap::test
