#include "evaluate/report/report_data.h"

#include <cmath>

#include <doctest/doctest.h>

#include "base/base64.h"
#include "base/files.h"
#include "evaluate/draw/page_parts.h"
#include "evaluate/draw/paper_figures.h"
#include "evaluate/report/gallery_json.h"
#include "evaluate/study/plan_measures.h"
#include "support/random_encoder.h"
#include "support/temporary_folder.h"

namespace {

using namespace asap::base;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

std::string encoded(std::string_view text) {
  return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

/// The bytes that base64 stands for, slowly.
std::vector<int> decoded(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<int> bytes;
  unsigned group = 0, bits = 0;
  for (const char digit : text) {
    if (digit == '=') break;
    group = group << 6 | static_cast<unsigned>(digits.find(digit));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<int>(group >> bits & 255));
  }
  return bytes;
}

Comparison compared(const Dataset& dataset, std::vector<std::string> names) {
  const ComparisonSettings settings{parse_methods(names, 2), 1, 10};
  return compare_methods(random_encoder(4), nullptr, dataset, settings);
}

}  // namespace

TEST_CASE("base64 agrees with the vectors of RFC 4648") {
  CHECK(encoded("") == "");
  CHECK(encoded("f") == "Zg==");
  CHECK(encoded("fo") == "Zm8=");
  CHECK(encoded("foo") == "Zm9v");
  CHECK(encoded("foob") == "Zm9vYg==");
  CHECK(encoded("fooba") == "Zm9vYmE=");
  CHECK(encoded("foobar") == "Zm9vYmFy");
}

TEST_CASE("a coarser plan holds the means of its cells, also of the smaller ones at its end") {
  Tensor<float> plan({3, 3});
  for (std::int64_t i = 0; i < 9; ++i) plan[i] = static_cast<float>(i);
  const Tensor<float> coarse = coarser_plan(plan.rows(), 2);
  REQUIRE(coarse.shape() == Shape{2, 2});
  CHECK(coarse[0] == 2);    // of 0, 1, 3, 4
  CHECK(coarse[1] == 3.5);  // of 2, 5
  CHECK(coarse[2] == 6.5);  // of 6, 7
  CHECK(coarse[3] == 8);
}

TEST_CASE("shown examples are of several classes, and those classified differently come last") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  Comparison comparison = compared(dataset, {"teacher", "softmax"});
  const std::vector<std::int64_t> ordinary = choose_examples(dataset, comparison, 3);
  REQUIRE(ordinary.size() == 3);
  CHECK(dataset.labels[ordinary[0]] != dataset.labels[ordinary[1]]);
  comparison.methods[1].name = "compiled";
  comparison.methods[1].predictions = comparison.teacher_predictions;
  CHECK(choose_examples(dataset, comparison, 3) == ordinary);
  comparison.methods[1].predictions[30] ^= 1;
  const std::vector<std::int64_t> chosen = choose_examples(dataset, comparison, 3);
  CHECK(chosen.back() == 30);
  CHECK(chosen.size() == 3);
}

TEST_CASE("the truncation that is shown is the one of equal latency, else the longest") {
  std::vector<MethodResult> methods(4);
  methods[0].name = "teacher";
  methods[1].name = "sinkhorn:12";
  methods[2].name = "sinkhorn:3";
  methods[3].name = "sinkhorn:50@0";
  CHECK(shown_truncation(methods) == 1);
  methods[2].equal_latency = true;
  CHECK(shown_truncation(methods) == 2);
  methods.resize(1);
  CHECK(shown_truncation(methods) == -1);
}

TEST_CASE("plans are the network's own, and their bytes are near to them") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Comparison comparison = compared(dataset, {"teacher", "softmax", "sinkhorn:1", "f0@0"});
  const PlanGallery gallery =
      collect_plans(random_encoder(4), nullptr, dataset, comparison, {.examples = 2});
  CHECK(gallery.methods == std::vector<std::string>{"teacher", "softmax", "sinkhorn:1"});
  CHECK(gallery.truncated == 2);
  CHECK(gallery.compiled == 0);
  REQUIRE(gallery.examples.size() == 2);
  const ShownExample& example = gallery.examples[0];
  CHECK(example.tokens == 16);
  CHECK(example.input.pixels.size() == 64);
  CHECK(example.predictions.size() == 3);
  const Tensor<float>& teacher = example.plans[0][3];
  const Tensor<float>& softmax = example.plans[1][3];
  REQUIRE(teacher.shape() == Shape{16, 16});
  // Rows sum to 1; what softmax lacks are equal columns.
  CHECK(measure_plan(softmax.rows()).column_error > measure_plan(teacher.rows()).column_error);

  const Json head = gallery_json(gallery)["examples"][0]["heads"][3];
  const std::vector<int> bytes = decoded(head["data"]);
  REQUIRE(bytes.size() == 3 * 256);
  const double scale = head["scales"][0], difference_scale = head["scales"][1];
  for (std::int64_t i = 0; i < 256; ++i) {
    const double root = bytes[i] / 255.0, value = scale * root * root;
    // Half a step of the square root, and the four digits of the scale.
    CHECK(std::abs(value - teacher[i]) <= scale * (root / 255 + 1e-3));
    const double difference_root = (bytes[256 + i] - 128) / 127.0;
    const double difference = difference_scale * difference_root * std::abs(difference_root);
    CHECK(std::abs(difference - (double{softmax[i]} - teacher[i])) <=
          difference_scale * (std::abs(difference_root) / 127 + 1e-3));
  }
}

TEST_CASE("plans that are too much for a page become coarser, and fewer methods are shown") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Comparison comparison = compared(dataset, {"softmax", "sinkhorn:1", "sinkhorn:2", "f0"});
  const PlanGallery gallery = collect_plans(random_encoder(4), nullptr, dataset, comparison,
                                            {.examples = 6, .cells = 1100});
  CHECK(gallery.methods == std::vector<std::string>{"teacher", "sinkhorn:2"});
  CHECK(gallery.examples.size() == 2);
  CHECK(gallery.examples[0].cell == 2);
  CHECK(gallery.examples[0].plans[1][0].shape() == Shape{8, 8});
}

TEST_CASE("without an operator the study still follows Sinkhorn's column errors") {
  const EvaluatedRun run{
      random_encoder(4), std::nullopt, draw_shapes_dataset(small_data(), Split::test), {}, ""};
  const NetworkStudy study = study_heads(run, {.examples = 3, .iterations = 5}, 2);
  CHECK(study.examples == 3);
  REQUIRE(study.heads.size() == 2);
  const HeadStudy& head = study.heads[1][1];
  REQUIRE(head.column_errors.size() == 6);
  for (std::size_t t = 1; t < 6; ++t) CHECK(head.column_errors[t] < head.column_errors[t - 1]);
  CHECK(head.target.empty());
  CHECK(study_heads(run, {.work = 100}, 1).heads.empty());
}

TEST_CASE("training curves are averaged, and damaged lines are passed over") {
  const TemporaryFolder folder;
  std::string lines;
  for (int step = 1; step <= 8; ++step)
    lines += R"({"step":)" + std::to_string(step) + R"(,"loss":)" + std::to_string(step) +
             R"(,"accuracy":0.5})" + "\n";
  lines +=
      "[1, 2]\n{\"step\": \"x\", \"loss\": "
      "1}\n{\"step\":8,\"test_accuracy\":0.75,\"test_loss\":2}\n";
  lines += R"({"step":9,"los)";
  write_file_atomically(folder / "metrics.jsonl", lines);
  const TrainingCurves curves = read_training_curves(folder / "metrics.jsonl", 4);
  CHECK(curves.loss == std::vector<double>{1.5, 3.5, 5.5, 7.5});
  CHECK(curves.test_accuracy == std::vector<double>{0.75});
  CHECK(read_training_curves(folder / "nothing").empty());
}

TEST_CASE("times by number of tokens are read from what bench wrote, and nothing else") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    write_file_atomically(folder / "summary.json", text);
    return read_scaling_curves(folder.path());
  };
  const ScalingCurves scaling =
      read(R"({"command":"x","threads":2,"rows":[{"n":64,"d":8,"softmax":0.5},
           {"n":128,"d":8,"softmax":2,"compiled":1}]})");
  REQUIRE(scaling.curves.size() == 2);
  CHECK(scaling.curves[0].tokens == std::vector<double>{64, 128});
  CHECK(scaling.curves[1].milliseconds == std::vector<double>{1});
  CHECK(scaling.head_width == 8);
  for (const char* text :
       {"{}", "[]", R"({"rows":1})", R"({"threads":1,"rows":[1]})", R"({"threads":1,"rows":[]})",
        R"({"threads":1,"rows":[{"n":64,"d":"8"}]})", R"({"rows":[{"n":64,"d":8,"softmax":1}]})"})
    CHECK_THROWS_AS_MESSAGE(read(text), DataError, text);
}

TEST_CASE("a plotting library that was named must be there and be d3") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(find_plot_library(folder / "none.js"), UsageError);
  write_file_atomically(folder / "other.js", "alert(1)");
  CHECK_THROWS_AS(find_plot_library(folder / "other.js"), UsageError);
  write_file_atomically(folder / "d3.js", "// d3\nscaleLinear");
  CHECK(find_plot_library(folder / "d3.js").code == "// d3\nscaleLinear");
  CHECK(find_plot_library("none").code.empty());
}

TEST_CASE("figures for papers are drawn in both formats, whatever their texts hold") {
  try {
    require_gnuplot();
  } catch (const UsageError&) {
    MESSAGE("skipped: gnuplot is not installed");
    return;
  }
  const TemporaryFolder folder;
  Tensor<float> plan({2, 2});
  plan[0] = plan[3] = 1;
  draw_paper_figures(
      folder / "figures",
      {{"scatter",
        ScatterChart{"t", "x", "it's $y", {{"a'b", 1, 2}, {"none", NAN, 1}, {"c", 2, 3}}}},
       {"bars", BarChart{"t", "v", 3, {{"a", 1}, {"b", 2}}}},
       {"lines", LineChart{"t", "x", "y", {{"l", {1, 2, 3}}}, true, true}},
       {"clouds", CloudChart{"t", "x", "y", {{"p", "n", {1, 2}, {1, 2}}}}},
       {"plans", PlanFigure{{{"teacher", plan}, {"difference", plan, true}}}},
       {"nothing", LineChart{"t", "x", "y", {}}}});
  for (const char* name : {"scatter", "bars", "lines", "clouds", "plans"}) {
    CHECK(read_file(folder / "figures" / (std::string(name) + ".svg")).find("<svg") !=
          std::string::npos);
    CHECK(read_file(folder / "figures" / (std::string(name) + ".png")).starts_with("\x89PNG"));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "figures" / "nothing.svg"));
}
