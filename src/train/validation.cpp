#include "train/validation.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "data/batch.h"
#include "distributed/shared_items.h"
#include "infer/scorer.h"
#include "tensor/kernels/row_ops.h"

namespace asap::train {
namespace {

constexpr std::int64_t kExamplesAtOnce = 16;

struct Part {
  double loss = 0;
  std::int64_t correct = 0;
};

Part test_examples(const infer::Encoder& encoder, const attention::AttentionOperator& attention,
                   const data::Dataset& data, std::span<const std::int64_t> examples,
                   tensor::Arena& arena) {
  const tensor::ArenaScope scope(arena);
  data::Batch batch;
  batch.fill(data, examples);
  const config::ModelInput<float> input = batch.input();
  const std::span<const std::int32_t> labels = batch.labels();
  const tensor::MatrixView<float> logits =
      arena.matrix<float>(encoder.logit_rows(input), encoder.config().classes);
  const tensor::VectorView<float> log_sums = arena.vector<float>(logits.rows);
  encoder.forward(input, attention, logits, arena);
  tensor::log_sum_exp_rows<float>(logits, log_sums);
  Part part{.correct = infer::score_predictions(logits, labels).correct};
  for (std::int64_t i = 0; i < logits.rows; ++i)
    if (labels[i] != data::kNotScored)
      part.loss += static_cast<double>(log_sums[i] - logits(i, labels[i]));
  return part;
}

}  // namespace

TestReport test_model(const infer::Encoder& encoder, const data::Dataset& data, int threads,
                      distributed::Ranks& ranks) {
  const std::unique_ptr<attention::AttentionOperator> attention = encoder.teacher();
  const std::vector<std::int64_t> order = data::length_order(data);
  const std::int64_t blocks = (data.size() + kExamplesAtOnce - 1) / kExamplesAtOnce;
  const distributed::ItemShare share(ranks, blocks);
  std::vector<Part> parts(static_cast<std::size_t>(share.own()));
  std::vector<tensor::Arena> arenas(static_cast<std::size_t>(std::max(threads, 1)));
  // The longest first: an arena then gets its memory at once, not anew for every longer block.
  base::parallel_for(share.own(), threads, [&](std::int64_t index, int worker) {
    const std::int64_t place = share.own() - 1 - index;
    const std::int64_t block = share.item(place);
    const std::int64_t first = block * kExamplesAtOnce;
    const std::int64_t count = std::min(kExamplesAtOnce, data.size() - first);
    parts[static_cast<std::size_t>(place)] = test_examples(
        encoder, *attention, data,
        std::span(order).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
        arenas[static_cast<std::size_t>(worker)]);
  });
  TestReport report;
  const auto scored =
      static_cast<double>(std::max<std::int64_t>(data::count_scored(data, order), 1));
  for (const Part& part : share.exchange_values<Part>(parts)) {
    report.loss += part.loss / scored;
    report.accuracy += static_cast<double>(part.correct) / scored;
  }
  return report;
}

}  // namespace asap::train
