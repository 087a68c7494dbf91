#include "evaluate/compare/guard_tally.h"

#include <doctest/doctest.h>

#include "evaluate/compare/partial_operator.h"
#include "evaluate/compare/timed_attention.h"
#include "support/guarded_problem.h"
#include "support/random_encoder.h"

namespace asap::test {
namespace {

/// Hands examples on one by one.
class OneByOne final : public attention::AttentionOperator {
 public:
  explicit OneByOne(const attention::AttentionOperator& inner) : inner_(inner) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    const std::int64_t rows = batch.query_tokens();
    for (std::int64_t b = 0; b < batch.examples; ++b)
      inner_.apply(layer, batch.example(b), output.block(b * rows, 0, rows, output.cols), scratch);
  }

 private:
  const attention::AttentionOperator& inner_;
};

/// Heads, and those left to the teacher, of each example.
using Counts = std::vector<std::pair<std::int32_t, std::int32_t>>;

Counts counts_of(const infer::Encoder& encoder, const attention::AttentionOperator& attention,
                 const data::Dataset& dataset, std::span<const std::int64_t> examples,
                 bool cut = false) {
  data::Batch batch;
  batch.fill(dataset, examples);
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  tensor::Arena arena;
  const evaluate::GuardTally tally(attention, encoder.config().layers, std::ssize(examples));
  if (cut)
    encoder.forward(batch.input(), OneByOne(tally), logits.rows(), arena);
  else
    encoder.forward(batch.input(), tally, logits.rows(), arena);
  Counts counts;
  for (const attention::GuardedHeads& one : tally.heads()) counts.emplace_back(one.heads, one.left);
  return counts;
}

TEST_CASE("Every example has its own count, however a batch is cut and whatever passes it on") {
  const data::Dataset images = data::draw_shapes_dataset(small_data(), data::Split::test);
  const infer::Encoder encoder = random_encoder(4);
  const auto guarded = half_guarded(encoder, images);
  std::vector<std::int64_t> all;
  for (std::int64_t i = images.size() - 1; i >= 0; --i) all.push_back(i);
  Counts alone;
  std::array<int, 5> seen = {};
  for (const std::int64_t& example : all) {
    alone.push_back(counts_of(encoder, *guarded, images, std::span(&example, 1)).front());
    CHECK(alone.back().first == 4);
    ++seen.at(static_cast<std::size_t>(alone.back().second));
  }
  CHECK(seen[0] == 0);
  CHECK(seen[1] > 0);
  CHECK(seen[3] > 0);
  CHECK(seen[4] == 0);
  CHECK(counts_of(encoder, *guarded, images, all) == alone);
  CHECK(counts_of(encoder, *guarded, images, all, true) == alone);
  CHECK(counts_of(encoder, OneByOne(*guarded), images, all) == alone);
  CHECK(counts_of(encoder, evaluate::TimedAttention(*guarded), images, all) == alone);
}

TEST_CASE("Layers that the teacher runs do not count") {
  const data::Dataset images = data::draw_shapes_dataset(small_data(), data::Split::test);
  const infer::Encoder encoder = random_encoder(4);
  const evaluate::PartialOperator second(half_guarded(encoder, images), encoder.teacher(), {1, 1});
  const std::vector<std::int64_t> examples = {3, 4, 5};
  CHECK(counts_of(encoder, second, images, examples) == Counts{{2, 1}, {2, 1}, {2, 1}});
  CHECK(counts_of(encoder, *encoder.teacher(), images, examples) == Counts{{0, 0}, {0, 0}, {0, 0}});
  CHECK(attention::GuardedHeads{}.compiled_share() == 1);
  CHECK(attention::GuardedHeads{4, 3}.compiled_share() == 0.25F);
}

}  // namespace
}  // namespace asap::test
