#include "evaluate/study/region_study.h"

#include <algorithm>

#include "base/counted.h"
#include "base/error.h"
#include "base/format.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/text_table.h"
#include "config/changed_fields.h"
#include "config/run_folder.h"
#include "data/batch.h"
#include "data/load/load_dataset.h"
#include "evaluate/compare/data_title.h"
#include "evaluate/study/piecewise_network.h"
#include "infer/encoder.h"
#include "infer/scorer.h"
#include "region/network/region_count.h"

namespace asap::evaluate {
namespace {

/// A segment in the input space of one of the networks.
struct Segment {
  std::vector<double> from, to;
};

std::vector<double> row_of(tensor::MatrixView<const float> rows, std::int64_t index) {
  return {rows.row(index).begin(), rows.row(index).end()};
}

/// What the feed-forward parts read for one token of two examples.
class FeedForwardEnds : public infer::TokenObserver {
 public:
  explicit FeedForwardEnds(double token) : token_(token) {}

  void see(int, const infer::TokenRows&) override {}
  void see_feed_forward(int, const infer::TokenRows& tokens) override {
    Segment segment;
    for (std::int64_t b = 0; b < 2; ++b) {
      const tensor::MatrixView<const float> live = tokens.live_rows(b);
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

/// What the hidden layers behind convolutions read for two examples.
class HiddenEnds : public infer::TokenObserver {
 public:
  void see_hidden_input(tensor::MatrixView<const float> inputs) override {
    segment = {row_of(inputs, 0), row_of(inputs, 1)};
  }
  Segment segment;
};

class Study {
 public:
  Study(const std::filesystem::path& run, const RegionStudyConfig& config, int threads)
      : config_(config),
        threads_(threads),
        encoder_(infer::Encoder::load(run)),
        weights_(
            io::read_safetensors(config::RunFolder(run).require_checkpoint() / config::kModelFile)),
        dataset_(data::load_dataset_for(config::RunFolder(run), config.data, data::Split::test)) {
    data::keep_first(dataset_, config.examples);
    if (dataset_.size() < 2)
      throw base::DataError(run.string() + ": at least two test examples are needed");
    study_.run = run.string();
    study_.step = config::RunFolder(run).checkpoint_steps().back();
    study_.model = config::describe_model(model());
    study_.data = dataset_.name;
    study_.title = data_title(config.data);
    study_.command = "asap-eval regions" + config::path_option("--run", run) + " --segments " +
                     std::to_string(config.segments) + " --seed " + std::to_string(config.seed) +
                     " --examples " + std::to_string(dataset_.size()) +
                     data_options(config.data, config::RunFolder(run).read_config().data) +
                     " --out DIR";
    study_.examples = dataset_.size();
    study_.segments = config.segments;
    study_.of = !perceptron()                ? RegionsOf::feed_forward
                : model().has_convolutions() ? RegionsOf::hidden_layers
                                             : RegionsOf::network;
  }

  RegionStudy finish() {
    build_networks();
    count_segments();
    if (model().feed_forward.kind == config::FeedForwardKind::region) count_channels();
    study_.accuracy = accuracy();
    return study_;
  }

 private:
  const config::ModelConfig& model() const { return encoder_.config(); }
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
    base::RandomStream random(config_.seed, base::RandomPurpose::region, 0x40000U,
                              static_cast<std::uint32_t>(index));
    const auto count = static_cast<std::uint64_t>(dataset_.size());
    const std::uint64_t first = random.below(count);
    const std::uint64_t second = (first + 1 + random.below(count - 1)) % count;
    const std::int64_t pair[] = {static_cast<std::int64_t>(first),
                                 static_cast<std::int64_t>(second)};
    data::Batch batch;
    batch.fill(dataset_, pair);
    const config::ModelInput<float> input = batch.input();
    if (perceptron()) {
      HiddenEnds ends;
      show(input, ends);
      return {ends.segment};
    }
    FeedForwardEnds ends(random.uniform());
    show(input, ends);
    return ends.segments;
  }

  void show(const config::ModelInput<float>& input, infer::TokenObserver& observer) const {
    tensor::Arena arena;
    tensor::Tensor<float> logits({encoder_.logit_rows(input), model().classes});
    encoder_.forward(input, *encoder_.teacher(), logits.rows(), arena, &observer);
  }

  void count_segments() {
    // A segment whose ends are equal has no regions to count.
    const auto count_of = static_cast<std::size_t>(config_.segments);
    std::vector<std::vector<std::optional<std::int64_t>>> counts(
        networks_.size(), std::vector<std::optional<std::int64_t>>(count_of));
    base::parallel_for(config_.segments, threads_, [&](std::int64_t index, int) {
      const std::vector<Segment> segments = draw(static_cast<int>(index));
      for (std::size_t l = 0; l < segments.size(); ++l)
        if (segments[l].from != segments[l].to)
          counts[l][static_cast<std::size_t>(index)] =
              region::count_regions(networks_[l], segments[l].from, segments[l].to)
                  .activation_regions;
    });
    std::vector<std::int64_t> all;
    for (const auto& own : counts) {
      std::vector<std::int64_t>& measured = study_.counts.emplace_back();
      for (const std::optional<std::int64_t>& count : own)
        if (count) measured.push_back(*count);
      all.insert(all.end(), measured.begin(), measured.end());
    }
    study_.along = count_range(all);
  }

  void count_channels() {
    const config::FeedForwardConfig& config = model().feed_forward;
    const std::int64_t channels = perceptron() ? model().width : model().hidden_width();
    study_.follows_peaks = true;
    study_.depth = config.depth;
    std::vector<std::int64_t> counts;
    for (int l = 0; l < model().layers; ++l) {
      const std::string prefix = perceptron() ? "hidden." + std::to_string(l) + "."
                                              : "layers." + std::to_string(l) + ".feed_forward.";
      study_.follows_peaks &= follows_peaks(weights_, prefix, config, channels);
      for (std::int64_t c = 0; c < channels; ++c)
        counts.push_back(
            region::count_regions(channel_network(weights_, prefix, config, channels, c),
                                  {-config.interval, config.interval})
                .linear_regions);
    }
    study_.channels = count_range(counts);
  }

  double accuracy() const {
    constexpr std::int64_t kShard = 64;
    const std::int64_t shards = (dataset_.size() + kShard - 1) / kShard;
    std::vector<infer::Score> scores(static_cast<std::size_t>(shards));
    base::parallel_for(shards, threads_, [&](std::int64_t shard, int) {
      std::vector<std::int64_t> examples;
      for (std::int64_t i = shard * kShard; i < std::min((shard + 1) * kShard, dataset_.size());
           ++i)
        examples.push_back(i);
      data::Batch batch;
      batch.fill(dataset_, examples);
      tensor::Arena arena;
      tensor::Tensor<float> logits({encoder_.logit_rows(batch.input()), model().classes});
      encoder_.forward(batch.input(), *encoder_.teacher(), logits.rows(), arena);
      scores[static_cast<std::size_t>(shard)] =
          infer::score_predictions(logits.rows(), batch.labels());
    });
    infer::Score total;
    for (const infer::Score& score : scores) total += score;
    return total.accuracy();
  }

  const RegionStudyConfig& config_;
  int threads_;
  infer::Encoder encoder_;
  io::TensorFile weights_;
  data::Dataset dataset_;
  std::vector<region::ReluNetwork> networks_;  // one, or those of the layers
  RegionStudy study_;
};

io::Json to_json(const CountRange& range) {
  return {{"mean", range.mean}, {"min", range.least}, {"max", range.most}};
}

/// "network", "hidden layers behind the convolutions" or "feed-forward part of a layer".
const char* counted_part(RegionsOf of) {
  if (of == RegionsOf::network) return "network";
  return of == RegionsOf::hidden_layers ? "hidden layers behind the convolutions"
                                        : "feed-forward part of a layer";
}

std::string text_of(const CountRange& range) {
  return base::format_fixed(range.mean, 1) + " (" + base::format_count(range.least) + " to " +
         base::format_count(range.most) + ")";
}

}  // namespace

CountRange count_range(const std::vector<std::int64_t>& counts) {
  CountRange range;
  if (counts.empty()) return range;
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  range.least = *least;
  range.most = *most;
  for (const std::int64_t count : counts)
    range.mean += static_cast<double>(count) / static_cast<double>(counts.size());
  return range;
}

RegionStudyConfig default_region_study_config(const std::filesystem::path& run) {
  RegionStudyConfig config;
  config.data = config::RunFolder(run).read_config().data;
  return config;
}

RegionStudy study_regions(const std::filesystem::path& run, const RegionStudyConfig& config,
                          int threads) {
  return Study(run, config, threads).finish();
}

io::Json region_study_summary(const RegionStudy& study) {
  io::Json summary = {{"run", study.run},           {"model", study.model},
                      {"data", study.data},         {"step", study.step},
                      {"examples", study.examples}, {"segments", study.segments},
                      {"accuracy", study.accuracy}, {"regions", to_json(study.along)}};
  summary["regions_of"] = counted_part(study.of);
  if (study.of == RegionsOf::feed_forward)
    for (const std::vector<std::int64_t>& layer : study.counts)
      summary["regions_by_layer"].push_back(to_json(count_range(layer)));
  if (study.channels) {
    summary["channel_regions"] = to_json(*study.channels);
    summary["follows_peaks"] = study.follows_peaks;
    summary["depth"] = study.depth;
  }
  return summary;
}

std::string region_study_text(const RegionStudy& study) {
  std::string text =
      study.model + ", step " + base::format_count(study.step) + ", accuracy " +
      base::format_fixed(study.accuracy, 4) + " on " + base::counted(study.examples, "example") +
      "\nregions along " + base::counted(study.segments, "segment") + "       " +
      text_of(study.along) +
      (study.of == RegionsOf::network ? "" : std::string(", of the ") + counted_part(study.of)) +
      "\n";
  if (study.channels)
    text += "regions of a learned activation  " + text_of(*study.channels) +
            (study.follows_peaks
                 ? ", exactly 2^" + std::to_string(study.depth) + " by construction: peaks"
                 : ", raw weights") +
            "\n";
  return text;
}

}  // namespace asap::evaluate
