#include "evaluate/compare/replayed_teacher.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "support/guarded_problem.h"
#include "support/random_encoder.h"
#include "support/small_sequences.h"

namespace asap::test {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// The teacher, which counts the examples of each layer that it is asked for.
class CountedTeacher final : public attention::AttentionOperator {
 public:
  explicit CountedTeacher(const infer::Encoder& encoder) : teacher_(encoder.teacher()) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    counts_[static_cast<std::size_t>(layer)] += batch.examples;
    teacher_->apply(layer, batch, output, scratch);
  }

  bool works_by_example() const override { return teacher_->works_by_example(); }

  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  std::unique_ptr<attention::AttentionOperator> teacher_;
  mutable std::vector<std::int64_t> counts_ = {0, 0};
};

infer::Encoder text_encoder(const data::Dataset& texts) {
  config::ModelConfig config = small_sequence_model(texts);
  config.attention.kind = config::AttentionKind::sinkhorn;
  return {config, random_weights(config), "random"};
}

tensor::Tensor<float> logits_of(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::span<const std::int64_t> examples,
                                const attention::AttentionOperator& attention) {
  data::Batch batch;
  batch.fill(dataset, examples);
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  tensor::Arena arena;
  encoder.forward(batch.input(), attention, logits.rows(), arena);
  return logits;
}

float largest_difference(const tensor::Tensor<float>& a, const tensor::Tensor<float>& b) {
  float largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Runs some examples again after a first pass over all, and compares with the teacher. Returns the
/// examples that the teacher computed in each layer.
std::vector<std::int64_t> run_again(const infer::Encoder& encoder, const data::Dataset& dataset,
                                    const attention::AttentionOperator& first,
                                    const std::vector<std::int64_t>& places,
                                    evaluate::GuardTally::Outputs outputs) {
  const int layers = encoder.config().layers;
  std::vector<std::int64_t> all(static_cast<std::size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  const evaluate::GuardTally tally(first, layers, dataset.size(), outputs);
  logits_of(encoder, dataset, all, tally);
  const CountedTeacher teacher(encoder);
  const evaluate::ReplayedTeacher replayed(teacher, tally, places, layers);
  CHECK(largest_difference(logits_of(encoder, dataset, places, replayed),
                           logits_of(encoder, dataset, places, *encoder.teacher())) < 1e-5F);
  return teacher.counts();
}

using Outputs = evaluate::GuardTally::Outputs;
using Counts = std::vector<std::int64_t>;

TEST_CASE("A second run copies layers that the first left to the teacher, padded or not") {
  const data::Dataset images = data::draw_shapes_dataset(small_data(), data::Split::test);
  const data::Dataset texts =
      small_sequences(config::ModelKind::text, {5, 9, 2, 7, 7, 3, 4}, false);
  const std::vector<std::int64_t> places = {5, 1, 2};  // shorter texts than some of the first pass
  for (const data::Dataset* data : {&images, &texts}) {
    INFO(data->size() << " examples");
    const infer::Encoder encoder = data == &images ? random_encoder(4) : text_encoder(*data);
    const attention::HeadGuard always{.limit = -1}, never{.limit = kNever};
    const auto first = guarded_closure(encoder, {{always, always}, {never, never}});
    CHECK(run_again(encoder, *data, *first, places, Outputs::kept) == Counts{0, 3});
    CHECK(run_again(encoder, *data, *first, places, Outputs::forgotten) == Counts{3, 3});
    // The second layer alone does not help: what comes into it is not the teacher's.
    const auto second = guarded_closure(encoder, {{never, never}, {always, always}});
    CHECK(run_again(encoder, *data, *second, places, Outputs::kept) == Counts{3, 3});
  }
}

TEST_CASE("Every example of a second run has its own layers") {
  const data::Dataset images = data::draw_shapes_dataset(small_data(), data::Split::test);
  const infer::Encoder encoder = random_encoder(4);
  const auto half = half_guarded(encoder, images);
  std::vector<std::int64_t> places;
  for (std::int64_t i = images.size() - 1; i >= 0; --i) places.push_back(i);
  const Counts counts = run_again(encoder, images, *half, places, Outputs::kept);
  CHECK(counts[0] > 0);
  CHECK(counts[0] < images.size());
  CHECK(counts[1] == images.size());
}

}  // namespace
}  // namespace asap::test
