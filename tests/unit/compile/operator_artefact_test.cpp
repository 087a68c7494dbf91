#include "compile/operator_artefact.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <doctest/doctest.h>

#include "base/files.h"
#include "base/random.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "support/temporary_folder.h"

namespace asap::test {
namespace {

bool flags_need_ridge(const std::vector<std::string>& features) {
  return std::ranges::any_of(features,
                             [](const std::string& name) { return name.starts_with("it:"); });
}

compile::OperatorArtefact random_artefact(const std::vector<std::string>& features) {
  base::RandomStream random(51, base::RandomPurpose::test);
  compile::OperatorArtefact artefact;
  artefact.config.features = features;
  artefact.config.slices = 3;
  artefact.config.objective =
      flags_need_ridge(features) ? compile::DualObjective::ridge : compile::DualObjective::kl;
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
      head.teacher_iterations = 8;
      if (flags.landmarks > 0) {
        head.landmarks = tensor::Tensor<float>({flags.landmarks, 5});
        for (float& value : head.landmarks.flat()) value = static_cast<float>(random.normal());
      }
      head.column_errors = {
          .sorted = {0.01F, 0.02F, 0.5F}, .bounds = {0.02F, 0.03F, 0.9F}, .teacher = 0.25F};
      if (flags.start)
        head.column_errors.largest_start = static_cast<float>(0.1 + random.uniform());
      for (std::int64_t p = 0; p < flags.weight_count(3); ++p)
        head.weights.push_back(static_cast<float>(random.normal()));
    }
  }
  return artefact;
}

/// Writes an artefact, changes its tensors and description, and returns what loading says.
std::string complaint(const std::function<void(io::TensorFile&, io::Json&)>& damage,
                      const std::vector<std::string>& features = {"pot", "lse"}) {
  const TemporaryFolder folder;
  compile::save_operator(folder.path(), random_artefact(features));
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

TEST_CASE("An operator reads back as it was written, and equal ones have equal bytes") {
  for (const auto& features :
       std::vector<std::vector<std::string>>{{"pot", "gau", "lin", "tilt", "lse"},
                                             {"gau"},
                                             {"tilt", "lse"},
                                             {"lse", "lse0", "landmarks:4", "it:2"},
                                             {"start", "it:3"},
                                             {"gau", "lse0", "it:1"}}) {
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
    CHECK(read.config.objective == written.config.objective);
    REQUIRE(read.heads.size() == 2);
    for (std::size_t layer = 0; layer < 2; ++layer)
      for (std::size_t h = 0; h < 2; ++h) {
        const attention::CompiledHead &a = written.heads[layer][h], &b = read.heads[layer][h];
        CHECK(a.features == b.features);
        CHECK(a.score_scale == b.score_scale);
        CHECK(a.weights == b.weights);
        CHECK(std::ranges::equal(a.query_slices.flat(), b.query_slices.flat()));
        CHECK(std::ranges::equal(a.key_slices.flat(), b.key_slices.flat()));
        CHECK(std::ranges::equal(a.landmarks.flat(), b.landmarks.flat()));
        CHECK(b.teacher_iterations == 8);
        CHECK(a.column_errors.sorted == b.column_errors.sorted);
        CHECK(a.column_errors.bounds == b.column_errors.bounds);
        CHECK(a.column_errors.teacher == b.column_errors.teacher);
        CHECK(a.column_errors.largest_start == b.column_errors.largest_start);
      }
    for (const char* file : {"operator.safetensors", "operator.json"})
      CHECK(base::read_file(one.path() / file) ==
            base::read_file(two.path() / "made" / "on the way" / file));
  }
}

TEST_CASE("Every layer of an operator may run something else") {
  const TemporaryFolder folder;
  compile::OperatorArtefact written = random_artefact({"gau", "lse0", "it:1"});
  written.config.features = {"auto"};
  for (attention::CompiledHead& head : written.heads[0])
    head.precision = attention::ProductPrecision::bfloat16;
  for (attention::CompiledHead& head : written.heads[1])
    head = {.mode = attention::CompiledMode::sinkhorn,
            .score_scale = 0.5F,
            .teacher_iterations = 8,
            .iterations = 3,
            .column_errors = {
                .sorted = {0.1F, 0.2F, 0.3F}, .bounds = {0.2F, 0.3F, 0.4F}, .teacher = 0.05F}};
  written.choice = {{"error", 0.03}};
  written.other_data = {{"shift", {{"noise", 0.5}}}};
  compile::save_operator(folder.path(), written);
  const compile::OperatorArtefact read = compile::load_operator(folder.path());
  CHECK(read.config.chooses_features());
  CHECK(read.choice == written.choice);
  CHECK(read.other_data == written.other_data);
  CHECK(read.heads[0][1].precision == attention::ProductPrecision::bfloat16);
  CHECK(read.heads[0][1].weights == written.heads[0][1].weights);
  const attention::CompiledHead& loop = read.heads[1][1];
  CHECK_FALSE(loop.predicts());
  CHECK(loop.iterations == 3);
  CHECK(loop.teacher_iterations == 8);
  CHECK(loop.score_scale == 0.5F);
  CHECK(loop.weights.empty());
  CHECK(loop.column_errors.sorted == std::vector<float>{0.1F, 0.2F, 0.3F});
}

TEST_CASE("An operator remembers whether it predicts a key bias") {
  const TemporaryFolder folder;
  compile::OperatorArtefact written = random_artefact({"gau", "landmarks:4"});
  written.config.objective = compile::DualObjective::ridge;
  for (const auto mode : {attention::CompiledMode::row_dual, attention::CompiledMode::key_bias}) {
    written.config.mode = mode;
    compile::save_operator(folder.path(), written);
    const compile::OperatorArtefact read = compile::load_operator(folder.path());
    CHECK(read.config.mode == mode);
    for (const auto& layer : read.heads)
      for (const attention::CompiledHead& head : layer) CHECK(head.mode == mode);
  }
}

TEST_CASE("A damaged operator is refused, naming file and field") {
  CHECK(complaint([](io::TensorFile&, io::Json&) {}) == "nothing");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["format"] = "other"; }) ==
        "operator.json: not a compiled operator");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json = io::Json::array(); }) ==
        "operator.json: not a compiled operator");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["version"] = 5; }) ==
        "operator.json: format version 5, this version of the toolkit reads versions 1 to 4");
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["version"] = 1;
          json["slices"] = 3;
          json.erase("operators");
        }) == "nothing");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["calibration_data"] = 3; }) ==
        "operator.json: field 'calibration_data': expected an object of keys");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json.erase("heads"); }) ==
        "operator.json: field 'heads' is missing");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["heads"] = "two"; }) ==
        "operator.json: field 'heads': expected a whole number, got \"two\"");
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["heads"] = 0;
        }).starts_with("operator.json: field 'heads': 0 is not between"));
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][1]["slices"] = std::int64_t{1} << 60;
        }).starts_with("operator.json: operators[1]: field 'slices': "));
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["fit"]["features"] = {"pot", "new"};
        }).find("unknown feature 'new'") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][0]["features"] = {"pot", "new"};
        }).starts_with("operator.json: operators[0]: features: unknown feature 'new'"));
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][0]["features"] = {"start", "lse", "it:2"};
        }).starts_with("operator.json: operators[0]: features: `start` goes with it:K"));
  CHECK(
      complaint([](io::TensorFile&, io::Json& json) {
        json["fit"].update({{"mode", "key_bias"}, {"features", {"auto"}}, {"objective", "ridge"}});
        json["operators"][0]["features"] = {"lse", "it:1"};
      }) == "operator.json: operators[0]: features: a key bias is known before the scores");
  CHECK(complaint(
            [](io::TensorFile&, io::Json& json) { json["operators"][0]["features"] = "pot"; }) ==
        "operator.json: operators[0]: field 'features': expected a list of texts, got "
        "\"pot\"");
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][0]["features"] = {"pot", "landmarks:2"};
        }).find("layers.0.landmarks") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["version"] = 2;
          json["slices"] = 3;
          json["fit"]["features"] = {"auto"};
        }).find("'auto' is not what was fitted") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][0]["features"] = {"pot"};
        }).find("layers.0.weights") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][1]["slices"] = 2;
        }).starts_with("operator.safetensors"));
  CHECK(complaint(
            [](io::TensorFile&, io::Json& json) { json["operators"][1]["precision"] = "half"; }) ==
        "operator.json: operators[1]: field 'precision': expected single or bfloat16, got "
        "'half'");
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["operators"][1] = 3; }) ==
        "operator.json: operators[1]: expected an object");
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["operators"][1] = {{"iterations", 0}};
        }).starts_with("operator.json: operators[1]: field 'iterations': 0 is not between"));
  CHECK(complaint([](io::TensorFile&, io::Json& json) { json["layers"] = 3; }) ==
        "operator.json: field 'operators': expected a list of 3 layers");
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

TEST_CASE("Operators without column errors are read, damaged column errors are not") {
  CHECK(complaint([](io::TensorFile& file, io::Json& json) {
          for (const char* layer : {"0", "1"})
            for (const char* name :
                 {".column_errors", ".column_error_bounds", ".teacher_column_errors"})
              file.tensors.erase(std::string("layers.") + layer + name);
          json.erase("column_error_examples");
          json.erase("column_error_bound_examples");
        }) == "nothing");
  CHECK(complaint([](io::TensorFile& file, io::Json& json) {  // of an earlier version
          for (const char* layer : {"0", "1"})
            file.tensors.erase(std::string("layers.") + layer + ".column_error_bounds");
          json.erase("column_error_bound_examples");
        }) == "nothing");
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          file.tensors.erase("layers.1.column_error_bounds");
        }).find("layers.1.column_error_bounds") != std::string::npos);
  CHECK(complaint([](io::TensorFile&, io::Json& json) {
          json["column_error_bound_examples"] = 2;
        }).find("column_error_bound_examples") != std::string::npos);
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          file.tensors.erase("layers.1.column_errors");
        }).find("layers.1.column_errors") != std::string::npos);
  CHECK(complaint([](io::TensorFile& file, io::Json&) {
          tensor::Tensor<float> errors({2, 3});
          errors[0] = 1;
          file.put("layers.0.column_errors", errors);
        }) == "operator.safetensors: tensor 'layers.0.column_errors' does not ascend");
}

TEST_CASE("Relaxed loops without errors of their starts are read, damaged ones are not") {
  const std::vector<std::string> features{"start", "it:2"};
  const auto erase = [](io::TensorFile& file) {
    for (const char* layer : {"0", "1"})
      file.tensors.erase(std::string("layers.") + layer + ".largest_start_errors");
  };
  CHECK(complaint(
            [&](io::TensorFile& file, io::Json& json) {  // of an earlier version
              erase(file);
              for (io::Json& layer : json["operators"]) layer.erase("start_errors");
            },
            features) == "nothing");
  CHECK(complaint([&](io::TensorFile& file, io::Json&) { erase(file); }, features)
            .find("layers.0.largest_start_errors") != std::string::npos);
  CHECK(complaint(
            [](io::TensorFile&, io::Json& json) { json["operators"][1]["start_errors"] = "yes"; },
            features) ==
        "operator.json: operators[1]: field 'start_errors': expected true or false, got \"yes\"");
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

TEST_CASE("An operator with slack is read back; without, its version is that of before") {
  const TemporaryFolder folder;
  compile::OperatorArtefact artefact = random_artefact({"lse", "lse0", "it:1"});
  compile::save_operator(folder / "none", artefact);
  artefact.heads[1][0].slack = 2.5F;
  compile::save_operator(folder / "slack", artefact);
  const auto version = [&](const char* name) {
    return io::parse_json(base::read_file(folder / name / "operator.json"), name)["version"]
        .get<int>();
  };
  CHECK(version("none") == compile::OperatorArtefact::kVersionWithoutSlack);
  CHECK(version("slack") == compile::OperatorArtefact::kVersion);
  const compile::OperatorArtefact back = compile::load_operator(folder / "slack");
  CHECK(back.heads[0][0].slack == 0);
  CHECK(back.heads[1][0].slack == 2.5F);
  CHECK(back.heads[1][1].slack == 0);
  CHECK(compile::load_operator(folder / "none").heads[1][0].slack == 0);
}

}  // namespace
}  // namespace asap::test
