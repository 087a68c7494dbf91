#pragma once

#include <string>
#include <vector>

#include "config/run_folder.h"
#include "data/keypoints/keypoint_pairs.h"
#include "infer/matches.h"
#include "train/trainer.h"

namespace asap::train {

/// Matches of a trained network on the pairs of one test file.
struct MatcherTest {
  std::string source;
  infer::MatchCounts counts;
};

struct MatcherTrainingResult {
  std::int64_t steps = 0, total_steps = 0;
  bool finished = false, interrupted = false;
  double seconds = 0;  ///< of this process, without tests
  double pairs_per_second = 0;
  std::int64_t parameters = 0;
  double train_loss = 0;           ///< of the last step
  double bin = 0;                  ///< last score of the dustbin; 0 with dual softmax
  std::vector<MatcherTest> tests;  ///< of the last weights; none when interrupted
};

/// The model with what it takes from the training pairs. UsageError when the configuration gives
/// another width or kind of descriptor.
config::MatcherConfig complete_matcher(config::MatcherConfig model,
                                       const data::KeypointPairs& pairs);

/// Numbers of the pairs that can be trained on: both images have keypoints, and one of them is not
/// ambiguous. DataError when the file has no matches or no keypoint has a partner.
std::vector<std::int64_t> usable_pairs(const data::KeypointPairs& pairs);

/// Trains `config.model` (complete) and writes config.json, metrics.jsonl and checkpoints into the
/// run folder, as train() does for Transformers: a killed run resumes to the same bytes, at any
/// number of threads. A line of metrics has `step`, `epoch`, `loss`, `accuracy` (see
/// MatcherEngine), `learning_rate`, `gradient_norm`, `bin` and `log_domain_problems`.
/// NumericalError when the loss or gradient is not finite; UsageError when the folder holds a run
/// and `resume` is not set, or when the usable pairs do not fill a batch.
MatcherTrainingResult train_matcher(const config::MatcherTrainConfig& config,
                                    const config::RunFolder& run,
                                    const data::KeypointPairs& train_pairs,
                                    const std::vector<data::KeypointPairs>& tests,
                                    const TrainerOptions& options);

}  // namespace asap::train
