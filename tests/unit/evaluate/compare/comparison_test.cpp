#include "evaluate/compare/comparison.h"

#include <cmath>

#include <doctest/doctest.h>

#include "compile/calibration.h"
#include "compile/compile_heads.h"
#include "support/learnable_sequences.h"
#include "support/random_encoder.h"
#include "support/small_sequences.h"
#include "support/temporary_folder.h"
#include "train/trainer.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::infer;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;
using namespace asap::compile;
using namespace asap::train;

namespace {

Comparison compare(int iterations, std::vector<std::string> names, int threads = 1) {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const ComparisonSettings settings{parse_methods(names, 2), threads, 10};
  return compare_methods(random_encoder(iterations), nullptr, dataset, settings);
}

}  // namespace

TEST_CASE("the teacher agrees with itself and is at no distance from itself") {
  const MethodResult teacher = compare(4, {"teacher"}).methods.at(0);
  CHECK(teacher.agreement == 1);
  CHECK(teacher.plan_l1 == 0);
  CHECK(teacher.column_error > 0);
  CHECK(teacher.examples_per_second > 0);
  CHECK(teacher.attention_milliseconds > 0);
}

TEST_CASE("Sinkhorn at the teacher's own iterations is the teacher") {
  const Comparison comparison = compare(4, {"sinkhorn:4", "sinkhorn:1", "softmax"});
  CHECK(comparison.methods[0].agreement == 1);
  CHECK(comparison.methods[0].plan_l1 == 0);
  // Nearer with more iterations, softmax being none.
  CHECK(comparison.methods[1].plan_l1 > 0.01);
  CHECK(comparison.methods[2].plan_l1 > comparison.methods[1].plan_l1);
  CHECK(comparison.methods[2].column_error > comparison.methods[1].column_error);
}

TEST_CASE("methods that do the same are as fast, as far as their intervals can tell") {
  const Comparison comparison = compare(4, {"teacher", "sinkhorn:4", "softmax"});
  const MethodResult& one = comparison.methods[0];
  const MethodResult& other = comparison.methods[1];
  CHECK(one.rate_interval > 0);
  CHECK(one.attention_interval > 0);
  const double apart = std::abs(one.examples_per_second - other.examples_per_second);
  // Four standard errors each: what a test that runs beside others may be held to.
  CHECK(apart <= 2 * (one.rate_interval * one.examples_per_second +
                      other.rate_interval * other.examples_per_second));
}

TEST_CASE("every method has at least forty turns, however small the data are") {
  DataConfig config = small_data();
  for (const int examples : {1, 40}) {
    config.shapes.test_examples = examples;
    const Dataset dataset = draw_shapes_dataset(config, Split::test);
    const std::vector<std::string> names = {"teacher", "sinkhorn:4"};
    const ComparisonSettings settings{parse_methods(names, 2), 1, 1};
    std::int64_t calls = 0, last = 0;
    const Comparison comparison = compare_methods(random_encoder(4), nullptr, dataset, settings,
                                                  [&](std::int64_t done, std::int64_t total) {
                                                    CHECK(done == ++calls);
                                                    last = total;
                                                  });
    CHECK(calls == last);
    CHECK(calls >= 80);
    CHECK(comparison.methods[0].predictions == comparison.methods[1].predictions);
  }
}

TEST_CASE("on a random network the closure of a zero dual is nearer to the teacher than softmax") {
  const Comparison comparison = compare(10, {"f0", "softmax"});
  CHECK(comparison.methods[0].plan_l1 > 0.001);
  CHECK(comparison.methods[0].plan_l1 < comparison.methods[1].plan_l1);
}

TEST_CASE("ESPFormer in the place of Sinkhorn is compared like any other method") {
  const Comparison comparison = compare(4, {"espformer"});
  CHECK(comparison.methods[0].plan_l1 > 0.01);
  CHECK(comparison.methods[0].attention_milliseconds > 0);
}

TEST_CASE("a method in some layers leaves the others to the teacher") {
  const Comparison comparison = compare(4, {"softmax", "softmax@each", "softmax@0-1"});
  REQUIRE(comparison.methods.size() == 4);
  const MethodResult& everywhere = comparison.methods[0];
  for (int layer = 0; layer < 2; ++layer) {
    const MethodResult& here = comparison.methods[1 + layer];
    CHECK(here.name == "softmax@" + std::to_string(layer));
    for (int head = 0; head < 2; ++head) {
      CHECK(here.heads[layer][head].plan_l1 == everywhere.heads[layer][head].plan_l1);
      CHECK(here.heads[1 - layer][head].plan_l1 == 0);
    }
  }
  CHECK(comparison.methods[3].agreement == everywhere.agreement);
  CHECK(comparison.methods[3].plan_l1 == everywhere.plan_l1);
}

TEST_CASE("a compiled method is judged by what it imitates in the same layers, if that is there") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const CompiledHeads heads = zero_dual_heads(encoder);
  const std::vector<std::string> names = {"compiled", "compiled@1", "f0", "sinkhorn:4"};
  ComparisonSettings settings{parse_methods(names, 2), 1, 10};
  Comparison comparison = compare_methods(encoder, &heads, dataset, settings);
  for (const MethodResult& method : comparison.methods) CHECK_FALSE(method.imitated_agreement);
  settings.imitated_iterations = 4;  // what the teacher does
  comparison = compare_methods(encoder, &heads, dataset, settings);
  REQUIRE(comparison.methods[0].imitated_agreement);
  CHECK(*comparison.methods[0].imitated_agreement == comparison.methods[0].agreement);
  CHECK_FALSE(comparison.methods[1].imitated_agreement);  // sinkhorn:4@1 is not compared
  CHECK_FALSE(comparison.methods[2].imitated_agreement);
  settings.imitated_iterations = 3;  // not compared either
  CHECK_FALSE(compare_methods(encoder, &heads, dataset, settings).methods[0].imitated_agreement);
}

TEST_CASE("guards count what they do, and warm methods come nearer to doubly stochastic") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  CompiledHeads heads = zero_dual_heads(encoder);
  const std::vector<std::string> names = {"compiled", "guarded", "warm", "guarded@1"};
  const auto compared = [&](int threads) {
    return compare_methods(encoder, &heads, dataset, {parse_methods(names, 2), threads, 10});
  };
  CHECK_THROWS_AS(compared(1), UsageError);  // without column errors
  for (auto& layer : heads)
    for (auto& head : layer) {
      head.column_errors = {
          .sorted = {0, 1e-3F, 1e3F}, .bounds = {0, 1e-3F, 1e3F}, .teacher = 1e-3F};
      head.teacher_iterations = 40;
    }
  const Comparison one = compared(1), two = compared(2);
  CHECK_FALSE(one.methods[0].guard);
  for (const std::size_t i : {1u, 2u, 3u}) {
    REQUIRE(one.methods[i].guard);
    CHECK(one.methods[i].guard->heads == dataset.size() * (i == 3 ? 2 : 4));
    CHECK(one.methods[i].guard->iterations == two.methods[i].guard->iterations);
    CHECK(one.methods[i].column_error == two.methods[i].column_error);
  }
  CHECK(one.methods[1].guard->iterated == 0);  // nothing exceeds the largest bound
  CHECK(one.methods[1].plan_l1 == doctest::Approx(one.methods[0].plan_l1).epsilon(1e-4));
  CHECK(one.methods[2].guard->share() > 0.9);
  CHECK(one.methods[2].guard->mean_iterations() > 0.9);
  CHECK(one.methods[2].column_error < 0.5 * one.methods[0].column_error);
}

TEST_CASE("everything but the times is the same on one and on two threads") {
  const std::vector<std::string> names = {"teacher", "softmax", "f0", "sinkhorn:2"};
  const Comparison one = compare(6, names, 1), two = compare(6, names, 2);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(one.methods[i].accuracy == two.methods[i].accuracy);
    CHECK(one.methods[i].agreement == two.methods[i].agreement);
    CHECK(one.methods[i].plan_l1 == two.methods[i].plan_l1);
    CHECK(one.methods[i].column_error == two.methods[i].column_error);
  }
}

TEST_CASE("a cascade agrees at least as often, and is the same on one and on two threads") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const CompiledHeads heads = zero_dual_heads(encoder);
  CascadeCalibration calibration{dataset, {}, 1};
  for (std::int64_t i = 0; i < dataset.size(); i += 2) calibration.examples.push_back(i);
  const std::vector<std::string> names = {"compiled", "compiled:cascade"};
  const auto compared = [&](int threads) {
    ComparisonSettings settings{parse_methods(names, 2), threads, 10};
    settings.cascade = &calibration;
    return compare_methods(encoder, &heads, dataset, settings);
  };
  const Comparison one = compared(1), two = compared(2);
  CHECK_FALSE(one.methods[0].cascade);
  REQUIRE(one.methods[1].cascade);
  CHECK(one.methods[1].agreement >= one.methods[0].agreement);
  CHECK(one.methods[1].cascade->threshold.examples == 20);
  CHECK(one.methods[1].cascade->rerun_share > 0);
  CHECK(one.methods[1].cascade->rerun_share == two.methods[1].cascade->rerun_share);
  CHECK(one.methods[1].cascade->threshold.margin == two.methods[1].cascade->threshold.margin);
  CHECK(one.methods[1].predictions == two.methods[1].predictions);
}

TEST_CASE("a cascade behind a guard runs nothing again that the guard left to the teacher") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder encoder = random_encoder(4);
  const std::vector<std::string> names = {"compiled:cascade", "guarded:cascade"};
  for (const float bound : {0.0F, 1e6F}) {
    CompiledHeads heads = zero_dual_heads(encoder);
    for (auto& layer : heads)
      for (auto& head : layer) {
        head.column_errors = {.sorted = {bound}, .bounds = {bound}};
        head.teacher_iterations = 4;
      }
    for (const int threads : {1, 2}) {
      ComparisonSettings settings{parse_methods(names, 2), threads, 10};
      settings.known_threshold = CascadeThreshold{.margin = 1e6F};
      const Comparison comparison = compare_methods(encoder, &heads, dataset, settings);
      CHECK(comparison.methods[0].cascade->rerun_share == 1);
      CHECK(comparison.methods[1].cascade->rerun_share == (bound == 0 ? 0 : 1));
      CHECK(comparison.methods[1].agreement == 1);
    }
  }
}

TEST_CASE("a compiled method without an operator is a usage error") {
  CHECK_THROWS_AS(compare(4, {"compiled"}), UsageError);
}

TEST_CASE("weights that are not finite are a numerical error that names the method") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Encoder good = random_encoder(2);
  TensorFile weights = random_weights(good.config());
  Tensor<float> bias(Shape{4});
  bias[1] = NAN;
  weights.put("head.bias", bias);
  const Encoder broken(good.config(), weights, "broken");
  const ComparisonSettings settings{{{MethodKind::softmax}}, 1, 10};
  CHECK_THROWS_WITH_AS(compare_methods(broken, nullptr, dataset, settings),
                       "method 'softmax': the network's outputs are not finite", NumericalError);
}

TEST_CASE("data of another size than the model's are a usage error") {
  DataConfig config = small_data();
  config.shapes.image_size = 12;
  const Dataset dataset = draw_shapes_dataset(config, Split::test);
  CHECK_THROWS_AS(compare_methods(random_encoder(2), nullptr, dataset, {{Method{}}, 1, 10}),
                  UsageError);
}

TEST_CASE("labelled points are compiled and compared by their scored labels") {
  Dataset data = small_sequences(ModelKind::set, mixed_lengths(160), true);
  label_by_sign(data);
  const TemporaryFolder folder;
  const RunFolder run(folder / "run");
  const TrainingResult trained = train(sequence_training(data), run, data, data, {});
  const Encoder encoder = Encoder::load(run.path());
  CompileConfig compile;
  compile.calibration = 96, compile.held_out = 32;
  const CompiledModel compiled =
      compile_heads(capture_activations(encoder, data, 128, 1, 2), compile, 2);
  const Comparison comparison =
      compare_methods(encoder, &compiled.heads, data,
                      {parse_methods(std::vector<std::string>{"teacher", "f0", "compiled"}, 2), 2});
  CHECK(comparison.examples_name == "point sets");
  CHECK(comparison.methods[0].accuracy == doctest::Approx(trained.test.accuracy));
  CHECK(comparison.methods[0].plan_l1 == 0);
  CHECK(comparison.methods[2].plan_l1 < comparison.methods[1].plan_l1);
  CHECK(comparison.methods[2].agreement > 0.97);
}
