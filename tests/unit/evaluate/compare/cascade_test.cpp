#include "evaluate/compare/cascade.h"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "evaluate/compare/guard.h"
#include "support/guarded_problem.h"
#include "support/random_encoder.h"
#include "support/small_sequences.h"

using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::tensor;
using namespace asap::test;

namespace {

Answer answer(float first, float second) {
  const std::int32_t predicted = second > first ? 1 : 0;
  return {{predicted}, {first, second}, std::abs(first - second)};
}

CascadeCalibration all_of(const Dataset& dataset, double share) {
  CascadeCalibration calibration{dataset, {}, share};
  calibration.examples.resize(static_cast<std::size_t>(dataset.size()));
  std::iota(calibration.examples.begin(), calibration.examples.end(), 0);
  return calibration;
}

asap::infer::Encoder point_encoder(const Dataset& data) {
  const asap::config::ModelConfig config = [&] {
    asap::config::ModelConfig model = small_sequence_model(data);
    model.attention.kind = asap::config::AttentionKind::sinkhorn;
    return model;
  }();
  return {config, random_weights(config), "random"};
}

}  // namespace

TEST_CASE("the margin of an example is the smallest of its scored labels") {
  Dataset data;
  data.kind = ExampleKind::points;
  data.labels_tokens = true;
  data.offsets = {0, 3};
  data.labels = {1, kNotScored, 0};
  Tensor<float> logits({4, 3});  // a row more: padding
  const float values[4][3] = {{1, 4, 2}, {5, 5, 5}, {-1, -3, -8}, {9, 9, 9}};
  for (int i = 0; i < 4; ++i) std::copy_n(values[i], 3, logits.rows().row(i).begin());
  const Answer found = answer_of(data, 0, logits.rows());
  CHECK(found.predictions == std::vector<std::int32_t>{1, 0});
  CHECK(found.margin == 2);
  CHECK(answer_of(data, 0, logits.rows(), 0.25f).margin == 8);  // a quarter of the heads can err
  CHECK(answer_of(data, 0, logits.rows(), 0).margin == INFINITY);
  data.labels = {kNotScored, kNotScored, kNotScored};
  CHECK(answer_of(data, 0, logits.rows()).margin == INFINITY);
}

TEST_CASE("predictions differ only where the loss of margin exceeds the margin") {
  CHECK(margin_loss(answer(3, 1), answer(3, 1)) == 0);
  CHECK(margin_loss(answer(3, 1), answer(2.5f, 1)) == 0.5f);
  CHECK(margin_loss(answer(3, 1), answer(1, 3)) == 4);
  CHECK(margin_loss(answer(3, 1), answer(9, 1)) == 0);  // gained
}

TEST_CASE("the threshold is the loss of margin among less sure examples, within the share") {
  std::vector<Answer> method, teacher;
  for (int i = 0; i < 400; ++i) {
    const float margin = 0.01f * static_cast<float>(i);
    method.push_back(answer(margin, 0));
    teacher.push_back(answer(margin - 0.105f, 0));  // every example loses .105
  }
  CascadeThreshold threshold = choose_threshold(method, teacher, 0.5);
  CHECK(threshold.margin == doctest::Approx(0.105));
  CHECK(threshold.examples == 400);
  CHECK(threshold.disagreements == 11);
  CHECK(threshold.missed == 0);
  CHECK(threshold.share == 11.0 / 400);
  // One in 400, .0025, is at most .0066 with a confidence of 95 %; two are at most .0108.
  threshold = choose_threshold(method, teacher, 0.01);
  CHECK(threshold.share == 1.0 / 400);
  CHECK(threshold.missed == 10);
  CHECK(choose_threshold(method, method, 0.5).margin == 0);  // the same: nothing is run again
}

TEST_CASE("equal margins never exceed the share") {
  const std::vector<Answer> method(50, answer(1, 0)), teacher(50, answer(0, 1));
  CHECK(choose_threshold(method, teacher, 0.1).share == 0);
  CHECK(choose_threshold(method, teacher, 1).share == 1);
}

TEST_CASE("reruns replace uncertain logits by the teacher's, however examples are batched") {
  const Dataset images = draw_shapes_dataset(small_data(), Split::test);
  const Dataset points = small_sequences(asap::config::ModelKind::set, {5, 9, 2, 7, 7, 3, 4}, true);
  for (const Dataset* data : {&images, &points}) {
    const asap::infer::Encoder encoder = data == &images ? random_encoder(4) : point_encoder(*data);
    const auto first = encoder.softmax(), teacher = encoder.teacher();
    const CascadeCalibration calibration = all_of(*data, 0.4);
    const std::vector<Answer> unsure = answers(encoder, *first, calibration, 1),
                              sure = answers(encoder, *teacher, calibration, 2);
    std::vector<float> margins;
    for (const Answer& one : unsure) margins.push_back(one.margin);
    std::ranges::sort(margins);
    const Cascade cascade(encoder, {.margin = margins[margins.size() / 2]});
    Arena arena;
    for (const std::int64_t batch : {1, 3, 16}) {
      std::int64_t reruns = 0;
      for (std::int64_t begin = 0; begin < data->size(); begin += batch) {
        const auto examples =
            std::span(calibration.examples).subspan(begin, std::min(batch, data->size() - begin));
        Batch input;
        input.fill(*data, examples);
        Tensor<float> logits({encoder.logit_rows(input.input()), encoder.config().classes});
        const GuardTally tally(*first, encoder.config().layers, std::ssize(examples));
        encoder.forward(input.input(), tally, logits.rows(), arena);
        reruns += cascade.rerun(*data, examples, tally, logits.rows(), arena);
        const std::int64_t rows = logits.shape()[0] / std::ssize(examples);
        for (std::int64_t b = 0; b < std::ssize(examples); ++b) {
          const std::int64_t example = examples[b];
          const bool again = unsure[example].margin < cascade.threshold().margin;
          const Answer got = answer_of(
              *data, example, logits.rows().block(b * rows, 0, rows, encoder.config().classes));
          CHECK(got.logits == (again ? sure : unsure)[example].logits);
        }
      }
      CHECK(reruns == std::ranges::count_if(margins, [&](float margin) {
              return margin < cascade.threshold().margin;
            }));
    }
    CHECK(cascade.attention_seconds() > 0);
  }
}

TEST_CASE("an example needs only the share of the threshold that its compiled heads are of all") {
  const Dataset images = draw_shapes_dataset(small_data(), Split::test);
  const asap::infer::Encoder encoder = random_encoder(4);
  const auto guarded = half_guarded(encoder, images);
  const CascadeCalibration calibration = all_of(images, 1);
  const std::vector<Answer> first = answers(encoder, *guarded, calibration, 2);
  const Batch batch = [&] {
    Batch all;
    all.fill(images, calibration.examples);
    return all;
  }();
  Tensor<float> logits({images.size(), encoder.config().classes});
  Arena arena;
  const GuardTally tally(*guarded, encoder.config().layers, images.size());
  encoder.forward(batch.input(), tally, logits.rows(), arena);
  std::vector<float> plain, shares;
  for (std::int64_t b = 0; b < images.size(); ++b) {
    plain.push_back(answer_of(images, b, logits.rows().block(b, 0, 1, 4)).margin);
    shares.push_back(tally.heads()[b].compiled_share());
    CHECK(first[b].margin == plain[b] / shares[b]);
  }
  // So that some examples pass for no other reason than their guards.
  std::vector<float> sorted = plain;
  std::ranges::sort(sorted);
  const Cascade cascade(encoder, {.margin = sorted[sorted.size() / 2]});
  const float threshold = cascade.threshold().margin;
  std::int64_t expected = 0, spared = 0;
  for (std::int64_t b = 0; b < images.size(); ++b) {
    expected += plain[b] / shares[b] < threshold;
    spared += plain[b] < threshold && !(plain[b] / shares[b] < threshold);
  }
  CHECK(spared > 0);
  CHECK(expected > 0);
  CHECK(cascade.rerun(images, calibration.examples, tally, logits.rows(), arena) == expected);
}

TEST_CASE("examples whose heads are all left to the teacher are never run again") {
  const Dataset images = draw_shapes_dataset(small_data(), Split::test);
  const asap::infer::Encoder encoder = random_encoder(4);
  const CascadeCalibration calibration = all_of(images, 1);
  Batch batch;
  batch.fill(images, calibration.examples);
  Arena arena;
  for (const double limit : {0.0, static_cast<double>(INFINITY)}) {
    const auto guarded = guarded_everywhere(encoder, limit);
    const GuardTally tally(*guarded, encoder.config().layers, images.size());
    Tensor<float> logits({images.size(), encoder.config().classes});
    encoder.forward(batch.input(), tally, logits.rows(), arena);
    const Cascade cascade(encoder, {.margin = 1e6F});
    CHECK(cascade.rerun(images, calibration.examples, tally, logits.rows(), arena) ==
          (limit == 0 ? 0 : images.size()));
    CHECK((cascade.attention_seconds() > 0) == (limit > 0));
  }
}
