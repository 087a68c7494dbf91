#include "infer/match_pairs.h"

#include "base/counted.h"
#include "base/parallel.h"
#include "data/keypoints/descriptors.h"

namespace asap::infer {
namespace {

/// Gives every rank the matches of all pairs.
void exchange_matches(const distributed::ItemShare& share, std::vector<Matches>& matches) {
  std::vector<std::string> own;
  for (std::int64_t place = 0; place < share.own(); ++place) {
    const Matches& of_pair = matches[static_cast<std::size_t>(share.item(place))];
    std::string& bytes = own.emplace_back();
    distributed::pack_value(of_pair.partners.size(), bytes);  // as many confidences
    distributed::pack(std::span<const std::int32_t>(of_pair.partners), bytes);
    distributed::pack(std::span<const float>(of_pair.confidences), bytes);
  }
  const std::vector<std::string> all = share.exchange(own);
  for (std::size_t pair = 0; pair < all.size(); ++pair) {
    distributed::Unpacker unpacker(all[pair]);
    matches[pair].partners.resize(unpacker.value<std::size_t>());
    matches[pair].confidences.resize(matches[pair].partners.size());
    unpacker.fill(std::span(matches[pair].partners));
    unpacker.fill(std::span(matches[pair].confidences));
  }
}

}  // namespace

MatcherScores score_pair(const Matcher& matcher, const data::KeypointPairs& pairs,
                         std::int64_t pair, data::KeypointSample& sample, tensor::Arena& arena) {
  data::fill_sample(pairs, pair, 0, matcher.config().response_scale, sample);
  const auto& [first, second] = sample.images;
  return matcher.scores({first.inputs.rows(), first.descriptors.rows()},
                        {second.inputs.rows(), second.descriptors.rows()}, arena);
}

std::vector<Matches> match_pairs(const Matcher& matcher, const data::KeypointPairs& pairs,
                                 const TransportSolver& solver, double threshold,
                                 const distributed::Workers& workers) {
  require_descriptors(matcher.config(), pairs);
  struct Worker {
    data::KeypointSample sample;
    tensor::Arena arena;
  };
  std::vector<Worker> scratch(static_cast<std::size_t>(std::max(workers.threads, 1)));
  std::vector<Matches> matches(static_cast<std::size_t>(pairs.size()));
  const distributed::ItemShare share(*workers.ranks, pairs.size());
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
    const std::int64_t pair = share.item(place);
    Worker& w = scratch[static_cast<std::size_t>(worker)];
    w.arena.clear();
    const MatcherScores scores = score_pair(matcher, pairs, pair, w.sample, w.arena);
    const std::int64_t n = scores.scores.rows, m = scores.scores.cols;
    const tensor::MatrixView<float> plan = w.arena.matrix<float>(n + 1, m + 1);
    matcher.assign(scores, solver, plan, w.arena);
    matches[static_cast<std::size_t>(pair)] = decode_plan(plan.block(0, 0, n, m), threshold);
  });
  if (share.is_shared()) exchange_matches(share, matches);
  return matches;
}

MatchCounts count_all(const std::vector<Matches>& matches, const data::KeypointPairs& pairs) {
  MatchCounts counts;
  for (std::int64_t p = 0; p < pairs.size(); ++p)
    if (pairs.keypoints(p, 0) > 0)
      counts +=
          count_matches(matches[static_cast<std::size_t>(p)].partners, pairs.view(p, 0).matches);
  return counts;
}

void require_descriptors(const config::MatcherConfig& matcher, const data::KeypointPairs& pairs) {
  if (matcher.descriptor_width == pairs.descriptor_width() &&
      matcher.descriptors == pairs.descriptor_kind())
    return;
  throw base::DataError(
      pairs.source() + ": descriptors are " + data::descriptor_kind_name(pairs.descriptor_kind()) +
          " of " + base::counted(pairs.descriptor_width(), "number") +
          ", but the matcher was trained on " + data::descriptor_kind_name(matcher.descriptors) +
          " of " + std::to_string(matcher.descriptor_width),
      "use the detector that the matcher was trained with, or train one for these descriptors");
}

}  // namespace asap::infer
