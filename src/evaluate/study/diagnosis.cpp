#include "evaluate/study/diagnosis.h"

#include <algorithm>
#include <numeric>

#include "data/batch.h"
#include "data/model_fit.h"

namespace asap::evaluate {
namespace {

constexpr std::size_t kNamedTokens = 5;         // of those that receive most, and least
constexpr std::int64_t kFewestOccurrences = 4;  // of a token that is named
constexpr std::int64_t kDiagnosedShard = 4;     // examples one thread takes at a time

/// Sums of a MethodDiagnosis over examples, and how many they are.
struct Sums {
  MethodDiagnosis method;
  TokenMassSums masses;
  std::int64_t examples = 0, tokens = 0;

  Sums(const config::ModelConfig& config, int iterations)
      : method{.name = {},
               .heads = std::vector(config.layers, std::vector<PlanMeasures>(config.heads)),
               .rank_residuals = std::vector<double>(config.layers + 1),
               .column_errors = {},
               .masses = {}} {
    if (iterations >= 0)
      method.column_errors = std::vector(
          config.layers, std::vector(config.heads, std::vector<double>(iterations + 1)));
  }

  void add(const Sums& part) {
    examples += part.examples;
    tokens += part.tokens;
    masses.add(part.masses);
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      for (std::size_t head = 0; head < method.heads[layer].size(); ++head) {
        method.heads[layer][head] += part.method.heads[layer][head];
        if (method.column_errors.empty()) continue;
        for (std::size_t t = 0; t < method.column_errors[layer][head].size(); ++t)
          method.column_errors[layer][head][t] += part.method.column_errors[layer][head][t];
      }
    for (std::size_t depth = 0; depth < method.rank_residuals.size(); ++depth)
      method.rank_residuals[depth] += part.method.rank_residuals[depth];
  }

  /// Means of the sums.
  MethodDiagnosis means(std::string name) const {
    MethodDiagnosis out = method;
    out.name = std::move(name);
    const double factor = 1 / static_cast<double>(std::max<std::int64_t>(examples, 1));
    for (auto& layer : out.heads)
      for (PlanMeasures& head : layer) head *= factor;
    for (double& value : out.rank_residuals) value *= factor;
    for (auto& layer : out.column_errors)
      for (auto& head : layer)
        for (double& value : head) value *= factor;
    return out;
  }
};

/// Computes what `inner` computes and measures its plans. Belongs to one thread.
class DiagnosisProbe final : public attention::AttentionOperator, public infer::TokenObserver {
 public:
  /// Which examples of which data set a batch holds.
  struct Source {
    const data::Dataset& dataset;
    std::span<const std::int64_t> examples;
  };

  DiagnosisProbe(const attention::AttentionOperator& inner, const infer::Encoder& encoder,
                 int iterations, const Source& source)
      : inner_(inner),
        encoder_(encoder),
        source_(source),
        iterations_(iterations),
        sums_(encoder.config(), iterations) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    for (std::int64_t index = 0; index < batch.examples; ++index) {
      const attention::AttentionBatch<float> example = batch.example(index);
      if (example.live_query_count(0) > 0)
        measure(layer, example, source_.examples[static_cast<std::size_t>(index)], scratch);
    }
    inner_.apply(layer, batch, output, scratch);
  }

  void see(int depth, const infer::TokenRows& tokens) override {
    for (std::int64_t index = 0; index < tokens.examples; ++index) {
      const tensor::MatrixView<const float> rows = tokens.live_rows(index);
      if (rows.rows == 0) continue;
      sums_.method.rank_residuals[depth] += rank_one_residual(rows);
      if (depth > 0) continue;
      ++sums_.examples;
      sums_.tokens += rows.rows;
    }
  }

  const Sums& sums() const { return sums_; }

 private:
  /// Adds what every token receives of an example. plans: [n, H * M].
  void add_masses(int layer, const attention::AttentionBatch<float>& example, std::int64_t index,
                  tensor::MatrixView<const float> plans) const {
    const std::int64_t n = example.live_query_count(0), m = example.live_key_count(0);
    const double factor = static_cast<double>(m) / static_cast<double>(n * example.heads);
    for (std::int64_t j = 0; j < m; ++j) {
      double sum = 0;
      for (std::int64_t head = 0; head < example.heads; ++head)
        for (std::int64_t i = 0; i < n; ++i) sum += plans(i, head * example.key_tokens() + j);
      sums_.masses.add(layer,
                       token_key(source_.dataset, index, j, encoder_.config().has_class_token()),
                       factor * sum);
    }
  }

  void measure(int layer, const attention::AttentionBatch<float>& example, std::int64_t index,
               tensor::Arena& scratch) const {
    const tensor::ArenaScope scope(scratch);
    const std::int64_t m = example.key_tokens();
    const tensor::MatrixView<float> plans =
        scratch.matrix<float>(example.query_tokens(), example.heads * m);
    inner_.plans(layer, example, plans, scratch);
    if (iterations_ >= 0) add_masses(layer, example, index, plans);
    for (std::int64_t head = 0; head < example.heads; ++head) {
      const tensor::MatrixView<const float> queries = example.head_queries(0, head);
      const tensor::MatrixView<const float> keys = example.head_keys(0, head);
      const float scale = encoder_.score_scales()[layer][head];
      PlanMeasures measures = measure_plan(plans.block(0, head * m, queries.rows, keys.rows));
      measures.logit_range = score_range(queries, keys, scale, scratch);
      sums_.method.heads[layer][head] += measures;
      if (iterations_ < 0) continue;
      attention::AttentionHead<float> inputs{queries, keys, {}, scale};
      if (!encoder_.slacks().empty()) inputs.slack = encoder_.slacks()[layer][head];
      const std::vector<double> errors = column_errors_by_iteration(inputs, iterations_, scratch);
      for (std::size_t t = 0; t < errors.size(); ++t)
        sums_.method.column_errors[layer][head][t] += errors[t];
    }
  }

  const attention::AttentionOperator& inner_;
  const infer::Encoder& encoder_;
  Source source_;
  int iterations_;
  mutable Sums sums_;
};

Sums run_method(const infer::Encoder& encoder, const attention::AttentionOperator& attention,
                int iterations, const data::Dataset& dataset, int threads) {
  const std::vector<std::int64_t> order = data::length_order(dataset);
  const std::int64_t shards = (dataset.size() + kDiagnosedShard - 1) / kDiagnosedShard;
  std::vector<Sums> parts(shards, Sums(encoder.config(), iterations));
  std::vector<tensor::Arena> arenas(std::max(threads, 1));
  // The longest first, as test_model does.
  base::parallel_for(shards, threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = shards - 1 - place, first = index * kDiagnosedShard;
    const std::span<const std::int64_t> examples =
        std::span(order).subspan(first, std::min(kDiagnosedShard, dataset.size() - first));
    data::Batch batch;
    batch.fill(dataset, examples);
    const config::ModelInput<float> input = batch.input();
    DiagnosisProbe probe(attention, encoder, iterations, {dataset, examples});
    tensor::Arena& arena = arenas[worker];
    const tensor::ArenaScope scope(arena);
    const tensor::MatrixView<float> logits =
        arena.matrix<float>(encoder.logit_rows(input), encoder.config().classes);
    encoder.forward(input, probe, logits, arena, &probe);
    parts[index] = probe.sums();
  });
  Sums total(encoder.config(), iterations);
  for (const Sums& part : parts) total.add(part);
  return total;
}

}  // namespace

Diagnosis diagnose(const infer::Encoder& encoder, const CompiledHeads* compiled,
                   const data::Dataset& dataset, const DiagnosisSettings& settings) {
  if (dataset.size() == 0) throw base::UsageError("the test set is empty");
  data::fit_model_to_data(encoder.config(), dataset, "the trained model");
  Diagnosis diagnosis;
  diagnosis.examples_name = data::examples_name(dataset.kind);
  diagnosis.threads = settings.threads;
  // With slack, columns that differ are what the network wants, whatever its iterations.
  diagnosis.teacher_iterates = encoder.config().attention.kind == config::AttentionKind::sinkhorn &&
                               encoder.slacks().empty();
  for (const std::vector<float>& layer : encoder.slacks()) {
    auto& bounds = diagnosis.column_bounds.emplace_back();
    for (const float slack : layer) bounds.push_back(1 + double{slack});
  }
  for (const Method& method : settings.methods) {
    const int iterations = method.kind == MethodKind::teacher ? settings.iterations : -1;
    const Sums sums = run_method(encoder, *make_attention(method, encoder, compiled), iterations,
                                 dataset, settings.threads);
    diagnosis.methods.push_back(sums.means(method.name()));
    diagnosis.methods.back().masses =
        sums.masses.extremes(dataset, kNamedTokens, kFewestOccurrences);
    diagnosis.examples = sums.examples;
    diagnosis.tokens = static_cast<double>(sums.tokens) /
                       static_cast<double>(std::max<std::int64_t>(sums.examples, 1));
  }
  return diagnosis;
}

std::vector<double> by_layer(const MethodDiagnosis& method, double PlanMeasures::*measure) {
  std::vector<double> means;
  for (const auto& layer : method.heads) {
    double total = 0;
    for (const PlanMeasures& head : layer) total += head.*measure;
    means.push_back(total / static_cast<double>(layer.size()));
  }
  return means;
}

}  // namespace asap::evaluate
