#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attention/interface/attention_operator.h"
#include "bundle/trained_model.h"
#include "distributed/shared_items.h"
#include "evaluate/compare/cascade.h"
#include "evaluate/compare/method.h"
#include "predict/examples.h"
#include "tensor/core/tensor.h"

namespace asap::predict {

struct PredictorConfig {
  int threads = 1;
  int batch = 16;            ///< examples that a thread takes at a time; never changes answers
  bool embeddings = false;   ///< keep what the last linear layer reads
  bool certificate = false;  ///< measure the column errors of the plans
  bool plans = false;        ///< keep the plans
  /// Which share the examples; every one of them gets all answers.
  distributed::Ranks* ranks = &distributed::single_rank();
};

/// The column errors of the plans behind an answer: mean_j |M/N sum_i A_ij - 1| of each head.
struct Certificate {
  double mean = 0;     ///< over all heads
  double largest = 0;  ///< of a head
  /// Of a compiled operator that was measured on examples: heads whose error exceeds 99 % of those.
  std::optional<std::int64_t> unusual_heads = {};
};

/// What the network says about some examples, in their order; of a network that labels tokens,
/// there is a row for every token of all examples: see Examples::answers.
struct Answers {
  tensor::Tensor<float> logits;           ///< [answers, classes]
  tensor::Tensor<float> embeddings;       ///< [answers, width]; empty unless asked for
  std::vector<Certificate> certificates;  ///< [examples] or empty
  /// [examples] or empty: the plans of one example, [layers, heads, tokens, tokens].
  std::vector<tensor::Tensor<float>> plans;
  std::int64_t reruns = 0;  ///< of a cascade: examples that the teacher ran again
};

/// Numbers that the last linear layer reads: the columns of Answers::embeddings.
std::int64_t embedding_width(const config::ModelConfig& model);

/// The class probabilities, softmax of logits: [classes] each.
std::vector<float> class_probabilities(tensor::VectorView<const float> logits);

/// The `count` most probable classes, the most probable first, the first of equal ones: [count].
std::vector<std::int32_t> top_classes(tensor::VectorView<const float> logits, std::int64_t count);

/// The method of this name; an empty name: compiled where the model has an operator, else the
/// teacher. UsageError for unknown names, names of several methods, and a network without attention
/// but for the teacher.
evaluate::Method method_of(const std::string& name, const bundle::TrainedModel& model);

/// Runs a network over examples. An answer is a pure function of model, method and example: it does
/// not depend on threads, batches, the other examples or padding.
class Predictor {
 public:
  /// `model` must outlive it. `cascade`: the margin below which the teacher runs again; none: no
  /// cascade. UsageError when the method needs an operator that the model lacks.
  Predictor(const bundle::TrainedModel& model, const evaluate::Method& method,
            const PredictorConfig& config,
            std::optional<evaluate::CascadeThreshold> cascade = std::nullopt);
  ~Predictor();

  /// No examples yet, of the kind that the network reads: see predict::no_examples.
  Examples no_examples() const { return predict::no_examples(model_); }

  /// NumericalError when outputs are not finite.
  Answers answer(const Examples& examples);

 private:
  void run_batch(const Examples& examples, std::span<const std::int64_t> places, Answers& out,
                 tensor::Arena& arena);
  void exchange(const Examples& examples, std::span<const std::int64_t> order,
                const distributed::ItemShare& share, Answers& out) const;
  Certificate certify(std::span<const double> errors) const;

  const bundle::TrainedModel& model_;
  const PredictorConfig config_;
  std::unique_ptr<attention::AttentionOperator> attention_;
  std::unique_ptr<evaluate::Cascade> cascade_;
  std::vector<double> usual_errors_;  // [layers * heads] of the operator; empty: not measured
  std::vector<tensor::Arena> arenas_;
};

}  // namespace asap::predict
