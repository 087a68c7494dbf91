#include "evaluate/matching/matcher_comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "base/timing.h"
#include "evaluate/matching/classical_matchers.h"

namespace asap::evaluate {
namespace {

using infer::Matches;

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// What is measured of one method on one pair.
struct PairResult {
  infer::MatchCounts counts;
  std::int64_t either = 0, same = 0;
  double plan_l1 = kNotMeasured;  ///< sum over keypoints
  double seconds = 0, layer_seconds = kNotMeasured;
  double column_error = kNotMeasured;
  double entries_per_row = kNotMeasured, dropped_mass = kNotMeasured;
  double polish_iterations = kNotMeasured;
  bool not_polished = false;
};

/// The scratch of a thread. Tables of a network live in its arena, those of plans in another.
struct Worker {
  data::KeypointSample sample;
  tensor::Arena scores, plans;
};

/// A matcher on one pair: its scores and how long they took.
struct Scored {
  infer::MatcherScores scores;
  double seconds = 0;
};

Scored score(const infer::Matcher& matcher, const data::KeypointPairs& pairs, std::int64_t pair,
             Worker& worker) {
  const double start = base::thread_cpu_seconds();
  const infer::MatcherScores scores =
      infer::score_pair(matcher, pairs, pair, worker.sample, worker.scores);
  return {scores, base::thread_cpu_seconds() - start};
}

/// Inner products of the decoded descriptors of both images.
tensor::MatrixView<float> similarity_of(const data::KeypointPairs& pairs, std::int64_t pair,
                                        Worker& worker) {
  data::fill_sample(pairs, pair, 0, 1, worker.sample);
  const auto& [first, second] = worker.sample.images;
  const tensor::MatrixView<float> similarity =
      worker.plans.matrix<float>(std::ssize(first.rows), std::ssize(second.rows));
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, 1, first.descriptors.rows(),
                      second.descriptors.rows(), 0, similarity);
  return similarity;
}

Matches match_classically(const MatchingMethod& method,
                          tensor::MatrixView<const float> similarity) {
  switch (method.kind) {
    case MatchingMethod::Kind::mutual:
      return match_mutual_nearest(similarity);
    case MatchingMethod::Kind::ratio:
      return match_by_ratio(similarity, method.limit);
    case MatchingMethod::Kind::assignment:
      return match_by_assignment(similarity, method.limit);
    default:
      throw base::InternalError("match_classically: not a classical method");
  }
}

/// An assignment with dustbins, and the matches in it.
struct Assigned {
  tensor::MatrixView<float> plan;
  attention::PolishEvidence polish;
  Matches matches;
  double layer_seconds = 0, seconds = 0;
};

Assigned assign(const infer::Matcher& matcher, const infer::MatcherScores& scores,
                const infer::TransportSolver& solver, double threshold, Worker& worker) {
  const double start = base::thread_cpu_seconds();
  const std::int64_t n = scores.scores.rows, m = scores.scores.cols;
  const tensor::MatrixView<float> plan = worker.plans.matrix<float>(n + 1, m + 1);
  const attention::PolishEvidence polish = matcher.assign(scores, solver, plan, worker.plans);
  const double layer = base::thread_cpu_seconds() - start;
  Matches matches = infer::decode_plan(plan.block(0, 0, n, m), threshold);
  return {plan, polish, std::move(matches), layer, base::thread_cpu_seconds() - start};
}

/// The solver of a method that reads scores.
infer::TransportSolver solver_of(const MatchingMethod& method, const infer::Matcher& network,
                                 const MatcherComparisonConfig& config) {
  using Kind = infer::TransportSolver::Kind;
  switch (method.kind) {
    case MatchingMethod::Kind::teacher:
      if (config.teacher_iterations > 0) return {.iterations = config.teacher_iterations};
      return network.own_solver();
    case MatchingMethod::Kind::sinkhorn:
      return {.iterations = method.iterations};
    case MatchingMethod::Kind::compiled:
      return {.kind = Kind::compiled, .iterations = method.iterations, .map = &*config.map};
    case MatchingMethod::Kind::sparse:
      return {.kind = Kind::sparse, .iterations = method.iterations, .map = &*config.map};
    default:
      return network.own_solver();
  }
}

/// Mean over the columns but the dustbin's of |sum_i a_ij - 1|.
double mean_column_error(tensor::MatrixView<const float> plan) {
  std::vector<double> sums(static_cast<std::size_t>(plan.cols - 1), 0.0);
  for (std::int64_t i = 0; i < plan.rows; ++i)
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += static_cast<double>(plan.row(i)[j]);
  double total = 0;
  for (const double sum : sums) total += std::abs(sum - 1);
  return sums.empty() ? 0 : total / static_cast<double>(sums.size());
}

/// Sum over the rows but the dustbin's of sum_j |a_ij - b_ij|.
double difference(tensor::MatrixView<const float> a, tensor::MatrixView<const float> b) {
  double sum = 0;
  for (std::int64_t i = 0; i + 1 < a.rows; ++i)
    for (std::int64_t j = 0; j < a.cols; ++j)
      sum += std::abs(static_cast<double>(a(i, j)) - static_cast<double>(b(i, j)));
  return sum;
}

PairResult judge(const Matches& matches, const Matches& reference,
                 std::span<const std::int32_t> truth) {
  PairResult result;
  if (!truth.empty()) result.counts = infer::count_matches(matches.partners, truth);
  for (std::size_t i = 0; i < matches.partners.size(); ++i) {
    if (matches.partners[i] < 0 && reference.partners[i] < 0) continue;
    ++result.either;
    if (matches.partners[i] == reference.partners[i]) ++result.same;
  }
  return result;
}

/// What the assignment of a method says beside its matches.
void add_assignment(const Assigned& assigned, const Assigned& teacher,
                    const infer::Matcher& matcher, PairResult& result) {
  result.layer_seconds = assigned.layer_seconds;
  result.plan_l1 = difference(assigned.plan, teacher.plan);
  if (matcher.config().output == config::MatcherOutput::dustbin)
    result.column_error = mean_column_error(assigned.plan);
}

/// Compares everything on one pair; one result per row.
std::vector<PairResult> compare_pair(const data::KeypointPairs& pairs, std::int64_t pair,
                                     const infer::Matcher& network,
                                     const std::vector<NamedMatcher>& others,
                                     const MatcherComparisonConfig& config, Worker& worker) {
  worker.scores.clear();
  worker.plans.clear();
  const auto truth = pairs.view(pair, 0).matches;
  const Scored scored = score(network, pairs, pair, worker);
  const MatchingMethod teacher{.kind = MatchingMethod::Kind::teacher};
  const Assigned reference =
      assign(network, scored.scores, solver_of(teacher, network, config), config.threshold, worker);
  std::vector<PairResult> results;
  const auto add = [&](const Matches& matches, double seconds) -> PairResult& {
    PairResult& result = results.emplace_back(judge(matches, reference.matches, truth));
    result.seconds = seconds;
    return result;
  };
  for (const MatchingMethod& method : config.methods) {
    const double start = base::thread_cpu_seconds();
    if (!method.reads_scores()) {
      const Matches matches = match_classically(method, similarity_of(pairs, pair, worker));
      add(matches, base::thread_cpu_seconds() - start);
      continue;
    }
    const Assigned assigned = assign(network, scored.scores, solver_of(method, network, config),
                                     config.threshold, worker);
    PairResult& result = add(assigned.matches, scored.seconds + assigned.seconds);
    add_assignment(assigned, reference, network, result);
    if (method.kind != MatchingMethod::Kind::sparse || assigned.plan.rows == 1 ||
        assigned.plan.cols == 1)
      continue;
    result.entries_per_row = assigned.polish.entries_per_row;
    result.dropped_mass = assigned.polish.dropped_mass;
    result.polish_iterations = assigned.polish.iterations;
    result.not_polished = !assigned.polish.polished;
  }
  for (const NamedMatcher& other : others) {
    const Scored own = score(*other.matcher, pairs, pair, worker);
    const Assigned assigned =
        assign(*other.matcher, own.scores, other.matcher->own_solver(), other.threshold, worker);
    add_assignment(assigned, reference, *other.matcher,
                   add(assigned.matches, own.seconds + assigned.seconds));
  }
  return results;
}

/// The results of all pairs, by row, on every rank.
std::vector<std::vector<PairResult>> compare_pairs(const data::KeypointPairs& pairs,
                                                   const infer::Matcher& network,
                                                   const std::vector<NamedMatcher>& others,
                                                   const MatcherComparisonConfig& config) {
  std::vector<Worker> scratch(static_cast<std::size_t>(std::max(config.workers.threads, 1)));
  const distributed::ItemShare share(*config.workers.ranks, pairs.size());
  std::vector<std::vector<PairResult>> own(static_cast<std::size_t>(share.own()));
  base::parallel_for(share.own(), config.workers.threads, [&](std::int64_t place, int worker) {
    own[static_cast<std::size_t>(place)] =
        compare_pair(pairs, share.item(place), network, others, config,
                     scratch[static_cast<std::size_t>(worker)]);
  });
  if (!share.is_shared()) return own;
  std::vector<std::string> packed;
  for (const std::vector<PairResult>& rows : own)
    distributed::pack(std::span<const PairResult>(rows), packed.emplace_back());
  std::vector<std::vector<PairResult>> all;
  for (const std::string& bytes : share.exchange(packed)) {
    std::vector<PairResult>& rows = all.emplace_back(config.methods.size() + others.size());
    distributed::Unpacker(bytes).fill(std::span(rows));
  }
  return all;
}

void require_what_methods_need(const infer::Matcher& network,
                               const MatcherComparisonConfig& config) {
  const bool transport = network.config().output == config::MatcherOutput::dustbin;
  for (const MatchingMethod& method : config.methods) {
    if (method.needs_transport() && !transport)
      throw base::UsageError("`methods`: '" + method.name() +
                                 "' needs a matcher with dustbins; this one has dual softmax",
                             "leave it out");
    if (method.is_compiled() && !config.map)
      throw base::UsageError("`methods`: '" + method.name() + "' needs a compiled operator",
                             "pass the folder that asap-compile wrote: `compiled` DIR");
  }
}

/// Mean of one number of all pairs that have it; NaN if none has.
template <class Get>
double known_mean(const std::vector<std::vector<PairResult>>& results, std::size_t row,
                  const Get& get) {
  double sum = 0;
  std::int64_t count = 0;
  for (const std::vector<PairResult>& of_pair : results) {
    const double value = get(of_pair[row]);
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : kNotMeasured;
}

/// Everything about row r but its name.
MatchingRow row_of(const std::vector<std::vector<PairResult>>& results, std::size_t r,
                   std::int64_t keypoints) {
  MatchingRow row;
  std::int64_t either = 0, same = 0;
  for (const std::vector<PairResult>& of_pair : results) {
    row.counts += of_pair[r].counts;
    either += of_pair[r].either;
    same += of_pair[r].same;
    row.plan_l1 += of_pair[r].plan_l1 / static_cast<double>(std::max<std::int64_t>(keypoints, 1));
    row.milliseconds += 1e3 * of_pair[r].seconds / static_cast<double>(results.size());
    row.not_polished += of_pair[r].not_polished ? 1 : 0;
  }
  row.same = either > 0 ? static_cast<double>(same) / static_cast<double>(either) : 1;
  row.layer_milliseconds =
      1e3 * known_mean(results, r, [](const PairResult& p) { return p.layer_seconds; });
  row.column_error = known_mean(results, r, [](const PairResult& p) { return p.column_error; });
  row.entries_per_row =
      known_mean(results, r, [](const PairResult& p) { return p.entries_per_row; });
  row.dropped_mass = known_mean(results, r, [](const PairResult& p) { return p.dropped_mass; });
  row.polish_iterations =
      known_mean(results, r, [](const PairResult& p) { return p.polish_iterations; });
  return row;
}

}  // namespace

std::vector<MatchingRow> compare_matchers(const data::KeypointPairs& pairs,
                                          const infer::Matcher& network,
                                          const std::vector<NamedMatcher>& others,
                                          const MatcherComparisonConfig& config) {
  infer::require_descriptors(network.config(), pairs);
  for (const NamedMatcher& other : others)
    infer::require_descriptors(other.matcher->config(), pairs);
  require_what_methods_need(network, config);
  const std::vector<std::vector<PairResult>> results =
      compare_pairs(pairs, network, others, config);
  std::int64_t keypoints = 0;
  for (std::int64_t p = 0; p < pairs.size(); ++p) keypoints += pairs.keypoints(p, 0);
  std::vector<MatchingRow> rows;
  for (std::size_t r = 0; r < config.methods.size() + others.size(); ++r) {
    MatchingRow row = row_of(results, r, keypoints);
    row.method = r < config.methods.size() ? config.methods[r].name()
                                           : others[r - config.methods.size()].name;
    rows.push_back(row);
  }
  return rows;
}

std::vector<Matches> match_by(const data::KeypointPairs& pairs, const infer::Matcher& network,
                              const MatcherComparisonConfig& config) {
  base::check(config.methods.size() == 1, "match_by: one method");
  require_what_methods_need(network, config);
  const MatchingMethod& method = config.methods[0];
  const int threads = config.workers.threads;
  if (method.reads_scores())
    return infer::match_pairs(network, pairs, solver_of(method, network, config), config.threshold,
                              config.workers);
  std::vector<Worker> workers(static_cast<std::size_t>(std::max(threads, 1)));
  std::vector<Matches> matches(static_cast<std::size_t>(pairs.size()));
  base::parallel_for(pairs.size(), threads, [&](std::int64_t pair, int worker) {
    Worker& w = workers[static_cast<std::size_t>(worker)];
    w.plans.clear();
    matches[static_cast<std::size_t>(pair)] =
        match_classically(method, similarity_of(pairs, pair, w));
  });
  return matches;
}

}  // namespace asap::evaluate
