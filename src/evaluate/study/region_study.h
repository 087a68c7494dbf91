#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/data_config.h"
#include "io/json.h"

namespace asap::evaluate {

/// The configuration of asap-eval regions.
struct RegionStudyConfig {
  int segments = 64;
  int examples = 0;
  std::uint64_t seed = 0;
  config::DataConfig data;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("segments", segments, "straight segments between two random test examples",
            config::between(1, 100'000));
    v.field("examples", examples, "use only the first N test examples; 0: all",
            config::at_least(0));
    v.field("seed", seed, "which pairs of examples");
    v.group("data", data, "the test data; the run's own unless changed");
  }
};

RegionStudyConfig default_region_study_config(const std::filesystem::path& run);

/// Mean, least and most of some counts.
struct CountRange {
  double mean = 0;
  std::int64_t least = 0, most = 0;
};

/// What the regions of a study are regions of.
enum class RegionsOf { network, hidden_layers, feed_forward };

/// Regions of a trained network. A perceptron is piecewise linear along the segment between two
/// test images, and its activation regions there are counted exactly. Behind convolutions the
/// segment joins what the hidden layers read of both images. In a Transformer, attention
/// and layer norm are not piecewise linear, but the feed-forward part of each layer is: there the
/// segment joins its inputs for the same random token of two examples.
struct RegionStudy {
  std::string run, model, data;
  std::string title;      ///< of the data: see data_title
  std::string command;    ///< that reproduces the study
  std::int64_t step = 0;  ///< training steps done
  std::int64_t examples = 0;
  int segments = 0;
  RegionsOf of = RegionsOf::network;  ///< hidden_layers: behind convolutions
  double accuracy = 0;                ///< on the test examples
  CountRange along;  ///< regions of a segment; of Transformers in one layer, over all
  /// Regions of every segment; one list for a perceptron, else one for each layer.
  std::vector<std::vector<std::int64_t>> counts;
  /// Of learned activations: linear regions of each channel's own network on its interval, and
  /// whether it still follows its peaks.
  std::optional<CountRange> channels;
  bool follows_peaks = false;
  int depth = 0;
};

/// Mean, least and most; zero without counts.
CountRange count_range(const std::vector<std::int64_t>& counts);

/// Of the newest checkpoint. UsageError when the network is not piecewise linear (gelu).
RegionStudy study_regions(const std::filesystem::path& run, const RegionStudyConfig& config,
                          int threads);

io::Json region_study_summary(const RegionStudy& study);
std::string region_study_text(const RegionStudy& study);

}  // namespace asap::evaluate
