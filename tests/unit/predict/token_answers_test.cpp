// Answers of a network that labels every token of a set.
#include <doctest/doctest.h>

#include "data/batch.h"
#include "data/load/load_dataset.h"
#include "evaluate/compare/comparison.h"
#include "io/delimited.h"
#include "io/json.h"
#include "io/npy.h"
#include "predict/predict_run.h"
#include "support/expect_error.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::config;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::io;
using namespace asap::predict;
using namespace asap::tensor;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A network on drawn matchings, and its test examples as arrays.
struct Matching {
  TemporaryFolder folder;
  TrainedModel model;
  Dataset dataset;

  Matching() : model(made()), dataset(load_dataset(model.config.data, Split::test)) {
    Tensor<float> points({dataset.size(), 8, dataset.point_width});
    std::ranges::copy(dataset.points, points.flat().begin());
    write_npy(folder / "x_points.npy", StoredTensor::from(points));
    write_labels(dataset.labels);
  }

  TrainedModel made() {
    TrainConfig config;
    config.model.kind = ModelKind::set;
    config.model.pooling = Pooling::none;
    config.data.kind = DataKind::matching;
    config.data.classes = 3;
    config.data.matching.examples = config.data.matching.test_examples = 9;
    config.data.matching.pairs = 4;
    config.data.matching.code_width = 3;
    write_run(folder / "run", config);
    return load_run(folder / "run", "");
  }

  void write_labels(const std::vector<std::int32_t>& labels) {
    Tensor<std::int32_t> values({static_cast<std::int64_t>(labels.size()) / 8, 8});
    std::ranges::copy(labels, values.flat().begin());
    write_npy(folder / "x_labels.npy", StoredTensor::from(values));
  }

  PredictionSummary predict(const PredictorConfig& config, int top, const std::string& out) {
    Predictor predictor(model, method_of("teacher", model), config);
    const auto input = open_input(folder / "x_points.npy", model, {});
    Faults faults;
    fs::create_directories(folder / out);
    return predict_to_folder(*input, predictor, {config, model.class_names, top, folder / out},
                             faults);
  }
};

}  // namespace

TEST_CASE("every token gets an answer, with the accuracy of compare, in any batch") {
  Matching matching;
  PredictorConfig config{.threads = 2, .batch = 4, .embeddings = true, .certificate = true};
  const PredictionSummary summary = matching.predict(config, 2, "out");
  const Comparison compared = compare_methods(matching.model.encoder, nullptr, matching.dataset,
                                              {.methods = {Method{}}, .fidelity_examples = 4});
  CHECK(summary.answered == 9);
  CHECK(summary.confusion.labelled() == 9 * 4);  // answers of a matching have no label
  CHECK(summary.confusion.accuracy() == compared.methods[0].accuracy);

  const DelimitedRows rows = read_delimited(matching.folder / "out/predictions.csv", {});
  REQUIRE(rows.rows() == 1 + 9 * 8);
  CHECK(rows.field(0, 1) == "token");
  CHECK(rows.field(0, 2) == "label");
  std::int64_t right = 0;
  for (std::int64_t row = 1; row < rows.rows(); ++row) {
    CHECK(rows.field(row, 0) == std::to_string((row - 1) / 8 + 1));
    CHECK(rows.field(row, 1) == std::to_string((row - 1) % 8 + 1));
    right += rows.field(row, 2) == rows.field(row, 3);
    CHECK(rows.field(row, 2).empty() ==
          (matching.dataset.labels[static_cast<std::size_t>(row - 1)] == kNotScored));
  }
  CHECK(static_cast<double>(right) / 36 == summary.confusion.accuracy());

  std::string lines = read_file(matching.folder / "out/predictions.jsonl");
  const Json first = parse_json_line(lines.substr(0, lines.find('\n')), "line 1");
  CHECK(first["id"] == "1");
  REQUIRE(first["tokens"].size() == 8);
  CHECK(first.contains("column_error"));
  CHECK(first["tokens"][7]["class"] == std::string(rows.field(8, 3)));
  CHECK(first["tokens"][7]["top"].size() == 2);
  CHECK(read_npy(matching.folder / "out/embeddings.npy").shape == Shape{9 * 8, 8});

  config.batch = 1;
  config.threads = 1;
  matching.predict(config, 2, "alone");
  for (const char* file : {"predictions.csv", "predictions.jsonl", "embeddings.npy"})
    CHECK(read_file(matching.folder / "alone" / file) == read_file(matching.folder / "out" / file));
}

TEST_CASE("the logits of tokens are those of the network, whatever is beside an example") {
  Matching matching;
  const TrainedModel& model = matching.model;
  Predictor predictor(model, method_of("", model), {.batch = 2});
  const auto input = open_input(matching.folder / "x_points.npy", model, {});
  Examples examples = predictor.no_examples();
  Faults faults;
  input->read(100, examples, faults);
  const Answers answers = predictor.answer(examples);
  REQUIRE(answers.logits.rows().rows == 72);
  Tensor<float> alone({8, 3});
  Arena arena;
  Batch batch;
  batch.fill(matching.dataset, std::vector<std::int64_t>{5});
  model.encoder.forward(batch.input(), *model.encoder.teacher(), alone.rows(), arena);
  for (std::int64_t token = 0; token < 8; ++token)
    for (std::int64_t k = 0; k < 3; ++k)
      CHECK(answers.logits.rows()(5 * 8 + token, k) == alone.rows()(token, k));
}

TEST_CASE("labels that are not those of points are refused") {
  Matching matching;
  const auto expect = [&](std::initializer_list<const char*> parts) {
    expect_error<DataError>([&] { matching.predict({}, 1, "no"); }, parts);
  };
  std::vector<std::int32_t> labels = matching.dataset.labels;
  labels.resize(64);
  matching.write_labels(labels);
  expect({"x_labels.npy", "64 labels for 72 points"});
  labels = matching.dataset.labels;
  labels[4] = 3;
  matching.write_labels(labels);
  expect({"x_labels.npy", "label 3 of point 5"});
  fs::remove(matching.folder / "x_labels.npy");
  CHECK(matching.predict({}, 1, "unlabelled").confusion.labelled() == 0);
  // One label for a set.
  write_file_atomically(matching.folder / "sets.csv",
                        "set,label,a,b,c,d,e,f,g,h\n1,0,1,0,1,1,1,0,0,0\n");
  expect_error<DataError>([&] { open_input(matching.folder / "sets.csv", matching.model, {}); },
                          {"sets.csv", "one label for a set"});
}
