#include "train/validation.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "data/batch.h"
#include "tensor/row_ops.h"

namespace asap {
namespace {

constexpr std::int64_t kExamplesAtOnce = 16;

struct Part {
  double loss = 0;
  std::int64_t correct = 0;
};

Part test_examples(const Encoder& encoder, const AttentionOperator& attention, const Dataset& data,
                   std::int64_t first, std::int64_t count, Arena& arena) {
  const ArenaScope scope(arena);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  std::vector<std::int32_t> labels(indices.size());
  const MatrixView<float> images = arena.matrix<float>(count, data.image_size());
  const MatrixView<float> logits = arena.matrix<float>(count, encoder.config().classes);
  const VectorView<float> log_sums = arena.vector<float>(count);
  fill_batch(data, indices, images, labels);
  encoder.forward(images, attention, logits, arena);
  log_sum_exp_rows<float>(logits, log_sums);
  Part part;
  for (std::int64_t i = 0; i < count; ++i) {
    const VectorView<float> row = logits.row(i);
    part.correct += std::ranges::max_element(row) - row.begin() == labels[i] ? 1 : 0;
    part.loss += static_cast<double>(log_sums[i] - row[labels[i]]);
  }
  return part;
}

}  // namespace

TestReport test_model(const Encoder& encoder, const Dataset& data, int threads) {
  const std::unique_ptr<AttentionOperator> attention = encoder.teacher();
  const std::int64_t blocks = (data.size() + kExamplesAtOnce - 1) / kExamplesAtOnce;
  std::vector<Part> parts(static_cast<std::size_t>(blocks));
  std::vector<Arena> arenas(static_cast<std::size_t>(std::max(threads, 1)));
  parallel_for(blocks, threads, [&](std::int64_t block, int worker) {
    const std::int64_t first = block * kExamplesAtOnce;
    parts[static_cast<std::size_t>(block)] =
        test_examples(encoder, *attention, data, first,
                      std::min(kExamplesAtOnce, data.size() - first),
                      arenas[static_cast<std::size_t>(worker)]);
  });
  TestReport report;
  for (const Part& part : parts) {
    report.loss += part.loss / static_cast<double>(data.size());
    report.accuracy += static_cast<double>(part.correct) / static_cast<double>(data.size());
  }
  return report;
}

}  // namespace asap
