#include "evaluate/study/diagnosis.h"

#include <algorithm>
#include <numeric>

#include "data/batch.h"
#include "data/model_fit.h"
#include "evaluate/study/pure_attention.h"

namespace asap::evaluate {
namespace {

constexpr std::size_t kNamedTokens = 5;         // of those that receive most, and least
constexpr std::int64_t kFewestOccurrences = 4;  // of a token that is named
constexpr std::int64_t kDiagnosedShard = 4;     // examples one thread takes at a time

/// What is measured by depth.
constexpr std::vector<double> MethodDiagnosis::*kCurves[] = {&MethodDiagnosis::rank_residuals,
                                                             &MethodDiagnosis::pure_residuals,
                                                             &MethodDiagnosis::pure_bounds};

/// Sums of a MethodDiagnosis over examples, and how many they are.
struct Sums {
  MethodDiagnosis method;
  TokenMassSums masses;
  std::int64_t examples = 0, tokens = 0;
  double collapse_base = 0, theorem_base = 0;

  Sums(const config::ModelConfig& config, int iterations, bool bounded)
      : method{.name = {},
               .heads = std::vector(config.layers, std::vector<PlanMeasures>(config.heads)),
               .rank_residuals = std::vector<double>(config.layers + 1),
               .pure_residuals = std::vector<double>(config.layers + 1),
               .pure_bounds = std::vector<double>(bounded ? config.layers + 1 : 0),
               .column_errors = {},
               .masses = {}} {
    if (iterations >= 0)
      method.column_errors = std::vector(
          config.layers, std::vector(config.heads, std::vector<double>(iterations + 1)));
  }

  void add(const Sums& part) {
    examples += part.examples;
    tokens += part.tokens;
    collapse_base += part.collapse_base;
    theorem_base += part.theorem_base;
    masses.add(part.masses);
    for (std::size_t layer = 0; layer < method.heads.size(); ++layer)
      for (std::size_t head = 0; head < method.heads[layer].size(); ++head) {
        method.heads[layer][head] += part.method.heads[layer][head];
        if (method.column_errors.empty()) continue;
        for (std::size_t t = 0; t < method.column_errors[layer][head].size(); ++t)
          method.column_errors[layer][head][t] += part.method.column_errors[layer][head][t];
      }
    for (std::vector<double> MethodDiagnosis::*curve : kCurves)
      for (std::size_t depth = 0; depth < (method.*curve).size(); ++depth)
        (method.*curve)[depth] += (part.method.*curve)[depth];
  }

  /// Means of the sums.
  MethodDiagnosis means(std::string name) const {
    MethodDiagnosis out = method;
    out.name = std::move(name);
    const double factor = 1 / static_cast<double>(std::max<std::int64_t>(examples, 1));
    for (auto& layer : out.heads)
      for (PlanMeasures& head : layer) head *= factor;
    for (std::vector<double> MethodDiagnosis::*curve : kCurves)
      for (double& value : out.*curve) value *= factor;
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

  /// What all threads share. iterations < 0: column errors are not followed.
  struct Subject {
    const infer::Encoder& encoder;
    const attention::AttentionOperator& attention;
    const PureAttention& pure;
    int iterations;
    bool bounded;  ///< rank_bound.h holds for the method

    Sums sums() const { return {encoder.config(), iterations, bounded}; }
  };

  DiagnosisProbe(const Subject& subject, const Source& source)
      : inner_(subject.attention),
        encoder_(subject.encoder),
        pure_(subject.pure),
        source_(source),
        iterations_(subject.iterations),
        sums_(subject.sums()) {}

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
    if (depth == 0)
      pure_.add(inner_, tokens, sums_.method.pure_residuals, sums_.method.pure_bounds);
    for (std::int64_t index = 0; index < tokens.examples; ++index) {
      const tensor::MatrixView<const float> rows = tokens.live_rows(index);
      if (rows.rows == 0) continue;
      sums_.method.rank_residuals[depth] += rank_one_residual(rows);
      if (depth > 0) continue;
      ++sums_.examples;
      sums_.collapse_base += pure_.base(rows);
      sums_.theorem_base += pure_.theorem_base(rows);
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
  const PureAttention& pure_;
  Source source_;
  int iterations_;
  mutable Sums sums_;
};

Sums run_method(const DiagnosisProbe::Subject& subject, const data::Dataset& dataset, int threads) {
  const infer::Encoder& encoder = subject.encoder;
  const std::vector<std::int64_t> order = data::length_order(dataset);
  const std::int64_t shards = (dataset.size() + kDiagnosedShard - 1) / kDiagnosedShard;
  std::vector<Sums> parts(shards, subject.sums());
  std::vector<tensor::Arena> arenas(std::max(threads, 1));
  // The longest first, as test_model does.
  base::parallel_for(shards, threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = shards - 1 - place, first = index * kDiagnosedShard;
    const std::span<const std::int64_t> examples =
        std::span(order).subspan(first, std::min(kDiagnosedShard, dataset.size() - first));
    data::Batch batch;
    batch.fill(dataset, examples);
    const config::ModelInput<float> input = batch.input();
    DiagnosisProbe probe(subject, {dataset, examples});
    tensor::Arena& arena = arenas[worker];
    const tensor::ArenaScope scope(arena);
    const tensor::MatrixView<float> logits =
        arena.matrix<float>(encoder.logit_rows(input), encoder.config().classes);
    encoder.forward(input, probe, logits, arena, &probe);
    parts[index] = probe.sums();
  });
  Sums total = subject.sums();
  for (const Sums& part : parts) total.add(part);
  return total;
}

/// Whether the method's plans are exp(score + row term + column term) with rows that sum to 1.
bool is_bounded(const Method& method, const infer::Encoder& encoder) {
  const config::AttentionKind kind = encoder.config().attention.kind;
  const bool teacher =
      kind == config::AttentionKind::softmax || kind == config::AttentionKind::sinkhorn;
  return teacher && method.kind != MethodKind::espformer;
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
  const PureAttention pure(encoder);
  for (const Method& method : settings.methods) {
    const int iterations = method.kind == MethodKind::teacher ? settings.iterations : -1;
    const auto attention = make_attention(method, encoder, compiled);
    const Sums sums =
        run_method({encoder, *attention, pure, iterations, is_bounded(method, encoder)}, dataset,
                   settings.threads);
    diagnosis.methods.push_back(sums.means(method.name()));
    diagnosis.methods.back().masses =
        sums.masses.extremes(dataset, kNamedTokens, kFewestOccurrences);
    diagnosis.examples = sums.examples;
    const double each = 1 / static_cast<double>(std::max<std::int64_t>(sums.examples, 1));
    diagnosis.collapse_base = each * sums.collapse_base;
    diagnosis.theorem_base = each * sums.theorem_base;
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
