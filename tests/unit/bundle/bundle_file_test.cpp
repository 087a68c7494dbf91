#include "bundle/bundle_file.h"

#include <algorithm>
#include <functional>

#include <doctest/doctest.h>

#include "data/batch.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "support/damage.h"
#include "support/expect_error.h"
#include "support/share.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::config;
using namespace asap::io;
using namespace asap::test;

namespace {

/// A run on texts with an operator, and its bundle.
struct TextBundle {
  TemporaryFolder folder;
  std::string bytes;

  explicit TextBundle(const TextConfig& text = {}) {
    write_text_run(folder / "run", folder / "data", text);
    write_operator(folder / "operator", folder / "run");
    bytes = make_bundle(folder / "run", folder / "operator");
  }
};

/// The logits of one text by the teacher of a model.
std::vector<float> logits_of(const TrainedModel& model) {
  const std::vector<std::int32_t> ids = {1, 2, 3};
  asap::tensor::Tensor<float> logits({1, model.encoder.config().classes});
  asap::tensor::Arena arena;
  model.encoder.forward({.examples = 1, .tokens = 3, .ids = ids}, *model.encoder.teacher(),
                        logits.rows(), arena);
  return {logits.flat().begin(), logits.flat().end()};
}

/// What reading says after a change of the bundle that its fingerprint does not show.
void expect_refused(const std::string& bytes, const std::function<void(TensorFile&)>& change,
                    std::initializer_list<const char*> parts) {
  TensorFile file = parse_safetensors(bytes, "bundle");
  change(file);
  file.metadata["content"] = content_fingerprint_of(file);
  expect_error<DataError>([&] { parse_bundle(serialise_safetensors(file), "model.safetensors"); },
                          parts);
}

void change_json(TensorFile& file, const char* key, const std::function<void(Json&)>& change) {
  Json json = Json::parse(file.metadata.at(key));
  change(json);
  file.metadata[key] = format_json_line(json);
}

}  // namespace

TEST_CASE("a bundle gives back network, classes, tokenizer, operator and configuration of a run") {
  for (const TokenizerKind kind :
       {TokenizerKind::words, TokenizerKind::bytes, TokenizerKind::sentencepiece}) {
    TextConfig text;
    text.tokenizer = kind;
    text.vocabulary_size = 60;
    text.min_count = 1;
    const TextBundle made(text);
    const TrainedModel run = load_run(made.folder / "run", made.folder / "operator");
    const TrainedModel model = parse_bundle(made.bytes, "bundle");
    CHECK(logits_of(model) == logits_of(run));
    CHECK(model.class_names == std::vector<std::string>{"bad", "good"});
    CHECK(model.encoder.fingerprint() == run.encoder.fingerprint());
    REQUIRE(model.codec);
    CHECK(model.codec->tokenizer->encode("kind film.") ==
          run.codec->tokenizer->encode("kind film."));
    CHECK(model.codec->labels == run.codec->labels);
    REQUIRE(model.compiled);
    CHECK(model.compiled->heads[1][1].weights == run.compiled->heads[1][1].weights);
    CHECK(to_json(model.config.model) == to_json(run.config.model));
    CHECK(model.config.data.text.max_tokens == run.config.data.text.max_tokens);
  }
}

TEST_CASE("equal runs give equal bytes, which name no folder") {
  const TextBundle made;
  CHECK(make_bundle(made.folder / "run", made.folder / "operator") == made.bytes);
  CHECK(made.bytes.find(made.folder.path().string()) == std::string::npos);
}

TEST_CASE("images and sets of points need no tokenizer, and an operator is optional") {
  const TemporaryFolder folder;
  write_image_run(folder / "images");
  write_point_run(folder / "points");
  const TrainedModel images = parse_bundle(make_bundle(folder / "images", ""), "images");
  CHECK(images.class_names.size() == 4);
  CHECK(images.codec == nullptr);
  CHECK_FALSE(images.compiled);
  CHECK(images.config.data.pixel_deviation == 0.5);
  CHECK(parse_bundle(make_bundle(folder / "points", ""), "points").class_names.size() == 3);
}

TEST_CASE("a bundle gives back a cascade to the last bit, and refuses one that is damaged") {
  const TextBundle made;
  const StoredCascade cascade{"compiled", 0.05, {0.123456789F, 1.0 / 3, 90, 7, 2}};
  const std::string bytes = make_bundle(made.folder / "run", made.folder / "operator", cascade);
  const TrainedModel model = parse_bundle(bytes, "bundle");
  REQUIRE(model.cascade);
  CHECK(model.cascade->method == "compiled");
  CHECK(model.cascade->limit == 0.05);
  CHECK(model.cascade->threshold.margin == 0.123456789F);
  CHECK(model.cascade->threshold.share == 1.0 / 3);
  CHECK(model.cascade->threshold.examples == 90);
  CHECK(model.cascade->threshold.disagreements == 7);
  CHECK(model.cascade->threshold.missed == 2);
  CHECK_FALSE(parse_bundle(made.bytes, "bundle").cascade);
  // Another operator has another threshold.
  write_file_atomically(made.folder / "model.safetensors", bytes);
  CHECK_FALSE(load_model(made.folder / "model.safetensors", made.folder / "operator").cascade);
  for (const char* key : {"limit", "margin", "share", "examples", "disagreements", "missed"})
    for (const Json& value : {Json(nullptr), Json("1"), Json(1e300)})
      expect_refused(bytes,
                     [&](TensorFile& file) {
                       change_json(file, "cascade", [&](Json& json) { json[key] = value; });
                     },
                     {"model.safetensors", "cascade", key});
  expect_refused(bytes, [&](TensorFile& file) { file.metadata["cascade"] = "[]"; }, {"cascade"});
}

TEST_CASE("load_model reads runs and bundles alike, with another operator where one is named") {
  const TextBundle made;
  write_file_atomically(made.folder / "model.safetensors", make_bundle(made.folder / "run", ""));
  const TrainedModel run = load_model(made.folder / "run", "");
  const TrainedModel file = load_model(made.folder / "model.safetensors", "");
  CHECK(logits_of(run) == logits_of(file));
  CHECK_FALSE(file.compiled);
  CHECK(load_model(made.folder / "model.safetensors", made.folder / "operator").compiled);
  write_image_run(made.folder / "other");
  write_operator(made.folder / "foreign", made.folder / "other");
  expect_error<DataError>(
      [&] { load_model(made.folder / "model.safetensors", made.folder / "foreign"); },
      {"compiled for", "asap-compile"});
  expect_error<DataError>([&] { load_model(made.folder / "nothing", ""); }, {"nothing"});
}

TEST_CASE("a bundle that is damaged or does not fit together is refused with what is wrong") {
  const TextBundle made;
  expect_error<DataError>([&] { parse_bundle(serialise_safetensors({}), "model.safetensors"); },
                          {"model.safetensors", "is no bundle"});
  TensorFile file = parse_safetensors(made.bytes, "bundle");
  file.tensors.begin()->second.bytes[0] ^= 1;
  expect_error<DataError>([&] { parse_bundle(serialise_safetensors(file), "m"); },
                          {"not those that were written"});
  const auto refused = [&](const std::function<void(TensorFile&)>& change,
                           std::initializer_list<const char*> parts) {
    expect_refused(made.bytes, change, parts);
  };
  refused([](TensorFile& f) { f.metadata["version"] = "9"; }, {"version '9'", "reads version 1"});
  refused([](TensorFile& f) { f.metadata.erase("config"); }, {"has no 'config'"});
  refused([](TensorFile& f) { f.metadata["config"] = "{"; }, {"config"});
  refused(
      [](TensorFile& f) {
        change_json(f, "config", [](Json& json) { json["model"]["heads"] = 3; });
      },
      {"config", "heads"});
  refused([](TensorFile& f) { f.metadata["class_names"] = "[\"one\"]"; }, {"expected 2 names"});
  refused([](TensorFile& f) { f.tensors.erase("model.head.weight"); }, {"head.weight"});
  refused([](TensorFile& f) { f.tensors.erase("tokenizer"); }, {"text_codec"});
  refused([](TensorFile& f) { f.tensors.erase("operator.layers.0.weights"); }, {"operator"});
  refused(
      [](TensorFile& f) {
        change_json(f, "operator", [](Json& json) { json["model_fingerprint"] = "other"; });
      },
      {"compiled for"});
}

TEST_CASE("random damage is refused with an error in words, whatever it hits") {
  const TextBundle made;
  RandomStream random(8, RandomPurpose::test);
  for (int i = 0; i < share_of(300); ++i) {
    const std::string bytes = damage(made.bytes, random);
    if (bytes == made.bytes) continue;
    try {
      TensorFile file = parse_safetensors(bytes, "bundle");
      file.metadata["content"] = content_fingerprint_of(file);
      parse_bundle(serialise_safetensors(file), "bundle");
    } catch (const DataError& error) {
      CHECK(std::string(error.what()).find('\n') == std::string::npos);
    }
  }
}
