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

namespace asap {
namespace {

OperatorArtefact random_artefact(const std::vector<std::string>& features) {
  RandomStream random(51, RandomPurpose::test);
  OperatorArtefact artefact;
  artefact.config.features = features;
  artefact.config.slices = 3;
  artefact.config.objective = DualObjective::kl;
  artefact.head_width = 5;
  artefact.teacher_iterations = 8;
  artefact.model_fingerprint = "abc";
  artefact.calibration_source = "drawn";
  const DualFeatures flags = artefact.config.dual_features();
  for (int layer = 0; layer < 2; ++layer) {
    artefact.heads.emplace_back(2);
    for (CompiledHead& head : artefact.heads.back()) {
      head.features = flags;
      head.score_scale = static_cast<float>(0.1 + random.uniform());
      if (flags.uses_slices()) {
        head.query_slices = Tensor<float>({3, 5});
        head.key_slices = Tensor<float>({3, 5});
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
    const OperatorArtefact written = random_artefact(features);
    save_operator(one.path(), written);
    save_operator(two.path() / "made" / "on the way", written);
    const OperatorArtefact read = load_operator(one.path());
    CHECK(read.head_width == 5);
    CHECK(read.teacher_iterations == 8);
    CHECK(read.model_fingerprint == "abc");
    CHECK(read.calibration_source == "drawn");
    CHECK(read.config.features == features);
    CHECK(read.config.objective == DualObjective::kl);
    REQUIRE(read.heads.size() == 2);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (std::size_t h = 0; h < 2; ++h) {
        const CompiledHead &a = written.heads[layer][h], &b = read.heads[layer][h];
        CHECK(a.features == b.features);
        CHECK(a.score_scale == b.score_scale);
        CHECK(a.weights == b.weights);
        CHECK(std::ranges::equal(a.query_slices.flat(), b.query_slices.flat()));
        CHECK(std::ranges::equal(a.key_slices.flat(), b.key_slices.flat()));
      }
    for (const char* file : {"operator.safetensors", "operator.json"})
      CHECK(read_file(one.path() / file) == read_file(two.path() / "made" / "on the way" / file));
  }
}

/// Writes an artefact, changes its tensors and description, and returns what loading says.
std::string complaint(const std::function<void(TensorFile&, Json&)>& damage) {
  const TemporaryFolder folder;
  save_operator(folder.path(), random_artefact({"pot", "lse"}));
  TensorFile tensors = read_safetensors(folder.path() / "operator.safetensors");
  Json json = read_json(folder.path() / "operator.json");
  const std::string before = serialise_safetensors(tensors);
  damage(tensors, json);
  const std::string after = serialise_safetensors(tensors);
  write_file_atomically(folder.path() / "operator.safetensors", after);
  // Damage to the tensors is hidden from the fingerprint, so that the checks behind it are reached.
  if (after != before) json["tensors_fingerprint"] = content_fingerprint(after);
  write_json(folder.path() / "operator.json", json);
  try {
    load_operator(folder.path());
  } catch (const DataError& error) {
    const std::string text = error.what();
    CHECK(text.find('\n') == std::string::npos);
    const std::size_t name = text.find("operator.");
    return name == std::string::npos ? text : text.substr(name);
  }
  return "nothing";
}

TEST_CASE("A damaged operator is refused, naming file and field") {
  CHECK(complaint([](TensorFile&, Json&) {}) == "nothing");
  CHECK(complaint([](TensorFile&, Json& json) { json["format"] = "other"; }) ==
        "operator.json: not a compiled operator");
  CHECK(complaint([](TensorFile&, Json& json) { json = Json::array(); }) ==
        "operator.json: not a compiled operator");
  CHECK(complaint([](TensorFile&, Json& json) { json["version"] = 2; }) ==
        "operator.json: format version 2, this version of the toolkit reads version 1");
  CHECK(complaint([](TensorFile&, Json& json) { json.erase("heads"); }) ==
        "operator.json: field 'heads' is missing");
  CHECK(complaint([](TensorFile&, Json& json) { json["heads"] = "two"; }) ==
        "operator.json: field 'heads': expected a whole number, got \"two\"");
  CHECK(complaint([](TensorFile&, Json& json) {
          json["heads"] = 0;
        }).starts_with("operator.json: field 'heads': 0 is not between"));
  CHECK(complaint([](TensorFile&, Json& json) {
          json["slices"] = std::int64_t{1} << 60;
        }).starts_with("operator.json: field 'slices': "));
  CHECK(complaint([](TensorFile&, Json& json) {
          json["fit"]["features"] = {"pot", "new"};
        }).find("unknown feature 'new'") != std::string::npos);
  CHECK(complaint([](TensorFile&, Json& json) {
          json["fit"]["features"] = {"pot"};
        }).find("layers.0.weights") != std::string::npos);
  CHECK(complaint([](TensorFile&, Json& json) {
          json["slices"] = 2;
        }).starts_with("operator.safetensors"));
  CHECK(complaint([](TensorFile&, Json& json) { json["layers"] = 3; }).find("layers.2.") !=
        std::string::npos);
  CHECK(complaint([](TensorFile&, Json& json) {
          json["tensors_fingerprint"] = "0";
        }).find("does not belong to operator.json") != std::string::npos);
}

TEST_CASE("Damaged tensors of an operator are refused, naming the tensor") {
  CHECK(complaint([](TensorFile& file, Json&) {
          file.tensors.erase("layers.1.key_slices");
        }).find("layers.1.key_slices") != std::string::npos);
  CHECK(complaint([](TensorFile& file, Json&) {
          file.put("layers.0.weights", Tensor<float>({2, 3}));
        }).find("layers.0.weights") != std::string::npos);
  CHECK(complaint([](TensorFile& file, Json&) {
          Tensor<float> weights({2, 4});
          weights[5] = NAN;
          file.put("layers.0.weights", weights);
        }) == "operator.safetensors: tensor 'layers.0.weights' holds a value that is not finite");
  CHECK(complaint([](TensorFile& file, Json&) {
          file.put("layers.1.score_scales", Tensor<float>({2}));
        }) == "operator.safetensors: tensor 'layers.1.score_scales' must be positive");
}

TEST_CASE("A truncated or missing file of an operator is refused") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(load_operator(folder.path()), DataError);
  save_operator(folder.path(), random_artefact({"pot"}));
  const std::string bytes = read_file(folder.path() / "operator.safetensors");
  write_file_atomically(folder.path() / "operator.safetensors", bytes.substr(0, bytes.size() - 1));
  CHECK_THROWS_AS(load_operator(folder.path()), DataError);
  std::filesystem::remove(folder.path() / "operator.safetensors");
  CHECK_THROWS_AS(load_operator(folder.path()), DataError);
}

TEST_CASE("An operator of another model is refused, naming both") {
  OperatorArtefact artefact = random_artefact({"pot"});
  CHECK_NOTHROW(require_compiled_for(artefact, "OP", "abc"));
  CHECK_THROWS_WITH_AS(require_compiled_for(artefact, "OP", "def"),
                       "OP: compiled for the model abc, but this model is def", DataError);
  artefact.model_fingerprint = "";
  CHECK_THROWS_WITH_AS(require_compiled_for(artefact, "OP", "def"),
                       "OP: compiled for activations of an unknown model, but this model is def",
                       DataError);
}

TEST_CASE("Flags set the field of their name and complain in their own name") {
  CompileConfig config;
  set_from_flag(config, "--slices", "8");
  set_from_flag(config, "--slice-kind", "random");
  set_from_flag(config, "--features", "gau,lin");
  CHECK(config.slices == 8);
  CHECK(config.slice_kind == SliceKind::random);
  CHECK(config.features == std::vector<std::string>{"gau", "lin"});
  CHECK(config.dual_features() == DualFeatures{false, true, true, false, false});
  CHECK_THROWS_WITH_AS(set_from_flag(config, "--slices", "many"),
                       "--slices: slices expects integer, got \"many\"", UsageError);
}

TEST_CASE(
    "Unknown, repeated and missing features and objectives that do not exist yet are refused") {
  CompileConfig config;
  config.features = {"pot", "pto"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: unknown feature 'pto'", UsageError);
  config.features = {"pot", "pot"};
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: features: 'pot' stands twice", UsageError);
  config.features = {};
  CHECK_THROWS_AS(config.validate("F"), UsageError);
  config = {};
  config.objective = DualObjective::mlp;
  CHECK_THROWS_WITH_AS(config.validate("F"), "F: objective: 'mlp' is not available in this version",
                       UsageError);
}

/// What reading activations says after `damage`, or "nothing".
std::string activation_complaint(const std::function<void(TensorFile&)>& damage) {
  const TemporaryFolder folder;
  TensorFile file;
  for (const char* layer : {"layers.0.", "layers.1."}) {
    file.put(std::string(layer) + "queries", Tensor<float>({3, 6, 8}));
    file.put(std::string(layer) + "keys", Tensor<float>({3, 5, 8}));
    file.put(std::string(layer) + "values", Tensor<float>({3, 5, 4}));
  }
  damage(file);
  write_safetensors(folder.path() / "qk.safetensors", file);
  try {
    const Activations read = read_activations(folder.path() / "qk.safetensors",
                                              {.heads = 2, .iterations = 5, .epsilon = 0.5});
    CHECK(read.examples == 3);
    CHECK(read.layers.size() == 2);
    CHECK(read.batch(1).head_width() == 4);
    CHECK(read.layers[0].score_scales == std::vector<double>{1.0, 1.0});  // 1 / (√4 ½)
  } catch (const DataError& error) {
    const std::string text = error.what();
    return text.substr(text.find("qk.safetensors") + 16);
  }
  return "nothing";
}

TEST_CASE("Activations from elsewhere are checked tensor by tensor") {
  CHECK(activation_complaint([](TensorFile&) {}) == "nothing");
  CHECK(activation_complaint([](TensorFile& file) {
          Tensor<std::int32_t> live({3});
          live[0] = live[1] = live[2] = 5;
          file.put("live_queries", live);
        }) == "nothing");
  CHECK(activation_complaint([](TensorFile& file) {
          Tensor<std::int32_t> live({3});
          live[1] = 7;
          file.put("live_queries", live);
        }) == "live_queries: 7 is not between 0 and 6");
  CHECK(activation_complaint([](TensorFile& file) {
          file.put("layers.0.queries", Tensor<float>({3, 8}));
        }) == "layers.0.queries: expected [examples, tokens, heads * width], got [3, 8]");
  CHECK(activation_complaint([](TensorFile& file) {
          file.put("layers.1.keys", Tensor<float>({3, 4, 8}));
        }) == "layers.1.keys: expected 3 examples of 5 tokens, got [3, 4, 8]");
  CHECK(activation_complaint([](TensorFile& file) {
          file.put("layers.0.keys", Tensor<float>({3, 5, 10}));
        }) == "layers.0.keys: width 10 differs from the queries' 8");
  CHECK(activation_complaint([](TensorFile& file) {
          file.put("layers.0.keys", Tensor<float>({3, 5, 9}));
        }) == "layers.0.keys: last dimension 9 is not a multiple of 2 heads");
  CHECK(activation_complaint([](TensorFile& file) {
          file.put("layers.1.keys", Tensor<std::int32_t>({3, 5, 8}));
        }) == "layers.1.keys: expected float32, got int32");
  CHECK(activation_complaint([](TensorFile& file) {
          Tensor<float> queries({3, 6, 8});
          queries[0] = INFINITY;
          file.put("layers.0.queries", queries);
        }) == "layers.0.queries: holds a value that is not finite");
  CHECK(activation_complaint([](TensorFile& file) {
          file.tensors.erase("layers.0.keys");
        }).find("layers.0.keys") != std::string::npos);
}

TEST_CASE("Calibration examples are drawn without repetition and depend on the seed alone") {
  const std::vector<std::int64_t> drawn = draw_examples(100, 60, 1);
  std::vector<std::int64_t> sorted = drawn;
  std::ranges::sort(sorted);
  CHECK(std::ranges::adjacent_find(sorted) == sorted.end());
  CHECK(sorted.front() >= 0);
  CHECK(sorted.back() < 100);
  CHECK(draw_examples(100, 60, 1) == drawn);
  CHECK(draw_examples(100, 60, 2) != drawn);
  const std::vector<std::int64_t> fewer = draw_examples(100, 20, 1);
  CHECK(std::ranges::equal(fewer, std::span(drawn).first(20)));
}

}  // namespace
}  // namespace asap
