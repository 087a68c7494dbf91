#include "evaluate/bench/transport_bench.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "attention/transport/sparse_polish.h"
#include "attention/transport/tiled_transport.h"
#include "attention/transport/transport_log_domain.h"
#include "attention/transport/transport_map.h"
#include "base/error.h"
#include "base/format.h"
#include "base/random.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "compile/transport_fit.h"
#include "io/number_or_null.h"
#include "tensor/core/tensor.h"
#include "tensor/kernels/gemm.h"

namespace asap::evaluate {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kCopyGain = 30, kCopyNoise = 0.6;  // of the norm of a copy
constexpr float kBin = 9;
constexpr std::int64_t kLongestFitted = 512, kLongestChecked = 2048;
constexpr std::uint32_t kFirstCalibration = 1u << 30;
constexpr int kPolish = 100;  // K

/// Descriptors of two images, scores being their products.
struct DescriptorPair {
  tensor::Tensor<float> queries, keys;  // [N, D]
};

void normalise(tensor::VectorView<float> x, double length) {
  double square = 0;
  for (const float value : x) square += static_cast<double>(value) * static_cast<double>(value);
  for (float& value : x) value *= static_cast<float>(length / std::sqrt(square));
}

DescriptorPair draw_pair(const TransportBenchConfig& config, std::int64_t points,
                         std::uint32_t number) {
  base::RandomStream random(config.seed, base::RandomPurpose::generated_data, number);
  const std::int64_t width = config.width;
  DescriptorPair pair{tensor::Tensor<float>({points, width}),
                      tensor::Tensor<float>({points, width})};
  for (float& value : pair.queries.flat()) value = static_cast<float>(random.normal());
  for (float& value : pair.keys.flat()) value = static_cast<float>(random.normal());
  for (std::int64_t i = 0; i < points; ++i) {
    const auto query = pair.queries.rows().row(i), key = pair.keys.rows().row(i);
    if (5 * i < 3 * points)
      for (std::int64_t d = 0; d < width; ++d)
        key[d] = query[d] + static_cast<float>(kCopyNoise) * key[d];
    normalise(query, kCopyGain);
    normalise(key, 1);
  }
  return pair;
}

using Problem = attention::TransportProblem<float>;
using Duals = attention::TransportDuals<float>;

/// What a form needs besides descriptors.
struct LayerContext {
  attention::TransportMap map;
  int iterations = 0;
};

/// One computation of a form: what it reads and where its duals go.
struct LayerCall {
  const DescriptorPair& pair;
  const LayerContext& context;
  const Duals& duals;
  tensor::Arena& arena;
  attention::PolishEvidence polish{};

  /// The problem whose scores are computed now. Lives in the arena.
  Problem problem() const {
    const std::int64_t n = pair.queries.rows().rows, m = pair.keys.rows().rows;
    const auto scores = arena.matrix<float>(n, m);
    tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, 1, pair.queries.rows(),
                        pair.keys.rows(), 0, scores);
    const auto a = arena.vector<float>(n + 1), b = arena.vector<float>(m + 1);
    attention::dustbin_marginals<float>(a, b);
    return {.scores = scores, .bin = kBin, .row_marginals = a, .column_marginals = b};
  }
};

void run_log_domain(LayerCall& call) {
  const Problem problem = call.problem();
  const auto gibbs = attention::allocate_gibbs<float>(problem, call.arena);
  attention::load_scores<float>(problem, gibbs);
  std::ranges::fill(call.duals.columns, 0.0f);
  attention::log_row_update<float>(gibbs, call.duals.columns, call.duals.rows);
  for (int t = 0; t < call.context.iterations; ++t) {
    attention::log_column_update<float>(gibbs, call.duals.rows, call.duals.columns);
    attention::log_row_update<float>(gibbs, call.duals.columns, call.duals.rows);
  }
}

void run_stored(LayerCall& call) {
  attention::transport<float>(call.problem(), call.context.iterations, call.duals, call.arena);
}

void run_tiled(LayerCall& call) {
  const bool trusted = attention::tiled_transport(
      {.queries = call.pair.queries.rows(), .keys = call.pair.keys.rows(), .bin = kBin},
      call.context.iterations, 1, call.duals, call.arena);
  base::check(trusted, "transport bench: scores beyond the range of float");
}

void run_compiled(LayerCall& call) {
  attention::compiled_transport<float>(call.problem(), call.context.map, 0, call.duals, call.arena);
}

void run_compiled_1(LayerCall& call) {
  attention::compiled_transport<float>(call.problem(), call.context.map, 1, call.duals, call.arena);
}

void run_sparse(LayerCall& call) {
  const Problem problem = call.problem();
  attention::compiled_transport<float>(problem, call.context.map, 0, call.duals, call.arena);
  attention::SparsePlan<float> plan;
  call.polish = attention::sparse_polish<float>(problem, {.iterations = kPolish}, call.duals, plan,
                                                call.arena);
}

struct LayerForm {
  const char* name;
  void (*run)(LayerCall& call);
};

constexpr std::array<LayerForm, 6> kLayerForms{{{"log_domain", &run_log_domain},
                                                {"stored", &run_stored},
                                                {"tiled", &run_tiled},
                                                {"compiled", &run_compiled},
                                                {"compiled+1", &run_compiled_1},
                                                {"compiled+sparse:100", &run_sparse}}};

/// A pair's problem in double, its scores computed from the float descriptors.
class DoubleProblem {
 public:
  explicit DoubleProblem(const DescriptorPair& pair)
      : scores_({pair.queries.rows().rows, pair.keys.rows().rows}),
        rows_(static_cast<std::size_t>(scores_.shape()[0] + 1)),
        columns_(static_cast<std::size_t>(scores_.shape()[1] + 1)) {
    tensor::Tensor<float> products(scores_.shape());
    tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, 1, pair.queries.rows(),
                        pair.keys.rows(), 0, products.rows());
    std::ranges::copy(products.flat(), scores_.data());
    attention::dustbin_marginals<double>(rows_, columns_);
  }
  attention::TransportProblem<double> view() const {
    return {.scores = scores_.rows(),
            .bin = static_cast<double>(kBin),
            .row_marginals = rows_,
            .column_marginals = columns_};
  }

 private:
  tensor::Tensor<double> scores_;
  std::vector<double> rows_, columns_;
};

LayerContext make_context(const TransportBenchConfig& config, std::int64_t points) {
  compile::TransportFit fit(config.iterations);
  tensor::Arena scratch;
  for (int k = 0; k < config.calibration; ++k) {
    scratch.clear();
    const DoubleProblem problem(draw_pair(config, std::min(points, kLongestFitted),
                                          kFirstCalibration + static_cast<std::uint32_t>(k)));
    fit.add(problem.view(), scratch);
  }
  return {fit.solve(), config.iterations};
}

/// All rounds at one size.
class LayerBench {
 public:
  LayerBench(const TransportBenchConfig& config, std::int64_t points)
      : config_(config),
        points_(points),
        context_(make_context(config, points)),
        rows_(static_cast<std::size_t>(points + 1)),
        columns_(rows_.size()) {
    for (const LayerForm& form : kLayerForms)
      results_.push_back({.name = form.name,
                          .plan_l1 = kUnknown,
                          .entries_per_row = kUnknown,
                          .polish_iterations = kUnknown});
  }

  TransportBenchRow run(const std::function<void()>& round_done) {
    std::array<std::vector<double>, kLayerForms.size()> turns;
    for (int round = 0; round < config_.rounds; ++round) {
      const DescriptorPair pair = draw_pair(config_, points_, static_cast<std::uint32_t>(round));
      if (round == 0) check(pair);  // warms up as well
      for (std::size_t k = 0; k < kLayerForms.size(); ++k) {
        const std::size_t form = (k + static_cast<std::size_t>(round)) % kLayerForms.size();
        const base::Stopwatch watch;
        take_turn(form, pair);
        turns[form].push_back(1e3 * watch.seconds());
      }
      round_done();
    }
    for (std::size_t form = 0; form < turns.size(); ++form) {
      results_[form].fastest = std::ranges::min(turns[form]);
      results_[form].milliseconds = base::median(std::move(turns[form]));
    }
    return {points_, std::move(results_)};
  }

 private:
  attention::PolishEvidence take_turn(std::size_t form, const DescriptorPair& pair) {
    arena_.clear();
    const Duals duals{rows_, columns_};
    LayerCall call{.pair = pair, .context = context_, .duals = duals, .arena = arena_};
    kLayerForms[form].run(call);
    return call.polish;
  }

  void check(const DescriptorPair& pair) {
    const bool measured = points_ <= kLongestChecked;
    const DoubleProblem problem(pair);
    std::vector<double> f(rows_.size()), g(rows_.size());
    if (measured) {
      tensor::Arena scratch;
      attention::transport<double>(problem.view(), config_.iterations, {f, g}, scratch);
    }
    for (std::size_t form = 0; form < kLayerForms.size(); ++form) {
      const attention::PolishEvidence polish = take_turn(form, pair);
      TransportFormResult& result = results_[form];
      if (polish.entries_per_row > 0) {
        result.entries_per_row = polish.entries_per_row;
        result.polish_iterations = polish.iterations;
      }
      if (!measured) continue;
      const std::vector<double> rows(rows_.begin(), rows_.end()),
          columns(columns_.begin(), columns_.end());
      result.plan_l1 = compile::transport_plan_l1(problem.view(), {f, g}, {rows, columns});
    }
  }

  const TransportBenchConfig& config_;
  std::int64_t points_;
  LayerContext context_;
  std::vector<float> rows_, columns_;
  std::vector<TransportFormResult> results_;
  tensor::Arena arena_;
};

}  // namespace

std::vector<TransportBenchRow> run_transport_bench(const TransportBenchConfig& config,
                                                   const TransportBenchProgress& progress) {
  if (config.sizes.empty())
    throw base::UsageError("`sizes`: none given", "for example 512,1024,2048,4096");
  const std::int64_t total = static_cast<std::int64_t>(config.sizes.size()) * config.rounds;
  std::int64_t done = 0;
  std::vector<TransportBenchRow> rows;
  for (const int size : config.sizes)
    rows.push_back(LayerBench(config, size).run([&] {
      ++done;
      if (progress) progress(done, total);
    }));
  return rows;
}

std::string transport_bench_text(const std::vector<TransportBenchRow>& rows) {
  base::Table table({{"points"},
                     {"form", base::Table::Align::left},
                     {"ms"},
                     {"/ compiled"},
                     {"plan L1"},
                     {"kept/row"},
                     {"iterations"}});
  for (const TransportBenchRow& row : rows) {
    const auto compiled = std::ranges::find(row.forms, "compiled", &TransportFormResult::name);
    for (const TransportFormResult& form : row.forms)
      table.add_row(
          {base::format_count(row.points), form.name, base::format_significant(form.milliseconds),
           base::format_fixed(form.milliseconds / compiled->milliseconds, 2),
           base::format_fixed(form.plan_l1, 4), base::format_fixed(form.entries_per_row, 1),
           base::format_fixed(form.polish_iterations, 0)});
  }
  return table.text();
}

io::Json transport_bench_summary(const TransportBenchConfig& config,
                                 const std::vector<TransportBenchRow>& rows) {
  io::Json sizes = io::Json::array();
  for (const TransportBenchRow& row : rows) {
    io::Json forms = io::Json::array();
    for (const TransportFormResult& form : row.forms)
      forms.push_back({{"name", form.name},
                       {"milliseconds", form.milliseconds},
                       {"fastest", form.fastest},
                       {"plan_l1", io::number_or_null(form.plan_l1)},
                       {"entries_per_row", io::number_or_null(form.entries_per_row)},
                       {"polish_iterations", io::number_or_null(form.polish_iterations)}});
    sizes.push_back({{"points", row.points}, {"forms", forms}});
  }
  return {{"width", config.width},
          {"iterations", config.iterations},
          {"rounds", config.rounds},
          {"seed", config.seed},
          {"threads", 1},
          {"sizes", sizes}};
}

}  // namespace asap::evaluate
