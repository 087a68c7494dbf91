#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "config/config_fields.h"
#include "evaluate/bench/attention_forms.h"
#include "evaluate/bench/bench_data.h"

namespace asap::evaluate {

/// What asap-eval bench measures.
struct BenchConfig {
  std::vector<int> sizes = {196, 512, 1024};
  int head_width = 64;
  int iterations = 10;
  int slices = 4;
  std::vector<std::string> forms;  ///< empty: all of them, of which the main ones are printed
  int heads = 0;
  int rounds = 9;
  double turn_seconds = 0.02;
  double logit_range = 40;
  int calibration = 32;
  int checked_heads = 2;
  int checked_tokens = 4096;
  double time_budget = 20;
  double memory_budget = 4096;
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("sizes", sizes, "tokens N of a head: number of queries and of keys",
            config::between(1, 1 << 20));
    v.field("head_width", head_width, "width D of queries, keys and values",
            config::between(1, 1024));
    v.field("iterations", iterations, "T of the Sinkhorn forms", config::between(1, 10000));
    v.field("slices", slices, "slices of the compiled operator and of espformer",
            config::between(1, 1024));
    v.field("forms", forms,
            "forms of attention to measure and print; empty: all, of which four are printed; all: "
            "every one");
    v.field("heads", heads, "independent heads per turn; 0: chosen by size",
            config::between(0, 65536));
    v.field("rounds", rounds, "turns of every form, each on fresh data", config::between(1, 10000));
    v.field("turn_seconds", turn_seconds, "a turn repeats its call for at least this time",
            config::between(0, 3600));
    v.field("logit_range", logit_range, "median over heads of max - min of the scores",
            config::between(1, 1000));
    v.field("calibration", calibration, "heads on which the compiled map is fitted",
            config::between(1, 100000));
    v.field("checked_heads", checked_heads, "heads compared with float64 Sinkhorn",
            config::between(0, 1024));
    v.field("checked_tokens", checked_tokens, "longest head that is compared",
            config::between(0, 1 << 20));
    v.field(
        "time_budget", time_budget,
        "seconds; a form whose turn would take longer, estimated from the size before, is skipped",
        config::above(0));
    v.field("memory_budget", memory_budget,
            "MiB beyond inputs and outputs; a form that would need more is skipped",
            config::above(0));
    v.field("seed", seed, "of the generated queries, keys and values");
  }
  /// UsageError for no sizes, sizes that do not grow, or forms that do not exist.
  void validate() const;
};

/// One form at one size.
struct FormResult {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  std::string name;
  std::string skipped;  ///< why it was not measured; empty when it was
  double milliseconds =
      kNone;  ///< per head on the clock: median over rounds of the median over a turn's calls
  double fastest = kNone;             ///< the least of the same
  std::int64_t memory_bytes = 0;      ///< beyond inputs and outputs, the sum over threads
  std::int64_t log_domain_heads = 0;  ///< heads of all rounds that left the exp domain
  double product_operations = 0;      ///< per head
  double plan_l1 = kNone;  ///< from float64 Sinkhorn: mean over queries of sum_j |A_ij - Â_ij|
  double output_error = kNone;  ///< |O - Ô| / |O| from the same

  double gflops() const { return product_operations / milliseconds * 1e-6; }
};

/// All forms at one size.
struct BenchRow {
  std::int64_t tokens = 0;      // N
  std::int64_t head_width = 0;  // D
  std::int64_t heads = 0;       ///< per turn
  double logit_range = 0;       ///< measured: median over the heads of the first round
  std::vector<FormResult> forms;

  const FormResult* find(const std::string& name) const;
};

struct BenchResult {
  std::vector<BenchRow> rows;
  double peak_gflops = 0;  ///< of all threads together, measured in the same run
  int threads = 1;
};

/// Called with the rounds done and the number of all rounds.
using BenchProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Measures every form at every size. Each round draws fresh heads, and all forms take a turn on
/// them in an order that moves on by one each round. The compiled map is fitted on other heads of
/// the same source. Everything but times and the peak is the same for any number of threads and in
/// every run.
BenchResult run_attention_bench(const BenchConfig& config, int threads,
                                const BenchProgress& progress = {});

/// What the forms need on heads of this source: maps fitted on heads of their own, at most 512
/// tokens long, and slices. The maps do not depend on `threads`.
FormContext make_form_context(const BenchConfig& config, const BenchSource& source,
                              std::int64_t tokens, int threads);

/// Default number of heads per turn: the longer the heads, the fewer, so that a turn stays near a
/// tenth of a second.
std::int64_t default_head_count(std::int64_t tokens);

}  // namespace asap::evaluate
