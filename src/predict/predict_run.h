#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "io/json.h"
#include "predict/answer_lines.h"
#include "predict/faults.h"
#include "predict/input.h"
#include "predict/predictor.h"

namespace asap::predict {

/// How often an example, or a token, of one class got another: counts[label][predicted], of those
/// with a label.
class Confusion {
 public:
  explicit Confusion(std::size_t classes) : counts_(classes, std::vector<std::int64_t>(classes)) {}

  void add(std::int32_t label, std::int32_t predicted);
  std::int64_t labelled() const { return labelled_; }
  /// The share of labelled examples that were predicted, as asap-eval compare computes it.
  double accuracy() const;
  const std::vector<std::vector<std::int64_t>>& counts() const { return counts_; }

 private:
  std::vector<std::vector<std::int64_t>> counts_;
  std::int64_t labelled_ = 0, correct_ = 0;
};

/// What a prediction was.
struct PredictionSummary {
  std::int64_t answered = 0, faults = 0, reruns = 0;
  double seconds = 0;
  std::vector<std::int64_t> predicted;  ///< [classes]: examples, or tokens, of each
  Confusion confusion;                  ///< of those with a label
};

/// Called as work goes on with the inputs finished.
using ProgressCallback = std::function<void(std::int64_t done)>;

struct FolderConfig {
  PredictorConfig predictor;  ///< as of the Predictor
  std::vector<std::string> class_names;
  int top = 1;  ///< classes that are named, the most probable first
  std::filesystem::path folder;
  std::function<void()> begin{};  ///< called before files of earlier answers are replaced
};

/// Answers all examples of an input and writes into the folder, for any number of threads and any
/// batch the same bytes:
///   predictions.csv, predictions.jsonl   see answer_lines.h, in the order of the input; of a
///                                        network that labels tokens, a line of the first is a
///                                        token
///   confusion.csv                        where there are labels: rows are labels
///   embeddings.npy                       [answers, width], with PredictorConfig::embeddings
///   plans/000001.npy                     [layers, heads, tokens, tokens], numbered as the lines
/// All appear under their names when all is complete; earlier answers stay until then.
PredictionSummary predict_to_folder(InputReader& input, Predictor& predictor,
                                    const FolderConfig& config, Faults& faults,
                                    const ProgressCallback& progress = {});

}  // namespace asap::predict
