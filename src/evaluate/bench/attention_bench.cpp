#include "evaluate/bench/attention_bench.h"

#include <algorithm>

#include "base/counted.h"
#include "base/format.h"
#include "base/timing.h"
#include "compile/compile_heads.h"
#include "evaluate/bench/bench_accuracy.h"
#include "evaluate/bench/bench_data.h"
#include "evaluate/bench/machine_peak.h"
#include "transport/slices.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kLongestCalibration = 512;  // a map fitted on short heads serves long ones
constexpr std::uint32_t kCalibrationStream = 1u << 30, kCheckStream = kCalibrationStream + 1;

/// A dual map for heads of this source, fitted on heads of their own.
attention::CompiledHead fit_map(const compile::Activations& activations,
                                std::vector<std::string> features, const BenchConfig& config,
                                int threads) {
  compile::CompileConfig compile;
  compile.slices = config.slices;
  compile.features = std::move(features);
  compile.calibration = config.calibration;
  compile.held_out = 1;
  compile.seed = config.seed;
  return compile::compile_heads(activations, compile, threads).heads[0][0];
}

/// A form and its measurements at one size.
struct Contestant {
  AttentionForm form;
  FormResult result;
  std::vector<double> turns = {};  // milliseconds per head

  explicit Contestant(const AttentionForm& form_) : form(form_) { result.name = form.name; }

  /// With scratch of its own, to see how much it takes.
  void measure_memory(const BenchBatch& batch, tensor::MatrixView<float> output,
                      const FormContext& context, int threads) {
    std::vector<tensor::Arena> scratch(threads);
    const attention::AttentionBatch<float> view = batch.view();
    form.run({view, output, context, scratch});
    for (const tensor::Arena& arena : scratch)
      result.memory_bytes += static_cast<std::int64_t>(arena.peak_bytes());
  }

  /// Calls for at least `seconds`, on the same heads; their median is the turn's time.
  void take_turn(const BenchBatch& batch, tensor::MatrixView<float> output,
                 const FormContext& context, std::span<tensor::Arena> scratch, double seconds) {
    const attention::AttentionBatch<float> view = batch.view();
    std::vector<double> calls;
    const base::Stopwatch turn;
    do {
      const base::Stopwatch watch;
      const std::int64_t left = form.run({view, output, context, scratch});
      calls.push_back(1e3 * watch.seconds() / static_cast<double>(batch.examples * batch.heads));
      if (calls.size() == 1) result.log_domain_heads += left;
    } while (turn.seconds() < seconds);
    turns.push_back(base::median(std::move(calls)));
  }

  /// A turn that does not count: it allocates shared scratch and fills caches.
  void warm_up(const BenchBatch& batch, tensor::MatrixView<float> output,
               const FormContext& context, std::span<tensor::Arena> scratch) {
    const attention::AttentionBatch<float> view = batch.view();
    form.run({view, output, context, scratch});
  }
};

/// Why a form is skipped at this size, given what it took at the size before; empty when it is
/// measured. Times and memory are taken to grow with the square of the length.
std::string reason_to_skip(const AttentionForm& form, const BenchConfig& config,
                           const BenchRow* before, std::int64_t tokens, std::int64_t heads) {
  const FormResult* last = before ? before->find(form.name) : nullptr;
  if (!last) return "";
  if (!last->skipped.empty()) return last->skipped;
  const double growth = static_cast<double>(tokens) / static_cast<double>(before->tokens);
  const double seconds = 1e-3 * last->milliseconds * growth * growth * static_cast<double>(heads);
  const double bytes = static_cast<double>(last->memory_bytes) * growth * growth;
  const std::string from = " from N = " + std::to_string(tokens);
  if (seconds > config.time_budget)
    return "over " + base::format_significant(config.time_budget) + " s a turn" + from;
  if (bytes > config.memory_budget * 1024 * 1024)
    return "over " +
           base::format_bytes(static_cast<std::int64_t>(config.memory_budget * 1024 * 1024)) + from;
  return "";
}

/// All rounds at one size.
class SizeBench {
 public:
  SizeBench(const BenchConfig& config, std::int64_t tokens, int threads)
      : config_(config),
        tokens_(tokens),
        threads_(threads),
        source_(config.head_width, tokens, config.logit_range, config.seed),
        context_(make_form_context(config, source_, tokens, threads)) {
    row_.tokens = tokens;
    row_.head_width = config.head_width;
    row_.heads = config.heads > 0 ? config.heads : default_head_count(tokens);
  }

  BenchRow run(const BenchRow* before, const std::function<void()>& round_done) {
    std::vector<Contestant> contestants;  // those not skipped
    for (const AttentionForm& form : select_forms(config_.forms)) {
      Contestant contestant(form);
      contestant.result.skipped = reason_to_skip(form, config_, before, tokens_, row_.heads);
      if (contestant.result.skipped.empty())
        contestants.push_back(contestant);
      else
        row_.forms.push_back(contestant.result);
    }
    // All forms share the same scratch: together, those that store a Gibbs kernel would not fit
    // into memory.
    std::vector<tensor::Arena> scratch(threads_);
    for (int round = 0; round <= config_.rounds; ++round) {
      run_round(contestants, round, scratch);
      if (round > 0) round_done();
    }
    const double width = config_.head_width, tokens = static_cast<double>(tokens_);
    for (Contestant& contestant : contestants) {
      FormResult& result = contestant.result;
      result.milliseconds = base::median(contestant.turns);
      result.fastest = std::ranges::min(contestant.turns);
      result.product_operations =
          contestant.form.product_operations({tokens, tokens, width, width}, context_);
    }
    scratch.clear();
    if (config_.checked_heads > 0 && tokens_ <= config_.checked_tokens) check_accuracy(contestants);
    for (Contestant& contestant : contestants) row_.forms.push_back(std::move(contestant.result));
    return std::move(row_);
  }

 private:
  /// Round 0 does not count.
  void run_round(std::vector<Contestant>& contestants, int round,
                 std::span<tensor::Arena> scratch) {
    const BenchBatch batch = source_.draw(tokens_, row_.heads, static_cast<std::uint32_t>(round));
    tensor::Tensor<float> output(batch.values.shape());
    if (round == 0) {
      row_.logit_range = median_logit_range(batch, context_.score_scale);
      for (Contestant& contestant : contestants)
        contestant.measure_memory(batch, output.rows(), context_, threads_);
      for (Contestant& contestant : contestants)
        contestant.warm_up(batch, output.rows(), context_, scratch);
      return;
    }
    for (std::size_t turn = 0; turn < contestants.size(); ++turn)
      contestants[(turn + static_cast<std::size_t>(round)) % contestants.size()].take_turn(
          batch, output.rows(), context_, scratch, config_.turn_seconds);
  }

  void check_accuracy(std::vector<Contestant>& contestants) const {
    const AccuracyCheck check(source_.draw(tokens_, config_.checked_heads, kCheckStream), context_,
                              threads_);
    for (Contestant& contestant : contestants) {
      const FormAccuracy accuracy = check.measure(contestant.form, threads_);
      contestant.result.plan_l1 = accuracy.plan_l1;
      contestant.result.output_error = accuracy.output_error;
    }
  }

  const BenchConfig& config_;
  std::int64_t tokens_;
  int threads_;
  BenchSource source_;
  FormContext context_;
  BenchRow row_;
};

}  // namespace

FormContext make_form_context(const BenchConfig& config, const BenchSource& source,
                              std::int64_t tokens, int threads) {
  const compile::Activations activations =
      source.activations(std::min(tokens, kLongestCalibration), config.calibration + 1,
                         config.iterations, kCalibrationStream);
  FormContext context;
  context.score_scale = source.score_scale();
  context.iterations = config.iterations;
  context.compiled = fit_map(activations, {"pot", "gau", "lin", "tilt", "lse"}, config, threads);
  context.no_sort = fit_map(activations, {"gau", "lin", "tilt", "lse"}, config, threads);
  context.no_lse = fit_map(activations, {"pot", "gau", "lin", "tilt"}, config, threads);
  context.relaxed = fit_map(activations, {"start", "it:3"}, config, threads);
  context.corrected = fit_map(activations, {"lse", "lse0", "it:2"}, config, threads);
  context.landmarks =
      fit_map(activations, {"lse", "lse0", "landmarks:16", "it:1"}, config, threads);
  context.one_pass = fit_map(activations, {"gau", "lin", "tilt"}, config, threads);
  const transport::Slices axes =
      transport::random_slices(config.slices, config.head_width, config.seed, 0);
  context.axes = tensor::Tensor<float>(axes.query.shape());
  for (std::int64_t i = 0; i < axes.query.size(); ++i)
    context.axes[i] = static_cast<float>(axes.query[i]);
  return context;
}

void BenchConfig::validate() const {
  if (sizes.empty()) throw base::UsageError("`sizes`: none given", "for example 196,512,1024");
  for (std::size_t i = 1; i < sizes.size(); ++i)
    if (sizes[i] <= sizes[i - 1])
      throw base::UsageError(
          "`sizes`: " + std::to_string(sizes[i]) + " follows " + std::to_string(sizes[i - 1]),
          "give them in ascending order, each once");
  if (slices > head_width)
    throw base::UsageError("`slices`: " + base::counted(slices, "slice") +
                               ", but a head of width " + std::to_string(head_width) +
                               " has only that many directions",
                           "lower slices or raise head_width");
  select_forms(forms);
}

const FormResult* BenchRow::find(const std::string& name) const {
  const auto found = std::ranges::find(forms, name, &FormResult::name);
  return found == forms.end() ? nullptr : &*found;
}

std::int64_t default_head_count(std::int64_t tokens) {
  constexpr std::int64_t kScoresPerTurn = 1 << 23;
  const std::int64_t count = kScoresPerTurn / (tokens * tokens);
  return count >= 64 ? 64 : count >= 4 ? count / 4 * 4 : tokens <= 4096 ? 4 : 2;
}

BenchResult run_attention_bench(const BenchConfig& config, int threads,
                                const BenchProgress& progress) {
  config.validate();
  BenchResult result;
  result.threads = threads;
  result.peak_gflops = measure_peak_gflops(threads);
  const auto total = static_cast<std::int64_t>(config.sizes.size()) * config.rounds;
  std::int64_t done = 0;
  for (const int tokens : config.sizes) {
    SizeBench bench(config, tokens, threads);
    const BenchRow* before = result.rows.empty() ? nullptr : &result.rows.back();
    result.rows.push_back(bench.run(before, [&] {
      if (progress) progress(++done, total);
    }));
  }
  // A busy machine lowers the peak: the better of two measurements, before and after.
  result.peak_gflops = std::max(result.peak_gflops, measure_peak_gflops(threads));
  return result;
}

}  // namespace asap::evaluate
