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
  compile::set_from_text(config, "features", "it:3,lse0,landmarks:16", "--features");
  const attention::DualFeatures counted{false, false, false, false, false, true, 16, 3};
  CHECK(config.dual_features() == counted);
  CHECK(compile::feature_names(counted) ==
        std::vector<std::string>{"lse0", "landmarks:16", "it:3"});
  compile::set_from_text(config, "error", ".05", "--error");
  CHECK(config.error == 0.05);
  CHECK_THROWS_WITH_AS(compile::set_from_text(config, "error", ".", "--error"),
                       "--error: error expects number, got \".\"", base::UsageError);
  CHECK_THROWS_WITH_AS(compile::set_from_text(config, "slices", "many", "--slices"),
                       "--slices: slices expects integer, got \"many\"", base::UsageError);
}

TEST_CASE("Unknown, repeated and missing features and unknown objectives are refused") {
  compile::CompileConfig config;
  config.features = {"pot", "pto"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: unknown feature 'pto'",
                       base::UsageError);
  config.features = {"auto", "lse"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: auto stands among others",
                       base::UsageError);
  config.features = {"pot", "pot"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: 'pot' is named twice", base::UsageError);
  for (const char* wrong :
       {"it", "it:", "it:0", "it:65", "it:2x", "landmarks:0", "landmarks:257"}) {
    config.features = {"lse", wrong};
    CHECK_THROWS_AS(config.validate("F"), base::UsageError);
  }
  config.features = {"lse", "it:2", "it:3"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: 'it' is named twice", base::UsageError);
  config.features = {"it:2"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: it:K needs a feature to start from",
                       base::UsageError);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"start"},
                                                {"start", "lse", "it:2"},
                                                {"start", "landmarks:4", "it:2"}}) {
    config.features = wrong;
    CHECK_THROWS_WITH_AS(config.validate("F"),
                         "F: features: `start` goes with it:K and nothing else", base::UsageError);
  }
  config.features = {"start", "it:2"};
  config.validate("F");
  config.features = {"auto", "lse"};
  CHECK_THROWS_AS(config.validate("F"), base::UsageError);
  config.features = {"lse", "it:2"};
  config.objective = compile::DualObjective::kl;
  CHECK_THROWS_AS(config.validate("F"), base::UsageError);
  config = {};
  config.features = {};
  CHECK_THROWS_AS(config.validate("F"), base::UsageError);
  config = {};
  CHECK_THROWS_WITH_AS(config::from_json({{"objective", "mlp"}}, config, "F"),
                       "F: objective must be one of ridge, kl, output, dual; got 'mlp'",
                       base::UsageError);
}

TEST_CASE("limits without anything to choose from are refused") {
  const auto config_of = [](double error, double budget, std::vector<std::string> features) {
    compile::CompileConfig config;
    config.error = error;
    config.budget = budget;
    config.features = std::move(features);
    return config;
  };
  const double usual = compile::CompileConfig().error;
  for (const auto& config :
       {config_of(usual, 0, {"lse"}), config_of(0.1, 0, {"auto"}), config_of(usual, 1.5, {"auto"})})
    CHECK_NOTHROW(config.validate("F"));
  CHECK_THROWS_WITH_AS(config_of(usual, 1.5, {"lse"}).validate("F"), doctest::Contains("`budget`"),
                       base::UsageError);
  CHECK_THROWS_WITH_AS(config_of(0.1, 0, {"lse"}).validate("F"), doctest::Contains("`error`"),
                       base::UsageError);
  CHECK_THROWS_WITH_AS(config_of(0.1, 1.5, {"auto"}).validate("F"), doctest::Contains("exclude"),
                       base::UsageError);
  compile::CompileConfig descent = config_of(usual, 1.5, {"auto"});
  descent.objective = compile::DualObjective::kl;
  CHECK_THROWS_AS(descent.validate("F"), base::UsageError);
}

TEST_CASE("a key bias takes features that need no scores, and ridge regression") {
  compile::CompileConfig config;
  config.mode = attention::CompiledMode::key_bias;
  CHECK_NOTHROW(config.validate("F"));
  config.features = {"pot", "gau", "lin", "tilt", "landmarks:8"};
  CHECK_NOTHROW(config.validate("F"));
  for (const char* scores : {"lse", "lse0", "it:1"}) {
    config.features = {"gau", scores};
    CHECK_THROWS_AS(config.validate("F"), base::UsageError);
  }
  config.features = {"gau"};
  config.objective = compile::DualObjective::kl;
  CHECK_THROWS_AS(config.validate("F"), base::UsageError);
}

TEST_CASE("auto tries several sets of features, each of them valid") {
  compile::CompileConfig config;
  CHECK(config.chooses_features());
  CHECK(config.chooses_operator());
  for (const compile::DualObjective objective :
       {compile::DualObjective::ridge, compile::DualObjective::kl}) {
    config.objective = objective;
    for (const compile::CompileConfig& map : config.maps()) {
      CHECK_FALSE(map.chooses_features());
      CHECK_NOTHROW(map.validate("F"));
    }
  }
  config.mode = attention::CompiledMode::key_bias;
  config.objective = compile::DualObjective::ridge;
  for (const compile::CompileConfig& map : config.maps()) CHECK_NOTHROW(map.validate("F"));
  CHECK_FALSE(config.chooses_operator());  // a loop is no bias
  config.features = {"lse"};
  CHECK(config.maps().size() == 1);
}

}  // namespace
}  // namespace asap::test
