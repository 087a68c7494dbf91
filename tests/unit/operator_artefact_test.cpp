#include "compile/operator_artefact.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "base/files.h"
#include "base/random.h"
#include "compile/activations.h"
#include "compile/calibration.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "support/temporary_folder.h"

using namespace asap::test;

namespace asap {
namespace {

compile::OperatorArtefact random_artefact(const std::vector<std::string>& features) {
  base::RandomStream random(51, base::RandomPurpose::test);
  compile::OperatorArtefact artefact;
  artefact.config.features = features;
  artefact.config.slices = 3;
  artefact.config.objective = compile::DualObjective::kl;
  artefact.head_width = 5;
  artefact.teacher_iterations = 8;
  artefact.model_fingerprint = "abc";
  artefact.calibration_source = "drawn";
  const attention::DualFeatures flags = artefact.config.dual_features();
  for (int layer = 0; layer < 2; ++layer) {
    artefact.heads.emplace_back(2);
    for (attention::CompiledHead& head : artefact.heads.back()) {
      head.features = flags;
      head.score_scale = static_cast<float>(0.1 + random.uniform());
      if (flags.uses_slices()) {
        head.query_slices = tensor::Tensor<float>({3, 5});
        head.key_slices = tensor::Tensor<float>({3, 5});
        for (float& value : head.query_slices.flat()) value = static_cast<float>(random.normal());
        for (float& value : head.key_slices.flat()) value = static_cast<float>(random.normal());
      }
      for (std::int64_t p = 0; p < flags.count(3); ++p)
        head.weights.push_back(static_cast<float>(random.normal()));
    }
  }
  return artefact;
}

TEST_CASE("An operator reads back as it was written, and equal ones have equal bytes") {
  for (const auto& features : std::vector<std::vector<std::string>>{
           {"pot", "gau", "lin", "tilt", "lse"}, {"gau"}, {"tilt", "lse"}}) {
    const TemporaryFolder one, two;
    const compile::OperatorArtefact written = random_artefact(features);
    compile::save_operator(one.path(), written);
    compile::save_operator(two.path() / "made" / "on the way", written);
    const compile::OperatorArtefact read = compile::load_operator(one.path());
    CHECK(read.head_width == 5);
    CHECK(read.teacher_iterations == 8);
    CHECK(read.model_fingerprint == "abc");
    CHECK(read.calibration_source == "drawn");
    CHECK(read.config.features == features);
    CHECK(read.config.objective == compile::DualObjective::kl);
    REQUIRE(read.heads.size() == 2);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (std::size_t h = 0; h < 2; ++h) {
        const attention::CompiledHead &a = written.heads[layer][h], &b = read.heads[layer][h];
        CHECK(a.features == b.features);
        CHECK(a.score_scale == b.score_scale);
        CHECK(a.weights == b.weights);
        CHECK(std::ranges::equal(a.query_slices.flat(), b.query_slices.flat()));
        CHECK(std::ranges::equal(a.key_slices.flat(), b.key_slices.flat()));
      }
    for (const char* file : {"operator.safetensors", "operator.json"})
      CHECK(base::read_file(one.path() / file) ==
            base::read_file(two.path() / "made" / "on the way" / file));
  }
}

/// Writes an artefact, changes its tensors and description, and returns what loading says.
std::string complaint(const std::function<void(io::TensorFile&, io::Json&)>& damage) {
  const TemporaryFolder folder;
  compile::save_operator(folder.path(), random_artefact({"pot", "lse"}));
  io::TensorFile tensors = io::read_safetensors(folder.path() / "operator.safetensors");
  io::Json json = io::read_json(folder.path() / "operator.json");
  const std::string before = io::serialise_safetensors(tensors);
  damage(tensors, json);
  const std::string after = io::serialise_safetensors(tensors);
  base::write_file_atomically(folder.path() / "operator.safetensors", after);
  // Damage to the tensors is hidden from the fingerprint, so that the checks behind it are reached.
  if (after != before) json["tensors_fingerprint"] = base::content_fingerprint(after);
  io::write_json(folder.path() / "operator.json", json);
  try {
    compile::load_operator(folder.path());
  } catch (const base::DataError& error) {
    const std::string text = error.what();
    CHECK(text.find('\n') == std::string::npos);
    const std::size_t name = text.find("operator.");
    return name == std::string::npos ? text : text.substr(name);
  }
  return "nothing";
}

TEST_CASE("A damaged operator is refused, naming file and field") {
  CHECK(complaint([](io::TensorFile&, io::Json&) {}) == "nothing");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["format"] = "other"; }) ==
        "operator.json: not a compiled operator");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json = io::Json::array(); }) ==
        "operator.json: not a compiled operator");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["version"] = 2; }) ==
        "operator.json: format version 2, this version of the toolkit reads version 1");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json.erase("heads"); }) ==
        "operator.json: field 'heads' is missing");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["heads"] = "two"; }) ==
        "operator.json: field 'heads': expected a whole number, got \"two\"");
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["heads"] = 0;
        }).starts_with("operator.json: field 'heads': 0 is not between"));
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["slices"] = std::int64_t{1} << 60;
        }).starts_with("operator.json: field 'slices': "));
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["fit"]["features"] = {"pot", "new"};
        }).find("unknown feature 'new'") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["fit"]["features"] = {"pot"};
        }).find("layers.0.weights") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["slices"] = 2;
        }).starts_with("operator.safetensors"));
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["layers"] = 3; }).find("layers.2.") !=
        std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["tensors_fingerprint"] = "0";
        }).find("does not belong to operator.json") != std::string::npos);
}

TEST_CASE("Damaged tensors of an operator are refused, naming the tensor") {
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          file.tensors.erase("layers.1.key_slices");
        }).find("layers.1.key_slices") != std::string::npos);
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          file.put("layers.0.weights", tensor::Tensor<float>({2, 3}));
        }).find("layers.0.weights") != std::string::npos);
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          tensor::Tensor<float> weights({2, 4});
          weights[5] = NAN;
          file.put("layers.0.weights", weights);
        }) == "operator.safetensors: tensor 'layers.0.weights' holds a value that is not finite");
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          file.put("layers.1.score_scales", tensor::Tensor<float>({2}));
        }) == "operator.safetensors: tensor 'layers.1.score_scales' must be positive");
}

TEST_CASE("A truncated or missing file of an operator is refused") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(compile::load_operator(folder.path()), base::DataError);
  compile::save_operator(folder.path(), random_artefact({"pot"}));
  const std::string bytes = base::read_file(folder.path() / "operator.safetensors");
  base::write_file_atomically(folder.path() / "operator.safetensors",
                              bytes.substr(0, bytes.size() - 1));
  CHECK_THROWS_AS(compile::load_operator(folder.path()), base::DataError);
  std::filesystem::remove(folder.path() / "operator.safetensors");
  CHECK_THROWS_AS(compile::load_operator(folder.path()), base::DataError);
}

TEST_CASE("An operator of another model is refused, naming both") {
  compile::OperatorArtefact artefact = random_artefact({"pot"});
  CHECK_NOTHROW(compile::require_compiled_for(artefact, "OP", "abc"));
  CHECK_THROWS_WITH_AS(compile::require_compiled_for(artefact, "OP", "def"),
                       "OP: compiled for the model abc, but this model is def", base::DataError);
  artefact.model_fingerprint = "";
  CHECK_THROWS_WITH_AS(compile::require_compiled_for(artefact, "OP", "def"),
                       "OP: compiled for activations of an unknown model, but this model is def",
                       base::DataError);
}

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

/// What reading activations says after `damage`, or "nothing".
std::string activation_complaint(const std::function<void(io::TensorFile&)>& damage) {
  const TemporaryFolder folder;
  io::TensorFile file;
  for (const char* layer : {"layers.0.", "layers.1."}) {
    file.put(std::string(layer) + "queries", tensor::Tensor<float>({3, 6, 8}));
    file.put(std::string(layer) + "keys", tensor::Tensor<float>({3, 5, 8}));
    file.put(std::string(layer) + "values", tensor::Tensor<float>({3, 5, 4}));
  }
  damage(file);
  io::write_safetensors(folder.path() / "qk.safetensors", file);
  try {
    const compile::Activations read = compile::read_activations(
        folder.path() / "qk.safetensors", {.heads = 2, .iterations = 5, .epsilon = 0.5});
    CHECK(read.examples == 3);
    CHECK(read.layers.size() == 2);
    CHECK(read.batch(1).head_width() == 4);
    CHECK(read.layers[0].score_scales == std::vector<double>{1.0, 1.0});  // 1 / (√4 ½)
  } catch (const base::DataError& error) {
    const std::string text = error.what();
    return text.substr(text.find("qk.safetensors") + 16);
  }
  return "nothing";
}

TEST_CASE("Activations from elsewhere are checked tensor by tensor") {
  CHECK(activation_complaint([](io::TensorFile&) {}) == "nothing");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<std::int32_t> live({3});
          live[0] = live[1] = live[2] = 5;
          file.put("live_queries", live);
        }) == "nothing");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<std::int32_t> live({3});
          live[1] = 7;
          file.put("live_queries", live);
        }) == "live_queries: 7 is not between 0 and 6");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.queries", tensor::Tensor<float>({3, 8}));
        }) == "layers.0.queries: expected [examples, tokens, heads * width], got [3, 8]");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.1.keys", tensor::Tensor<float>({3, 4, 8}));
        }) == "layers.1.keys: expected 3 examples of 5 tokens, got [3, 4, 8]");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 10}));
        }) == "layers.0.keys: width 10 differs from the queries' 8");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.0.keys", tensor::Tensor<float>({3, 5, 9}));
        }) == "layers.0.keys: last dimension 9 is not a multiple of 2 heads");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.put("layers.1.keys", tensor::Tensor<std::int32_t>({3, 5, 8}));
        }) == "layers.1.keys: expected float32, got int32");
  CHECK(activation_complaint([](io::TensorFile& file) {
          tensor::Tensor<float> queries({3, 6, 8});
          queries[0] = INFINITY;
          file.put("layers.0.queries", queries);
        }) == "layers.0.queries: holds a value that is not finite");
  CHECK(activation_complaint([](io::TensorFile& file) {
          file.tensors.erase("layers.0.keys");
        }).find("layers.0.keys") != std::string::npos);
}

TEST_CASE("Calibration examples are drawn without repetition and depend on the seed alone") {
  const std::vector<std::int64_t> drawn = compile::draw_examples(100, 60, 1);
  std::vector<std::int64_t> sorted = drawn;
  std::ranges::sort(sorted);
  CHECK(std::ranges::adjacent_find(sorted) == sorted.end());
  CHECK(sorted.front() >= 0);
  CHECK(sorted.back() < 100);
  CHECK(compile::draw_examples(100, 60, 1) == drawn);
  CHECK(compile::draw_examples(100, 60, 2) != drawn);
  const std::vector<std::int64_t> fewer = compile::draw_examples(100, 20, 1);
  CHECK(std::ranges::equal(fewer, std::span(drawn).first(20)));
}

}  // namespace
}  // namespace asap
