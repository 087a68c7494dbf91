#include "compile/compile_matcher.h"

#include <algorithm>
#include <array>

#include "base/counted.h"
#include "base/parallel.h"

namespace asap::compile {
namespace {

/// The scratch of a thread.
struct MatcherWorker {
  data::KeypointSample sample;
  tensor::Arena scores, scratch;
};

using VisitProblem =
    std::function<void(const attention::TransportProblem<double>&, std::int64_t, tensor::Arena&)>;

/// The transport problems of pairs, in double.
class PairProblems {
 public:
  PairProblems(const infer::Matcher& matcher, const data::KeypointPairs& pairs, int threads,
               MatcherProgress progress)
      : matcher_(matcher),
        pairs_(pairs),
        workers_(static_cast<std::size_t>(std::max(threads, 1))),
        progress_(std::move(progress)) {
    for (std::int64_t p = 0; p < pairs.size(); ++p)
      if (pairs.keypoints(p, 0) > 0 && pairs.keypoints(p, 1) > 0) usable_.push_back(p);
  }

  std::int64_t size() const { return std::ssize(usable_); }
  /// The problems that for_each will go through, for progress.
  void expect(std::int64_t total) { total_ = total; }

  /// Calls visit(problem, k, scratch) for k = 0 .. count - 1, problem first + k, on several
  /// threads.
  void for_each(std::int64_t first, std::int64_t count, const VisitProblem& visit) {
    const int threads = static_cast<int>(workers_.size());
    const std::int64_t most = std::int64_t{kPairsPerThread} * threads;
    for (std::int64_t begin = 0; begin < count; begin += most) {
      const std::int64_t block = std::min(most, count - begin);
      base::parallel_for(block, threads, [&](std::int64_t k, int worker) {
        MatcherWorker& w = workers_[static_cast<std::size_t>(worker)];
        visit(problem(usable_[static_cast<std::size_t>(first + begin + k)], w), begin + k,
              w.scratch);
      });
      progress_(done_ += block, total_);
    }
  }

 private:
  static constexpr int kPairsPerThread = 4;  // between two calls of progress

  attention::TransportProblem<double> problem(std::int64_t pair, MatcherWorker& w) const {
    w.scores.clear();
    w.scratch.clear();
    const infer::MatcherScores s = infer::score_pair(matcher_, pairs_, pair, w.sample, w.scores);
    const std::int64_t n = s.scores.rows, m = s.scores.cols;
    const tensor::MatrixView<double> scores = w.scores.matrix<double>(n, m);
    for (std::int64_t i = 0; i < n; ++i) std::ranges::copy(s.scores.row(i), scores.row(i).begin());
    const tensor::VectorView<double> a = w.scores.vector<double>(n + 1),
                                     b = w.scores.vector<double>(m + 1);
    attention::dustbin_marginals<double>(a, b);
    return {.scores = scores,
            .bin = static_cast<double>(s.bin),
            .row_marginals = a,
            .column_marginals = b};
  }

  const infer::Matcher& matcher_;
  const data::KeypointPairs& pairs_;
  std::vector<MatcherWorker> workers_;
  MatcherProgress progress_;
  std::vector<std::int64_t> usable_;
  std::int64_t done_ = 0, total_ = 0;
};

void check_matcher(const config::MatcherConfig& matcher, int iterations) {
  if (matcher.output != config::MatcherOutput::dustbin)
    throw base::UsageError("a matcher with dual softmax has no transport to compile",
                           "compile one that was trained with model.matcher.output=dustbin");
  if (iterations < 1)
    throw base::UsageError("`iterations`: the teacher does not iterate",
                           "compile for 1 iteration or more");
}

/// How many pairs are fitted on and measured on.
struct PairCounts {
  std::int64_t fitted, held_out;
};

PairCounts split_pairs(std::int64_t size, const MatcherCompileConfig& config,
                       const std::string& source) {
  if (size < 2)
    throw base::DataError(source + ": " + base::counted(size, "pair") +
                              " with keypoints in both images, too few to compile from",
                          "some are fitted and others measured: give a file of at least 2, better "
                          "50 or more");
  if (config.calibration >= size)
    throw base::DataError(
        source + ": " + base::counted(size, "pair") +
            " with keypoints in both images, too few for `calibration` = " +
            std::to_string(config.calibration),
        "fit on at most " + std::to_string(size - 1) + ", so that others are left to measure on");
  if (config.calibration > 0)
    return {config.calibration, std::min(config.kMostHeldOut, size - config.calibration)};
  const std::int64_t held_out = std::min(config.kMostHeldOut, (size + 2) / 3);
  return {std::min(config.kMostCalibration, size - held_out), held_out};
}

}  // namespace

CompiledMatcher compile_matcher(const infer::Matcher& matcher, const data::KeypointPairs& pairs,
                                const MatcherCompileConfig& config,
                                const MatcherProgress& progress) {
  const int iterations = config.iterations > 0 ? config.iterations : matcher.config().iterations;
  check_matcher(matcher.config(), iterations);
  infer::require_descriptors(matcher.config(), pairs);
  PairProblems problems(matcher, pairs, config.threads, progress);
  const PairCounts counts = split_pairs(problems.size(), config, pairs.source());
  problems.expect(counts.fitted + counts.held_out);
  std::vector<TransportFit> fits(static_cast<std::size_t>(counts.fitted), TransportFit(iterations));
  problems.for_each(0, counts.fitted,
                    [&](const auto& problem, std::int64_t k, tensor::Arena& scratch) {
                      fits[static_cast<std::size_t>(k)].add(problem, scratch);
                    });
  TransportFit fit(iterations);
  for (const TransportFit& of_pair : fits) fit.add(of_pair);
  CompiledMatcher model{.artefact = {.map = fit.solve(),
                                     .teacher_iterations = iterations,
                                     .model_fingerprint = matcher.fingerprint(),
                                     .calibration_source = pairs.source(),
                                     .calibration_pairs = counts.fitted}};
  model.points = fit.points();
  std::vector<std::array<TransportFitEvidence, 2>> evidence(
      static_cast<std::size_t>(counts.held_out));
  problems.for_each(problems.size() - counts.held_out, counts.held_out,
                    [&](const auto& problem, std::int64_t k, tensor::Arena& scratch) {
                      for (const int extra : {0, 1})
                        evidence[static_cast<std::size_t>(k)][static_cast<std::size_t>(extra)].add(
                            problem, model.artefact.map, iterations, extra, scratch);
                    });
  for (const auto& [closed, iterated] : evidence) {
    model.closed.add(closed);
    model.iterated.add(iterated);
  }
  model.artefact.evidence = evidence_json(model);
  return model;
}

io::Json evidence_json(const CompiledMatcher& model) {
  const auto of = [](const TransportFitEvidence& evidence) {
    return io::Json{{"plan_l1", evidence.plan_l1()}, {"column_error", evidence.column_error()}};
  };
  return {{"pairs", model.closed.problems()},
          {"dual_r2", model.closed.dual_r2()},
          {"compiled", of(model.closed)},
          {"compiled+1", of(model.iterated)}};
}

}  // namespace asap::compile
