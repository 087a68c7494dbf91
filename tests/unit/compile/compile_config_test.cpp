#include "compile/compile_config.h"

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("Flags set the field of their name and complain in their own name") {
  compile::CompileConfig config;
  compile::set_from_flag(config, "--slices", "8");
  compile::set_from_flag(config, "--slice-kind", "random");
  compile::set_from_flag(config, "--features", "gau,lin");
  CHECK(config.slices == 8);
  CHECK(config.slice_kind == compile::SliceKind::random);
  CHECK(config.features == std::vector<std::string>{"gau", "lin"});
  CHECK(config.dual_features() == attention::DualFeatures{false, true, true, false, false});
  CHECK_THROWS_WITH_AS(compile::set_from_flag(config, "--slices", "many"),
                       "--slices: slices expects integer, got \"many\"", base::UsageError);
}

TEST_CASE("Unknown, repeated and missing features and unknown objectives are refused") {
  compile::CompileConfig config;
  config.features = {"pot", "pto"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: unknown feature 'pto'",
                       base::UsageError);
  config.features = {"pot", "pot"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: 'pot' is named twice", base::UsageError);
  config.features = {};
  CHECK_THROWS_AS(config.validate("F"), base::UsageError);
  config = {};
  CHECK_THROWS_WITH_AS(config::from_json({{"objective", "mlp"}}, config, "F"),
                       "F: objective must be one of ridge, kl, output, dual; got 'mlp'",
                       base::UsageError);
}

}  // namespace
}  // namespace asap::test
