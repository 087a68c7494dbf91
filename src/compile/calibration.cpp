#include "compile/calibration.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "base/random.h"
#include "data/batch.h"
#include "io/run_folder.h"

namespace asap {
namespace {

constexpr std::int64_t kBatch = 16;

void copy_rows(MatrixView<const float> from, std::int64_t first_row, Tensor<float>& to) {
  for (std::int64_t i = 0; i < from.rows; ++i)
    std::ranges::copy(from.row(i), to.rows().row(first_row + i).begin());
}

/// Computes what `inner` computes and copies its inputs to the place of these examples.
class CapturingOperator final : public AttentionOperator {
 public:
  CapturingOperator(const AttentionOperator& inner, Activations& captured,
                    std::int64_t first_example)
      : inner_(inner), captured_(captured), first_example_(first_example) {}

  void apply(int layer, const AttentionBatch<float>& batch, MatrixView<float> output,
             Arena& scratch) const override {
    LayerActivations& place = captured_.layers[layer];
    copy_rows(batch.queries, first_example_ * batch.query_tokens(), place.queries);
    copy_rows(batch.keys, first_example_ * batch.key_tokens(), place.keys);
    copy_rows(batch.values, first_example_ * batch.key_tokens(), place.values);
    inner_.apply(layer, batch, output, scratch);
  }

 private:
  const AttentionOperator& inner_;
  Activations& captured_;
  std::int64_t first_example_;
};

Activations allocate_activations(const Encoder& encoder, const Dataset& dataset,
                                 std::int64_t count) {
  const ModelConfig& config = encoder.config();
  Activations out;
  out.examples = count;
  out.heads = config.heads;
  out.iterations = config.attention.has_sinkhorn_plan() ? config.attention.iterations : 0;
  out.model_fingerprint = encoder.fingerprint();
  out.source = dataset.name;
  const Shape tokens{count * config.tokens(), config.width};
  for (const std::vector<float>& scales : encoder.score_scales())
    out.layers.push_back({Tensor<float>(tokens), Tensor<float>(tokens), Tensor<float>(tokens),
                          std::vector<double>(scales.begin(), scales.end())});
  return out;
}

}  // namespace

std::vector<std::int64_t> draw_examples(std::int64_t size, std::int64_t count, std::uint64_t seed) {
  check(count <= size, "draw_examples: more examples than there are");
  std::vector<std::int64_t> indices(size);
  std::iota(indices.begin(), indices.end(), 0);
  RandomStream random(seed, RandomPurpose::calibration);
  for (std::int64_t i = 0; i < count; ++i)
    std::swap(indices[i], indices[i + static_cast<std::int64_t>(random.below(size - i))]);
  indices.resize(count);
  return indices;
}

Activations capture_activations(const Encoder& encoder, const Dataset& dataset, std::int64_t count,
                                std::uint64_t seed, int threads) {
  if (dataset.size() < count)
    throw DataError(dataset.name + ": " + std::to_string(dataset.size()) +
                        " images, but calibration and held_out need " + std::to_string(count),
                    "lower calibration or held_out");
  Activations out = allocate_activations(encoder, dataset, count);
  const std::vector<std::int64_t> indices = draw_examples(dataset.size(), count, seed);
  const std::unique_ptr<AttentionOperator> teacher = encoder.teacher();
  std::vector<Arena> arenas(std::max(threads, 1));
  parallel_for((count + kBatch - 1) / kBatch, threads, [&](std::int64_t index, int worker) {
    const std::int64_t first = index * kBatch, size = std::min(kBatch, count - first);
    Arena& arena = arenas[worker];
    const ArenaScope scope(arena);
    const MatrixView<float> images = arena.matrix<float>(size, dataset.image_size());
    const MatrixView<float> logits = arena.matrix<float>(size, encoder.config().classes);
    const VectorView<std::int32_t> labels = arena.vector<std::int32_t>(size);
    fill_batch(dataset, std::span(indices).subspan(first, size), images, labels);
    encoder.forward(images, CapturingOperator(*teacher, out, first), logits, arena);
  });
  return out;
}

Activations capture_run(const std::filesystem::path& run, const CompileConfig& config,
                        int threads) {
  const Encoder encoder = Encoder::load(run);
  if (!encoder.config().attention.has_sinkhorn_plan())
    throw UsageError(
        run.string() + ": the model's attention is not Sinkhorn's: there is nothing to compile",
        "train with model.attention.kind=sinkhorn");
  const TrainConfig trained = RunFolder(run).read_config();
  const Dataset dataset = load_dataset(trained.data, Split::train);
  fit_model_to_data(encoder.config(), dataset, RunFolder(run).config().string());
  return capture_activations(encoder, dataset, std::int64_t{config.calibration} + config.held_out,
                             config.seed, threads);
}

}  // namespace asap
