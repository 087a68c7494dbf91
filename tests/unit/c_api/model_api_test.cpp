#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "c_api/asap.h"
#include <doctest/doctest.h>

#include "base/files.h"
#include "bundle/bundle_file.h"
#include "io/safetensors.h"
#include "io/utf8.h"
#include "predict/predictor.h"
#include "predict/text_input.h"
#include "support/damage.h"
#include "support/share.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::predict;
using namespace asap::test;

namespace {

const std::vector<const char*> kTexts = {"kind film", "a cold and cruel plot with an actor",
                                         "warm"};

/// Owns a model.
struct Model {
  asap_model* handle = nullptr;
  asap_error error{};

  explicit Model(const std::string& path, const char* method = nullptr) {
    const asap_status status = asap_model_load(path.c_str(), method, &handle, &error);
    REQUIRE_MESSAGE(status == ASAP_OK, std::string(error.message));
  }
  ~Model() { asap_model_free(handle); }
  Model(const Model&) = delete;
};

/// A bundle on texts, with an operator.
struct TextBundle {
  TemporaryFolder folder;
  std::string path = folder / "m.safetensors";

  TextBundle() {
    write_text_run(folder / "run", folder / "data");
    write_operator(folder / "operator", folder / "run");
    write_file_atomically(path, make_bundle(folder / "run", folder / "operator"));
  }
};

}  // namespace

TEST_CASE("texts get the answers of the command, by default from the compiled operator") {
  const TextBundle bundle;
  const Model model(bundle.path);
  asap_model_info info;
  REQUIRE(asap_model_describe(model.handle, &info, nullptr) == ASAP_OK);
  CHECK(info.input == ASAP_TEXTS);
  CHECK(info.classes == 2);
  CHECK(info.embedding_width == 8);
  CHECK(info.height == 0);
  CHECK(std::string(info.method) == "compiled");
  CHECK(std::string(asap_model_class_name(model.handle, 1)) == "good");
  CHECK(asap_model_class_name(model.handle, 2) == nullptr);
  CHECK(asap_model_class_name(model.handle, -1) == nullptr);

  std::vector<float> probabilities(6), embeddings(24);
  std::vector<std::int32_t> classes(3);
  std::vector<double> errors(3);
  const asap_answers all{probabilities.data(), classes.data(), embeddings.data(), errors.data()};
  REQUIRE(asap_predict_texts(model.handle, kTexts.data(), nullptr, 3, &all, nullptr) == ASAP_OK);

  const TrainedModel network = load_model(bundle.path, "");
  Predictor predictor(network, method_of("compiled", network), {1, 16, true, true, false});
  Examples examples = no_examples(network);
  std::vector<RawText> raw;
  for (const char* text : kTexts) raw.push_back({"", text});
  Faults faults;
  append_texts(network, raw, 1, examples, faults);
  const Answers expected = predictor.answer(examples);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::vector<float> wanted = class_probabilities(expected.logits.rows().row(i));
    CHECK(probabilities[2 * at] == wanted[0]);
    CHECK(probabilities[2 * at + 1] == wanted[1]);
    CHECK(classes[at] == top_classes(expected.logits.rows().row(i), 1)[0]);
    CHECK(errors[at] == expected.certificates[at].mean);
  }
  CHECK(std::equal(embeddings.begin(), embeddings.end(), expected.embeddings.data()));

  // With lengths, in one buffer without zeros; the network of the run; the bytes of the bundle.
  const std::string joined = std::string(kTexts[0]) + kTexts[1];
  const char* starts[] = {joined.data(), joined.data() + std::strlen(kTexts[0])};
  const std::size_t lengths[] = {std::strlen(kTexts[0]), std::strlen(kTexts[1])};
  std::vector<float> again(4);
  const asap_answers some{again.data(), nullptr, nullptr, nullptr};
  REQUIRE(asap_predict_texts(model.handle, starts, lengths, 2, &some, nullptr) == ASAP_OK);
  CHECK(std::equal(again.begin(), again.end(), probabilities.begin()));
  const std::string bytes = read_file(bundle.path);
  asap_model* in_memory = nullptr;
  REQUIRE(asap_model_load_memory(bytes.data(), bytes.size(), nullptr, &in_memory, nullptr) ==
          ASAP_OK);
  REQUIRE(asap_predict_texts(in_memory, kTexts.data(), nullptr, 2, &some, nullptr) == ASAP_OK);
  CHECK(std::equal(again.begin(), again.end(), probabilities.begin()));
  asap_model_free(in_memory);
  const Model teacher(bundle.folder / "run");
  CHECK(asap_predict_texts(teacher.handle, kTexts.data(), nullptr, 2, &some, nullptr) == ASAP_OK);
}

TEST_CASE("images and sets of points are answered from arrays") {
  const TemporaryFolder folder;
  write_image_run(folder / "images");
  write_point_run(folder / "points");
  const Model images(folder / "images"), points(folder / "points", "sinkhorn:2");
  asap_model_info info;
  REQUIRE(asap_model_describe(images.handle, &info, nullptr) == ASAP_OK);
  CHECK(info.channels * info.height * info.width == 64);
  const TrainedModel network = load_run(folder / "images", "");
  const asap::data::Dataset test =
      asap::data::load_dataset(network.config.data, asap::data::Split::test);
  std::vector<std::int32_t> classes(40), alone(1);
  const asap_answers all{nullptr, classes.data(), nullptr, nullptr};
  const asap_answers one{nullptr, alone.data(), nullptr, nullptr};
  REQUIRE(asap_predict_images(images.handle, test.pixels.data(), 40, &all, nullptr) == ASAP_OK);
  for (std::size_t i = 0; i < 40; ++i) {
    REQUIRE(asap_predict_images(images.handle, test.pixels.data() + 64 * i, 1, &one, nullptr) ==
            ASAP_OK);
    CHECK(alone[0] == classes[i]);
  }
  CHECK(asap_predict_images(images.handle, nullptr, 0, &all, nullptr) == ASAP_OK);

  REQUIRE(asap_model_describe(points.handle, &info, nullptr) == ASAP_OK);
  CHECK(info.point_width == 3);
  std::vector<float> set(3 * 12);
  for (std::size_t i = 0; i < set.size(); ++i) set[i] = std::sin(static_cast<float>(i));
  std::vector<std::int64_t> lengths = {5, 7};
  std::vector<float> probabilities(6);
  const asap_answers answers{probabilities.data(), nullptr, nullptr, nullptr};
  REQUIRE(asap_predict_points(points.handle, set.data(), lengths.data(), 2, &answers, nullptr) ==
          ASAP_OK);
  CHECK(probabilities[0] + probabilities[1] + probabilities[2] == doctest::Approx(1));
  set[4] = NAN;
  CHECK(asap_predict_points(points.handle, set.data(), lengths.data(), 2, &answers, nullptr) ==
        ASAP_NUMERICAL);
  lengths[0] = 0;
  CHECK(asap_predict_points(points.handle, set.data(), lengths.data(), 2, &answers, nullptr) ==
        ASAP_USAGE);
}

TEST_CASE("wrong arguments are refused in words and leave the arrays alone") {
  const TextBundle bundle;
  const Model model(bundle.path);
  std::vector<float> probabilities(6, -7);
  const asap_answers answers{probabilities.data(), nullptr, nullptr, nullptr};
  asap_error error{};
  const auto refused = [&](asap_status found, asap_status expected, const char* part) {
    CHECK(found == expected);
    CHECK_MESSAGE(std::string(error.message).find(part) != std::string::npos,
                  std::string(error.message));
  };
  asap_model* none = nullptr;
  refused(asap_model_load(nullptr, nullptr, &none, &error), ASAP_USAGE, "path");
  refused(asap_model_load("/nowhere", nullptr, &none, &error), ASAP_DATA, "/nowhere");
  refused(asap_model_load(bundle.path.c_str(), "techer", &none, &error), ASAP_USAGE, "'teacher'");
  refused(asap_model_load(bundle.path.c_str(), "compiled:cascade", &none, &error), ASAP_USAGE,
          "cascade");
  refused(asap_model_load_memory("x", 1, nullptr, &none, &error), ASAP_DATA, "bundle");
  CHECK(none == nullptr);
  CHECK(asap_model_load(bundle.path.c_str(), nullptr, nullptr, nullptr) == ASAP_USAGE);
  refused(asap_model_describe(nullptr, nullptr, &error), ASAP_USAGE, "model");
  CHECK(asap_model_class_name(nullptr, 0) == nullptr);
  refused(asap_predict_images(model.handle, nullptr, 1, &answers, &error), ASAP_USAGE,
          "reads texts");
  refused(asap_predict_texts(nullptr, kTexts.data(), nullptr, 3, &answers, &error), ASAP_USAGE,
          "model");
  refused(asap_predict_texts(model.handle, nullptr, nullptr, 3, &answers, &error), ASAP_USAGE,
          "must not be NULL");
  refused(asap_predict_texts(model.handle, kTexts.data(), nullptr, 3, nullptr, &error), ASAP_USAGE,
          "answers");
  std::vector<const char*> texts = {"kind", nullptr, "warm"};
  refused(asap_predict_texts(model.handle, texts.data(), nullptr, 3, &answers, &error), ASAP_USAGE,
          "a text");
  texts[1] = "";
  refused(asap_predict_texts(model.handle, texts.data(), nullptr, 3, &answers, &error), ASAP_USAGE,
          "text 1: the text is empty");
  texts[1] = "\xff";
  refused(asap_predict_texts(model.handle, texts.data(), nullptr, 3, &answers, &error), ASAP_USAGE,
          "text 1 is not UTF-8");
  CHECK(probabilities == std::vector<float>(6, -7));
  asap_model_free(nullptr);
}

TEST_CASE("several threads may use one model") {
  const TextBundle bundle;
  const Model model(bundle.path);
  std::vector<std::vector<float>> found(4, std::vector<float>(6));
  std::vector<std::thread> callers;
  for (std::vector<float>& out : found)
    callers.emplace_back([&model, &out] {
      const asap_answers answers{out.data(), nullptr, nullptr, nullptr};
      for (int i = 0; i < 20; ++i)
        asap_predict_texts(model.handle, kTexts.data(), nullptr, 3, &answers, nullptr);
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(found[0][0] > 0);
  for (const auto& out : found) CHECK(out == found[0]);
}

TEST_CASE("damaged bundles are refused or give answers, whatever is damaged") {
  const TextBundle bundle;
  const std::string bytes = read_file(bundle.path);
  RandomStream random(9, RandomPurpose::test);
  std::vector<float> probabilities(64);
  for (int i = 0; i < share_of(300); ++i) {
    std::string damaged = damage(bytes, random);
    try {  // damage that the fingerprint does not show
      asap::io::TensorFile file = asap::io::parse_safetensors(damaged, "bundle");
      file.metadata["content"] = content_fingerprint_of(file);
      damaged = asap::io::serialise_safetensors(file);
    } catch (const DataError&) {
    }
    asap_model* model = nullptr;
    asap_error error{};
    const asap_status status =
        asap_model_load_memory(damaged.data(), damaged.size(), nullptr, &model, &error);
    CAPTURE(std::string(error.message));
    CHECK((status == ASAP_OK || status == ASAP_DATA || status == ASAP_USAGE));
    if (status != ASAP_OK) {
      CHECK(error.message[0] != 0);
      continue;
    }
    asap_model_info info;
    REQUIRE(asap_model_describe(model, &info, nullptr) == ASAP_OK);
    const asap_answers answers{info.classes <= 16 ? probabilities.data() : nullptr, nullptr,
                               nullptr, nullptr};
    const asap_status answered =
        asap_predict_texts(model, kTexts.data(), nullptr, 3, &answers, &error);
    CHECK((answered == ASAP_OK || answered == ASAP_NUMERICAL || answered == ASAP_USAGE));
    asap_model_free(model);
  }
}

TEST_CASE("a message that is too long is cut between characters") {
  std::string path = "/";
  for (int i = 0; i < 600; ++i) path += "\xc3\xa4";
  asap_error error{};
  asap_model* model = nullptr;
  CHECK(asap_model_load(path.c_str(), nullptr, &model, &error) != ASAP_OK);
  const std::string message = error.message;
  CHECK(message.size() >= 1000);
  CHECK(message.size() < sizeof error.message);
  CHECK(asap::io::find_invalid_utf8(message) == std::string::npos);
}
