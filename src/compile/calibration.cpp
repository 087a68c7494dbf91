#include "compile/calibration.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "base/random.h"
#include "config/changed_fields.h"
#include "config/run_folder.h"
#include "data/batch.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"

namespace asap::compile {
namespace {

constexpr std::int64_t kBatch = 16;

/// The live rows of every example of a batch become those of examples `first` and following.
void copy_live(tensor::MatrixView<const float> from, const attention::AttentionBatch<float>& batch,
               std::int64_t first, std::int64_t tokens, tensor::Tensor<float>& to) {
  for (std::int64_t b = 0; b < batch.examples; ++b)
    for (std::int64_t i = 0; i < batch.live_query_count(b); ++i)
      std::ranges::copy(from.row(b * batch.query_tokens() + i),
                        to.rows().row((first + b) * tokens + i).begin());
}

/// Computes what `inner` computes and keeps its inputs as those of these examples.
class CapturingOperator final : public attention::AttentionOperator {
 public:
  CapturingOperator(const attention::AttentionOperator& inner, Activations& captured,
                    std::int64_t first_example)
      : inner_(inner), captured_(captured), first_example_(first_example) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    LayerActivations& place = captured_.layers[layer];
    const std::int64_t tokens = place.queries.shape()[0] / captured_.examples;
    copy_live(batch.queries, batch, first_example_, tokens, place.queries);
    copy_live(batch.keys, batch, first_example_, tokens, place.keys);
    copy_live(batch.values, batch, first_example_, tokens, place.values);
    inner_.apply(layer, batch, output, scratch);
  }

 private:
  const attention::AttentionOperator& inner_;
  Activations& captured_;
  std::int64_t first_example_;
};

/// Number of tokens that attention sees of each of these examples; empty for images, which all have
/// the same number.
std::vector<std::int32_t> live_tokens(const config::ModelConfig& config,
                                      const data::Dataset& dataset,
                                      std::span<const std::int64_t> examples) {
  std::vector<std::int32_t> live;
  if (config.kind == config::ModelKind::vit) return live;
  for (const std::int64_t example : examples)
    live.push_back(
        static_cast<std::int32_t>(dataset.tokens(example) + (config.has_class_token() ? 1 : 0)));
  return live;
}

std::vector<std::int64_t> draw_calibration(const data::Dataset& dataset, std::int64_t count,
                                           std::uint64_t seed) {
  require_examples(dataset.name, dataset.size(), count);
  return draw_examples(dataset.size(), count, seed);
}

/// T of the network's own attention; 0 when that is not Sinkhorn attention.
int own_iterations(const config::AttentionConfig& attention) {
  return attention.has_sinkhorn_plan() ? attention.iterations : 0;
}

Activations allocate_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                 std::span<const std::int64_t> examples) {
  const config::ModelConfig& config = encoder.config();
  Activations out;
  out.examples = std::ssize(examples);
  out.live_queries = out.live_keys = live_tokens(config, dataset, examples);
  out.heads = config.heads;
  out.model_fingerprint = encoder.fingerprint();
  out.source = dataset.name;
  const std::int64_t longest = config.kind == config::ModelKind::vit
                                   ? config.tokens()
                                   : std::max(std::ranges::max(out.live_queries), 1);
  const tensor::Shape tokens{out.examples * longest, config.width};
  for (const std::vector<float>& scales : encoder.score_scales())
    out.layers.push_back({tensor::Tensor<float>(tokens), tensor::Tensor<float>(tokens),
                          tensor::Tensor<float>(tokens),
                          std::vector<double>(scales.begin(), scales.end())});
  for (std::size_t layer = 0; layer < encoder.slacks().size(); ++layer)
    out.layers[layer].slacks.assign(encoder.slacks()[layer].begin(), encoder.slacks()[layer].end());
  return out;
}

/// Gives this rank the activations of the batches that others computed.
void exchange_batches(const distributed::ItemShare& share, Activations& all) {
  const auto each_part = [&](std::int64_t batch, const auto& visit) {
    const std::int64_t first = batch * kBatch, count = std::min(kBatch, all.examples - first);
    for (LayerActivations& layer : all.layers)
      for (tensor::Tensor<float>* tokens : {&layer.queries, &layer.keys, &layer.values}) {
        const std::size_t size = tokens->flat().size() / static_cast<std::size_t>(all.examples);
        visit(tokens->flat().subspan(static_cast<std::size_t>(first) * size,
                                     static_cast<std::size_t>(count) * size));
      }
  };
  std::vector<std::string> own(static_cast<std::size_t>(share.own()));
  for (std::int64_t place = 0; place < share.own(); ++place)
    each_part(share.item(place), [&](tensor::VectorView<const float> part) {
      distributed::pack(part, own[static_cast<std::size_t>(place)]);
    });
  const std::vector<std::string> packed = share.exchange(own);
  for (std::int64_t batch = 0; batch < std::ssize(packed); ++batch) {
    distributed::Unpacker unpacker(packed[static_cast<std::size_t>(batch)]);
    each_part(batch, [&](tensor::VectorView<float> part) { unpacker.fill(part); });
  }
}

}  // namespace

std::vector<std::int64_t> draw_examples(std::int64_t size, std::int64_t count, std::uint64_t seed) {
  base::check(count <= size, "draw_examples: more examples than there are");
  std::vector<std::int64_t> indices(size);
  std::iota(indices.begin(), indices.end(), 0);
  base::RandomStream random(seed, base::RandomPurpose::calibration);
  for (std::int64_t i = 0; i < count; ++i)
    std::swap(indices[i], indices[i + static_cast<std::int64_t>(random.below(size - i))]);
  indices.resize(count);
  return indices;
}

Activations capture_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::int64_t count, std::uint64_t seed,
                                const distributed::Workers& workers) {
  return capture_activations(encoder, dataset, draw_calibration(dataset, count, seed), std::nullopt,
                             workers);
}

Activations capture_activations(const infer::Encoder& encoder, const data::Dataset& dataset,
                                std::span<const std::int64_t> examples,
                                std::optional<int> iterations,
                                const distributed::Workers& workers) {
  Activations out = allocate_activations(encoder, dataset, examples);
  out.iterations = iterations.value_or(own_iterations(encoder.config().attention));
  const std::unique_ptr<attention::AttentionOperator> teacher =
      iterations ? encoder.sinkhorn(*iterations) : encoder.teacher();
  const std::int64_t count = std::ssize(examples);
  std::vector<tensor::Arena> arenas(std::max(workers.threads, 1));
  const distributed::ItemShare share(*workers.ranks, (count + kBatch - 1) / kBatch);
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = share.item(place);
    const std::int64_t first = index * kBatch, size = std::min(kBatch, count - first);
    tensor::Arena& arena = arenas[worker];
    const tensor::ArenaScope scope(arena);
    data::Batch batch;
    batch.fill(dataset, examples.subspan(first, size));
    const tensor::MatrixView<float> logits =
        arena.matrix<float>(encoder.logit_rows(batch.input()), encoder.config().classes);
    encoder.forward(batch.input(), CapturingOperator(*teacher, out, first), logits, arena);
  });
  if (share.is_shared()) exchange_batches(share, out);
  return out;
}

void check_teacher(const CompileConfig& config, const config::ModelConfig& model,
                   const std::string& source) {
  const config::AttentionConfig& attention = model.attention;
  const bool has_scores = attention.kind != config::AttentionKind::lotformer &&
                          attention.kind != config::AttentionKind::differential;
  if (!config.imitated_iterations()) {
    if (attention.has_sinkhorn_plan()) return;
    throw base::UsageError(
        source + ": the model's attention is not Sinkhorn's: there is nothing to compile",
        std::string("train with model.attention.kind=sinkhorn") +
            (has_scores ? ", or imitate Sinkhorn on this model's scores: `teacher` sinkhorn:10"
                        : ""));
  }
  if (!has_scores)
    throw base::UsageError(source + ": teacher: " + config.teacher +
                               " needs scores that are products of queries and keys, which this "
                               "model's attention does not have",
                           "train with softmax or Sinkhorn attention");
}

RunActivations::RunActivations(const std::filesystem::path& run, const CompileConfig& config,
                               const distributed::Workers& workers)
    : encoder_(infer::Encoder::load(run)),
      iterations_(config.imitated_iterations()),
      workers_(workers) {
  encoder_.require_attention(run.string());
  check_teacher(config, encoder_.config(), run.string());
  dataset_ = data::load_dataset_for(config::RunFolder(run), config.data, data::Split::train);
  data::fit_model_to_data(encoder_.config(), dataset_, config::RunFolder(run).config().string());
  examples_ =
      draw_calibration(dataset_, std::int64_t{config.calibration} + config.held_out, config.seed);
  const config::ModelConfig& model = encoder_.config();
  const config::DataConfig trained = config::RunFolder(run).read_config().data;
  teacher_ = {
      .examples = std::ssize(examples_),
      .layers = model.layers,
      .heads = model.heads,
      .head_width = model.width / model.heads,
      .iterations = iterations_.value_or(own_iterations(model.attention)),
      .has_values = true,
      .has_slack = !encoder_.slacks().empty(),
      .model_fingerprint = encoder_.fingerprint(),
      .source = dataset_.name,
      .other_data = config::changed_fields(config::to_json(config.data), config::to_json(trained)),
      .skipped = data::describe_skipped(dataset_)};
}

void RunActivations::for_each_chunk(const ExampleRange& range, const Visit& visit) const {
  const std::int64_t most = kBatch * std::max(workers_.threads * workers_.ranks->size(), 2),
                     end = range.first + range.count;
  for (std::int64_t first = range.first; first < end; first += most) {
    const std::int64_t count = std::min(most, end - first);
    const Activations chunk =
        capture_activations(encoder_, dataset_,
                            std::span(examples_).subspan(static_cast<std::size_t>(first),
                                                         static_cast<std::size_t>(count)),
                            iterations_, workers_);
    visit(chunk, {0, count}, first);
  }
}

}  // namespace asap::compile
