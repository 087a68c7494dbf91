#include "compile/compile_config.h"

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("Text sets the field of its key, and complaints name where it comes from") {
  compile::CompileConfig config;
  compile::set_from_text(config, "slices", "8", "--slices");
  compile::set_from_text(config, "slice_kind", "random", "--slice-kind");
  compile::set_from_text(config, "features", "gau,lin", "--features");
  CHECK(config.slices == 8);
  CHECK(config.slice_kind == compile::SliceKind::random);
  CHECK(config.features == std::vector<std::string>{"gau", "lin"});
  CHECK(config.dual_features() == attention::DualFeatures{false, true, true, false, false});
  CHECK_THROWS_WITH_AS(compile::set_from_text(config, "slices", "many", "--slices"),
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
