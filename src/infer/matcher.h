#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "attention/interface/trainable_attention.h"
#include "config/matcher_config.h"
#include "infer/transport_solver.h"
#include "infer/weights.h"
#include "tensor/core/arena.h"

namespace asap::infer {

/// What a matcher reads of one image.
struct MatcherInput {
  tensor::MatrixView<const float> keypoints;    ///< [N, 11], see data/keypoints/keypoint_sample.h
  tensor::MatrixView<const float> descriptors;  ///< [N, descriptor_width], of length one
};

/// What the network says of a pair, before it becomes an assignment. Lives in an arena.
struct MatcherScores {
  tensor::MatrixView<float> scores;         ///< [N, M]
  float bin = 0;                            ///< score of the dustbins; unused with dual softmax
  tensor::VectorView<float> row_logits;     ///< [N] matchability with dual softmax, else empty
  tensor::VectorView<float> column_logits;  ///< [M]
};

/// A trained matching network (nn/matcher.h) forward, without a tape. Immutable, so threads share
/// it; each brings its own arena.
class Matcher {
 public:
  /// Takes the tensors of a checkpoint. DataError names a tensor that is missing or has another
  /// shape.
  Matcher(const config::MatcherConfig& config, const io::TensorFile& weights,
          std::string fingerprint);

  /// Newest checkpoint of a run. DataError when there is none or the run trained no matcher.
  static Matcher load(const std::filesystem::path& run);

  const config::MatcherConfig& config() const { return config_; }
  const std::string& fingerprint() const { return fingerprint_; }

  /// Scores of a pair; with an empty image none.
  MatcherScores scores(const MatcherInput& first, const MatcherInput& second,
                       tensor::Arena& arena) const;

  /// How the network was trained: the loop of config().iterations.
  TransportSolver own_solver() const { return {.iterations = config_.iterations}; }
  /// The assignment with dustbins, as probabilities: [N + 1, M + 1]. With dual softmax the solver
  /// does not matter. Returns the evidence of solve_transport().
  attention::PolishEvidence assign(const MatcherScores& scores, const TransportSolver& solver,
                                   tensor::MatrixView<float> out, tensor::Arena& arena) const;

 private:
  struct Update {
    AffineWeights attention_norm, query, key_value, output, update_norm, up, down;
  };
  Update take_update(const io::TensorFile& weights, const std::string& name) const;
  tensor::MatrixView<float> embed(const MatcherInput& input, tensor::Arena& arena) const;
  /// x after the update that reads y. x, y, result: [N or M, W].
  tensor::MatrixView<float> update(const Update& weights, tensor::MatrixView<const float> x,
                                   tensor::MatrixView<const float> y, tensor::Arena& arena) const;
  tensor::VectorView<float> matchability(tensor::MatrixView<const float> x,
                                         tensor::Arena& arena) const;

  config::MatcherConfig config_;
  std::string fingerprint_;
  std::unique_ptr<attention::TrainableAttention<float>> kind_;
  AffineWeights descriptor_, position_up_, position_down_, final_, matchability_;
  std::vector<Update> self_, cross_;
  float bin_ = 0;
};

/// Whether the folder is that of a run that trained a matcher. False where there is no config.json.
bool is_matcher_run(const std::filesystem::path& run);

/// The configuration of such a run. DataError as Matcher::load.
config::MatcherTrainConfig read_matcher_config(const std::filesystem::path& run);

}  // namespace asap::infer
