#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/json.h"

namespace asap::evaluate {

/// What asap-eval bench --transport measures: the layer behind a matcher, from descriptors to the
/// duals of transport with dustbins.
struct TransportBenchConfig {
  std::vector<int> sizes;  ///< points N of either set
  int width = 64;          ///< of a descriptor
  int iterations = 100;    ///< T of the loops and of the compiled layer's teacher
  int rounds = 9;
  int calibration = 16;  ///< pairs that the map is fitted on, at most 512 points each
  std::uint64_t seed = 1;
};

/// One form of the layer at one size.
struct TransportFormResult {
  std::string name;
  double milliseconds = 0;  ///< median over rounds, product of descriptors included
  double fastest = 0;
  /// From the loop in double, on the first round's pair: mean over points of
  /// sum_j |A_ij - teacher's A_ij|, the dustbin included. NaN at more than 2,048 points.
  double plan_l1 = 0;
  double entries_per_row = 0;    ///< of a sparse polish, else NaN
  double polish_iterations = 0;  ///< the same
};

struct TransportBenchRow {
  std::int64_t points = 0;
  std::vector<TransportFormResult> forms;
};

/// Called with the rounds done and the number of all rounds.
using TransportBenchProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Measures on pairs of random descriptors of length one, of which three fifths are noisy copies of
/// each other; scores are 30 times their cosine. Each round draws a fresh pair, on which all forms
/// take a turn in an order that moves on by one each round. The forms, on one thread:
///
///   log_domain           the loop in the log domain
///   stored               the loop over a stored Gibbs kernel
///   tiled                the loop that computes scores anew: memory O(N D)
///   compiled, compiled+1, compiled+sparse:K   the compiled layer, K = 100
///
/// UsageError without sizes.
std::vector<TransportBenchRow> run_transport_bench(const TransportBenchConfig& config,
                                                   const TransportBenchProgress& progress = {});

/// A table of them, and the same for summary.json.
std::string transport_bench_text(const std::vector<TransportBenchRow>& rows);
io::Json transport_bench_summary(const TransportBenchConfig& config,
                                 const std::vector<TransportBenchRow>& rows);

}  // namespace asap::evaluate
