#include "evaluate/study/region_study.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/text_table.h"
#include "base/text.h"
#include "data/batch.h"
#include "evaluate/study/piecewise_network.h"
#include "evaluate/compare/report_context.h"
#include "infer/encoder.h"
#include "config/run_folder.h"
#include "region/network/region_count.h"
#include "data/load/load_dataset.h"

namespace asap {
namespace {

CountRange range_of(const std::vector<std::int64_t>& counts) {
  CountRange range;
  if (counts.empty()) return range;
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  range.least = *least;
  range.most = *most;
  for (const std::int64_t count : counts)
    range.mean += static_cast<double>(count) / static_cast<double>(counts.size());
  return range;
}

/// A straight way in the input of one of the networks.
struct Segment {
  std::vector<double> from, to;
};

std::vector<double> row_of(MatrixView<const float> rows, std::int64_t index) {
  return {rows.row(index).begin(), rows.row(index).end()};
}

/// What the feed-forward parts read for one token of two examples.
class FeedForwardEnds : public TokenObserver {
 public:
  explicit FeedForwardEnds(double token) : token_(token) {}

  void see(int, const TokenRows&) override {}
  void see_feed_forward(int, const TokenRows& tokens) override {
    Segment segment;
    for (std::int64_t b = 0; b < 2; ++b) {
      const MatrixView<const float> live = tokens.live_rows(b);
      if (live.rows == 0) return;
      const auto row = static_cast<std::int64_t>(token_ * static_cast<double>(live.rows));
      (b == 0 ? segment.from : segment.to) = row_of(live, std::min(row, live.rows - 1));
    }
    segments.push_back(std::move(segment));
  }

  std::vector<Segment> segments;  ///< of each layer

 private:
  double token_;  // where in the sequence, in [0, 1)
};

class Study {
 public:
  Study(const std::filesystem::path& run, const RegionStudyConfig& config, int threads)
      : config_(config),
        threads_(threads),
        encoder_(Encoder::load(run)),
        weights_(read_safetensors(*RunFolder(run).newest_checkpoint() / kModelFile)),
        dataset_(load_dataset_for(RunFolder(run), config.data, Split::test)) {
    keep_first(dataset_, config.examples);
    if (dataset_.size() < 2)
      throw DataError(run.string() + ": two test examples at least are needed");
    study_.run = run.string();
    study_.step = RunFolder(run).checkpoint_steps().back();
    study_.model = describe_model(model());
    study_.data = dataset_.name;
    study_.examples = dataset_.size();
    study_.segments = config.segments;
  }

  RegionStudy finish() {
    build_networks();
    count_segments();
    if (model().feed_forward.kind == FeedForwardKind::region) count_channels();
    study_.accuracy = accuracy();
    return study_;
  }

 private:
  const ModelConfig& model() const { return encoder_.config(); }
  bool perceptron() const { return !model().has_attention(); }

  void build_networks() {
    if (perceptron()) {
      networks_.push_back(perceptron_network(weights_, model()));
      return;
    }
    for (int l = 0; l < model().layers; ++l)
      networks_.push_back(feed_forward_network(weights_, model(), l));
  }

  /// One segment for each network.
  std::vector<Segment> draw(int index) const {
    RandomStream random(config_.seed, RandomPurpose::region, 0x40000U,
                        static_cast<std::uint32_t>(index));
    const auto count = static_cast<std::uint64_t>(dataset_.size());
    const std::uint64_t first = random.below(count);
    const std::uint64_t second = (first + 1 + random.below(count - 1)) % count;
    const std::int64_t pair[] = {static_cast<std::int64_t>(first),
                                 static_cast<std::int64_t>(second)};
    Batch batch;
    batch.fill(dataset_, pair);
    const ModelInput<float> input = batch.input();
    if (perceptron()) return {{row_of(input.values, 0), row_of(input.values, 1)}};
    FeedForwardEnds ends(random.uniform());
    Arena arena;
    Tensor<float> logits({encoder_.logit_rows(input), model().classes});
    encoder_.forward(input, *encoder_.teacher(), logits.rows(), arena, &ends);
    return ends.segments;
  }

  void count_segments() {
    std::vector<std::vector<std::int64_t>> counts(static_cast<std::size_t>(config_.segments));
    parallel_for(config_.segments, threads_, [&](std::int64_t index, int) {
      const std::vector<Segment> segments = draw(static_cast<int>(index));
      for (std::size_t l = 0; l < segments.size(); ++l)
        if (segments[l].from != segments[l].to)
          counts[static_cast<std::size_t>(index)].push_back(
              count_regions(networks_[l], segments[l].from, segments[l].to).activation_regions);
    });
    std::vector<std::int64_t> all;
    for (const auto& own : counts) all.insert(all.end(), own.begin(), own.end());
    study_.along = range_of(all);
  }

  void count_channels() {
    const FeedForwardConfig& config = model().feed_forward;
    const std::int64_t channels = perceptron() ? model().width : model().hidden_width();
    study_.follows_peaks = true;
    study_.depth = config.depth;
    std::vector<std::int64_t> counts;
    for (int l = 0; l < model().layers; ++l) {
      const std::string prefix = perceptron() ? "hidden." + std::to_string(l) + "."
                                              : "layers." + std::to_string(l) + ".feed_forward.";
      study_.follows_peaks &= follows_peaks(weights_, prefix, config, channels);
      for (std::int64_t c = 0; c < channels; ++c)
        counts.push_back(count_regions(channel_network(weights_, prefix, config, channels, c),
                                       {-config.interval, config.interval})
                             .linear_regions);
    }
    study_.channels = range_of(counts);
  }

  double accuracy() const {
    constexpr std::int64_t kShard = 64;
    const std::int64_t shards = (dataset_.size() + kShard - 1) / kShard;
    std::vector<std::int64_t> right(static_cast<std::size_t>(shards)), scored(right.size());
    parallel_for(shards, threads_, [&](std::int64_t shard, int) {
      std::vector<std::int64_t> examples;
      for (std::int64_t i = shard * kShard; i < std::min((shard + 1) * kShard, dataset_.size());
           ++i)
        examples.push_back(i);
      Batch batch;
      batch.fill(dataset_, examples);
      Arena arena;
      Tensor<float> logits({encoder_.logit_rows(batch.input()), model().classes});
      encoder_.forward(batch.input(), *encoder_.teacher(), logits.rows(), arena);
      const std::int64_t rows = logits.shape()[0] / std::ssize(examples);
      for (std::int64_t b = 0; b < std::ssize(examples); ++b) {
        const std::int64_t example = examples[static_cast<std::size_t>(b)];
        for (std::int64_t i = 0; i < dataset_.label_count(example); ++i) {
          const std::int32_t label = dataset_.labels[dataset_.first_label(example) + i];
          if (label == kNotScored) continue;
          const VectorView<const float> answer = logits.rows().row(b * rows + i);
          const auto best = std::max_element(answer.begin(), answer.end()) - answer.begin();
          ++scored[static_cast<std::size_t>(shard)];
          if (best == label) ++right[static_cast<std::size_t>(shard)];
        }
      }
    });
    std::int64_t total = 0, correct = 0;
    for (std::size_t shard = 0; shard < right.size(); ++shard) {
      total += scored[shard];
      correct += right[shard];
    }
    return total > 0 ? static_cast<double>(correct) / static_cast<double>(total) : 0;
  }

  const RegionStudyConfig& config_;
  int threads_;
  Encoder encoder_;
  TensorFile weights_;
  Dataset dataset_;
  std::vector<ReluNetwork> networks_;  // one, or those of the layers
  RegionStudy study_;
};

Json to_json(const CountRange& range) {
  return {{"mean", range.mean}, {"min", range.least}, {"max", range.most}};
}

std::string text_of(const CountRange& range) {
  return format_fixed(range.mean, 1) + " (" + format_count(range.least) + " to " +
         format_count(range.most) + ")";
}

}  // namespace

RegionStudyConfig default_region_study_config(const std::filesystem::path& run) {
  RegionStudyConfig config;
  config.data = RunFolder(run).read_config().data;
  return config;
}

RegionStudy study_regions(const std::filesystem::path& run, const RegionStudyConfig& config,
                          int threads) {
  return Study(run, config, threads).finish();
}

Json region_study_summary(const RegionStudy& study) {
  Json summary = {{"run", study.run},           {"model", study.model},
                  {"data", study.data},         {"step", study.step},
                  {"examples", study.examples}, {"segments", study.segments},
                  {"accuracy", study.accuracy}, {"regions", to_json(study.along)}};
  if (study.channels) {
    summary["channel_regions"] = to_json(*study.channels);
    summary["follows_peaks"] = study.follows_peaks;
    summary["depth"] = study.depth;
  }
  return summary;
}

std::string region_study_text(const RegionStudy& study) {
  std::string text = study.model + ", step " + format_count(study.step) + ", accuracy " +
                     format_fixed(study.accuracy, 4) + " on " + format_count(study.examples) +
                     " examples\nregions along " + format_count(study.segments) +
                     " segments       " + text_of(study.along) + "\n";
  if (study.channels)
    text += "regions of a learned activation  " + text_of(*study.channels) +
            (study.follows_peaks
                 ? ", exactly 2^" + std::to_string(study.depth) + " by construction: peaks"
                 : ", raw weights") +
            "\n";
  return text;
}

}  // namespace asap
