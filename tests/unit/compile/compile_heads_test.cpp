#include "compile/compile_heads.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "attention/tiled/bfloat16_kernels.h"
#include "support/temporary_folder.h"
#include "tensor/simd/instruction_set.h"
#include "unit/compile/small_activations.h"

namespace asap::test {
namespace {

bool same_heads(const compile::CompiledModel& a, const compile::CompiledModel& b) {
  for (std::size_t layer = 0; layer < a.heads.size(); ++layer)
    for (std::size_t head = 0; head < a.heads[layer].size(); ++head) {
      const attention::CompiledHead &x = a.heads[layer][head], &y = b.heads[layer][head];
      if (x.weights != y.weights ||
          !std::ranges::equal(x.query_slices.flat(), y.query_slices.flat()) ||
          !std::ranges::equal(x.key_slices.flat(), y.key_slices.flat()))
        return false;
    }
  return true;
}

TEST_CASE("Compiling a head explains most of its dual and beats the zero dual on unseen examples") {
  const compile::Activations activations = random_activations({.examples = 80}, 1, 8);
  compile::CompileConfig config = small_config();
  config.calibration = 60, config.held_out = 20;
  for (const compile::SliceKind kind :
       {compile::SliceKind::canonical, compile::SliceKind::random}) {
    config.slice_kind = kind;
    const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
    std::vector<compile::TeacherSample> held_out;
    for (std::int64_t e = 60; e < 80; ++e)
      held_out.push_back(compile::run_teacher(activations, 0, 0, e));
    const compile::HeadEvidence zero =
        compile::measure_head(attention::CompiledHead::zero_dual(0.4f), held_out);
    const compile::HeadEvidence& fitted = model.evidence[0][0];
    CHECK(zero.dual_r2 == doctest::Approx(0));
    CHECK(fitted.dual_r2 > 0.8);
    CHECK(fitted.plan_l1 < 0.5 * zero.plan_l1);
    CHECK(fitted.plan_kl < 0.25 * zero.plan_kl);
    CHECK(fitted.column_error < 0.5 * zero.column_error);
    CHECK(fitted.output_error < 0.5 * zero.output_error);
    CHECK(fitted.teacher_column_error == zero.teacher_column_error);
  }
}

TEST_CASE("Corrected iterations and landmarks come nearer to the teacher than the features alone") {
  const compile::Activations activations = random_activations({.examples = 80}, 1, 8);
  compile::CompileConfig config = small_config();
  config.calibration = 60, config.held_out = 20;
  const auto error = [&](const std::vector<std::string>& features) {
    config.features = features;
    return compile::compile_heads(activations, config, 1).evidence[0][0].output_error;
  };
  const double plain = error({"lse", "lse0"});
  const double one = error({"lse", "lse0", "it:1"});
  const double two = error({"lse", "lse0", "it:2"});
  CHECK(one < 0.8 * plain);
  CHECK(two < 0.8 * one);
  CHECK(error({"lse", "lse0", "landmarks:4"}) < 0.8 * plain);
  // A loop whose iterations go farther than they would is nearer than a loop of as many.
  const compile::CompiledModel relaxed = [&] {
    config.features = {"start", "it:2"};
    return compile::compile_heads(activations, config, 1);
  }();
  attention::CompiledHead plain_loop = relaxed.heads[0][0];
  std::ranges::fill(plain_loop.weights, 0.0f);
  compile::HeadMeasurement measured(plain_loop);
  tensor::Arena scratch;
  for (std::int64_t example = 60; example < 80; ++example)
    measured.add(compile::run_teacher(activations, 0, 0, example), scratch);
  CHECK(relaxed.evidence[0][0].output_error < 0.5 * measured.evidence().output_error);
}

TEST_CASE("A key bias explains most of the teacher's column dual, for N and M that differ") {
  const compile::Activations activations = random_activations({.examples = 80}, 1, 8);
  compile::CompileConfig config = small_config();
  config.mode = attention::CompiledMode::key_bias;
  config.calibration = 60, config.held_out = 20;
  const auto evidence = [&](const std::vector<std::string>& features) {
    config.features = features;
    const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
    CHECK(!model.heads[0][0].column_errors.measured());  // there is no certificate to compare
    return model.evidence[0][0];
  };
  const compile::HeadEvidence slices = evidence({"pot", "gau", "lin", "tilt"});
  CHECK(slices.dual_r2 > 0.8);
  const compile::HeadEvidence landmarks = evidence({"gau", "lin", "tilt", "landmarks:8"});
  CHECK(landmarks.output_error < 0.8 * slices.output_error);
  // Certificates are those of the row dual's closure.
  CHECK_FALSE(compile::compile_heads(activations, config, 1).heads[0][0].column_errors.measured());
  // With a landmark for every query, the landmark dual is the target: what is left is float32 and
  // the ridge.
  const compile::HeadEvidence all = evidence({"landmarks:256"});
  CHECK(all.dual_r2 > 0.999);
}

TEST_CASE("With auto a key bias chooses among maps and precisions, never a loop") {
  compile::CompileConfig config = small_config();
  config.mode = attention::CompiledMode::key_bias;
  config.features = {"auto"};
  config.slices = 6;
  config.calibration = 30, config.held_out = 10;
  const compile::CompiledModel model =
      compile::compile_heads(random_activations({.examples = 40}, 1, 8), config, 1);
  std::size_t single = 0, bfloat16 = 0;
  for (const compile::Candidate& candidate : model.choice.candidates) {
    CHECK(candidate.iterations == 0);
    ++(candidate.precision == attention::ProductPrecision::single ? single : bfloat16);
  }
  const bool possible = compile::shipped_profile(tensor::instruction_set()).has_bfloat16() &&
                        attention::bfloat16_kernels() != nullptr;
  CHECK(single == config.maps().size());
  CHECK(bfloat16 == (possible ? single : 0));
  CHECK(model.heads[0][0].mode == attention::CompiledMode::key_bias);
}

TEST_CASE("With auto each layer takes the cheapest map or loop that is exact enough") {
  const compile::Activations activations = random_activations({.examples = 40}, 2, 8);
  compile::CompileConfig config = small_config();
  config.features = {"auto"};
  config.slices = 50;  // more than a head of width 6 has
  config.calibration = 30, config.held_out = 10;
  for (const double error : {0.0, 0.01, 0.05, 0.5}) {
    CAPTURE(error);
    config.error = error;
    const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
    const compile::OperatorChoice& choice = model.choice;
    REQUIRE(choice.candidates.size() > 10);
    CHECK(std::ranges::is_sorted(choice.candidates, {}, &compile::Candidate::nanoseconds));
    for (std::size_t layer = 0; layer < 2; ++layer) {
      const double chosen = choice.of(layer).errors[layer];
      CHECK(chosen <= std::max(error, 1e-5));  // the whole loop has no error but rounding
      const compile::Candidate& taken = choice.of(layer);
      for (std::size_t c = 0; c < choice.chosen[layer]; ++c)
        CHECK((choice.candidates[c].errors[layer] > error ||
               (taken.iterations == activations.iterations &&
                choice.candidates[c].nanoseconds > 0.9 * taken.nanoseconds)));
      // The evidence is measured again, by itself.
      CHECK((model.evidence[layer][0].output_error + model.evidence[layer][1].output_error) / 2 ==
            doctest::Approx(chosen).epsilon(1e-12));
    }
  }
}

TEST_CASE("What auto takes is what the same map compiled by itself would be") {
  const compile::Activations activations = random_activations({.examples = 40}, 2, 8);
  compile::CompileConfig config = small_config();
  config.features = {"auto"};
  config.calibration = 30, config.held_out = 10;
  config.error = 0.5;
  // Heads of this size iterate faster than they predict, except by a profile that says otherwise.
  const TemporaryFolder folder;
  config.profile = (folder.path() / "profile.json").string();
  io::Json profile = compile::profile_json(compile::shipped_profile("AVX2"));
  profile["nanoseconds"]["loop"]["call"] = 1e9;
  io::write_json(config.profile, profile);
  const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
  REQUIRE_FALSE(model.choice.of(0).features.empty());
  config.features = model.choice.of(0).features;
  config.error = compile::CompileConfig().error;  // nothing is chosen any more
  const compile::CompiledModel alone = compile::compile_heads(activations, config, 1);
  CHECK(alone.choice.candidates.size() == 1);
  CHECK(alone.heads[0][1].weights == model.heads[0][1].weights);
  CHECK(alone.heads[0][1].column_errors.sorted == model.heads[0][1].column_errors.sorted);
}

TEST_CASE("A loop that a layer keeps is measured like a map, and has no dual of its own") {
  const compile::Activations activations = random_activations({.examples = 40}, 1, 3);
  compile::CompileConfig config = small_config();
  config.features = {"auto"};
  config.error = 0;
  const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
  CHECK_FALSE(model.heads[0][0].predicts());
  CHECK(model.heads[0][0].iterations == 3);
  CHECK(std::isnan(model.evidence[0][0].dual_r2));
  CHECK(model.evidence[0][0].plan_l1 < 1e-5);
  CHECK(model.evidence[0][0].column_error ==
        doctest::Approx(model.evidence[0][0].teacher_column_error).epsilon(1e-4));
  const attention::ColumnErrors& errors = model.heads[0][0].column_errors;
  REQUIRE(errors.sorted.size() == 12);
  CHECK(errors.quantile(0.5) == doctest::Approx(errors.teacher).epsilon(1));
}

TEST_CASE("Activations without values are judged by their plans") {
  compile::Activations activations = random_activations({.examples = 40}, 1, 8);
  activations.layers[0].values = {};
  compile::CompileConfig config = small_config();
  config.features = {"auto"};
  const compile::CompiledModel model = compile::compile_heads(activations, config, 1);
  const double l1 = (model.evidence[0][0].plan_l1 + model.evidence[0][1].plan_l1) / 2;
  CHECK(model.choice.of(0).errors[0] == doctest::Approx(l1).epsilon(1e-12));
}

TEST_CASE("The number of examples that passes take is known before") {
  const compile::Activations activations = random_activations({}, 1, 3);
  compile::CompileConfig config = small_config();
  for (const char* features : {"auto", "lse,it:2"}) {
    compile::set_from_text(config, "features", features, "test");
    std::int64_t last = 0, calls = 0;
    compile::compile_heads(activations, config, 1, [&](std::int64_t done, std::int64_t total) {
      CHECK(done > last);
      CHECK(total == compile::compile_steps(config));
      last = done, ++calls;
    });
    CHECK(last == compile::compile_steps(config));
    CHECK(calls > 1);
  }
}

TEST_CASE("The result is the same for any number of threads") {
  const compile::Activations activations = random_activations({}, 2, 3);
  for (const char* features : {"pot,gau,lin,tilt,lse", "auto"}) {
    compile::CompileConfig config = small_config();
    compile::set_from_text(config, "features", features, "test");
    const compile::CompiledModel one = compile::compile_heads(activations, config, 1);
    const compile::CompiledModel two = compile::compile_heads(activations, config, 2);
    CHECK(same_heads(one, two));
    CHECK(one.evidence[1][1].plan_kl == two.evidence[1][1].plan_kl);
  }
}

TEST_CASE("Held-out examples change the evidence and not the fit") {
  compile::Activations activations = random_activations({}, 1, 3);
  const compile::CompiledModel before = compile::compile_heads(activations, small_config(), 1);
  tensor::Tensor<float>& queries = activations.layers[0].queries;
  for (std::int64_t i = 8 * 14; i < queries.shape()[0]; ++i)
    for (float& value : queries.rows().row(i)) value *= 1.5f;
  const compile::CompiledModel after = compile::compile_heads(activations, small_config(), 1);
  CHECK(same_heads(before, after));
  CHECK(before.evidence[0][0].plan_l1 != after.evidence[0][0].plan_l1);
}

TEST_CASE("Padding does not enter the fit, and empty examples are left out") {
  compile::Activations activations = random_activations({}, 1, 3);
  activations.live_queries.assign(12, 9);
  activations.live_keys.assign(12, 7);
  activations.live_queries[2] = 0;
  const compile::CompiledModel before = compile::compile_heads(activations, small_config(), 1);
  for (std::int64_t example = 0; example < 12; ++example)
    for (std::int64_t token = 9; token < 14; ++token)
      for (float& value : activations.layers[0].queries.rows().row(example * 14 + token))
        value = 1e6f;
  CHECK(same_heads(before, compile::compile_heads(activations, small_config(), 1)));
}

TEST_CASE("What cannot be compiled is refused with the reason") {
  compile::Activations activations = random_activations({}, 1, 3);
  compile::CompileConfig config = small_config();
  config.slices = 7;
  CHECK_THROWS_WITH_AS(compile::compile_heads(activations, config, 1),
                       "`slices`: 7 canonical slices, but a head of width 6 has only 6",
                       base::UsageError);
  config = small_config();
  config.held_out = 5;
  CHECK_THROWS_WITH_AS(compile::compile_heads(activations, config, 1),
                       "test: 12 examples, but calibration and held_out need 13", base::DataError);
  config = small_config();
  config.objective = compile::DualObjective::output;
  activations.layers[0].values = {};
  CHECK_THROWS_WITH_AS(compile::compile_heads(activations, config, 1),
                       "`objective`: 'output' needs values, which the activations do not hold",
                       base::UsageError);
  activations.iterations = 0;
  CHECK_THROWS_AS(compile::compile_heads(activations, small_config(), 1), base::UsageError);
  activations = random_activations({}, 1, 3);
  for (float& value : activations.layers[0].queries.flat()) value *= 1e20f;
  for (float& value : activations.layers[0].keys.flat()) value *= 1e20f;
  config = small_config();
  config.features = {"auto"};
  CHECK_THROWS_AS(compile::compile_heads(activations, config, 1), base::NumericalError);
}

compile::Activations activations_with_slack(double slack) {
  compile::Activations activations = random_activations({.examples = 80}, 1, 8);
  for (compile::LayerActivations& layer : activations.layers)
    layer.slacks.assign(static_cast<std::size_t>(activations.heads), slack);
  return activations;
}

TEST_CASE("Heads with slack are compiled, too, and their corrected iterations come nearer") {
  compile::CompileConfig config = small_config();
  config.calibration = 60, config.held_out = 20;
  for (const double slack : {0.3, 3.0}) {
    const compile::Activations activations = activations_with_slack(slack);
    std::vector<compile::TeacherSample> held_out;
    for (std::int64_t e = 60; e < 80; ++e)
      held_out.push_back(compile::run_teacher(activations, 0, 0, e));
    const auto evidence = [&](const std::vector<std::string>& features) {
      config.features = features;
      return compile::compile_heads(activations, config, 1).evidence[0][0];
    };
    const compile::HeadEvidence zero = compile::measure_head(
        attention::CompiledHead::zero_dual(0.4f, static_cast<float>(slack)), held_out);
    const compile::HeadEvidence plain = evidence({"lse", "lse0"});
    const compile::HeadEvidence two = evidence({"lse", "lse0", "it:2"});
    CHECK(plain.dual_r2 > 0.7);
    CHECK(plain.output_error < 0.7 * zero.output_error);
    CHECK(two.output_error < 0.5 * plain.output_error);
  }
}

TEST_CASE("What attention with slack does not offer is refused") {
  compile::CompileConfig config = small_config();
  config.calibration = 60, config.held_out = 20;
  const compile::Activations activations = activations_with_slack(1);
  compile::CompileConfig bias = config, descent = config, landmarks = config;
  bias.mode = attention::CompiledMode::key_bias;
  bias.features = {"gau", "lin"};
  descent.features = {"lse"};
  descent.objective = compile::DualObjective::kl;
  landmarks.features = {"lse", "landmarks:4"};
  for (const compile::CompileConfig& one : {bias, descent, landmarks})
    CHECK_THROWS_WITH_AS(compile::compile_heads(activations, one, 1), doctest::Contains("slack"),
                         base::UsageError);
  config.features = {"auto"};  // leaves landmarks out by itself
  const compile::CompiledModel chosen = compile::compile_heads(activations, config, 1);
  for (const compile::Candidate& candidate : chosen.choice.candidates)
    CHECK(candidate.name().find("landmarks") == std::string::npos);
  CHECK(chosen.heads[0][0].slack == 1);
}

}  // namespace
}  // namespace asap::test
