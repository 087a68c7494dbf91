#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attention/compiled/compiled_features.h"
#include "attention/operators/compiled_operator.h"
#include "config/data_config.h"

namespace asap::compile {

enum class SliceKind { canonical, random };

/// What the weights of a head's dual map minimise on the calibration examples.
enum class DualObjective {
  ridge,   ///< squared error of the row dual, closed form
  kl,      ///< KL(teacher's plan || rebuilt plan)
  output,  ///< squared error of the attention output
  dual,    ///< minus the entropic dual: needs no teacher, valid only for converged ones
};

/// Gradient descent for the objectives without a closed form (Adam from the ridge solution, full
/// batch).
struct DescentConfig {
  int steps = 250;
  double learning_rate = 0.01;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("steps", steps, "gradient steps", config::between(1, 100000));
    v.field("learning_rate", learning_rate,
            "largest change of the dual per step and feature, falling linearly to 0",
            {0, 10, true});
  }
};

/// The teacher behind captured activations. A run states this in its own configuration.
struct ActivationsConfig {
  int heads = 1;
  int iterations = 10;
  double epsilon = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("heads", heads, "heads side by side in the columns of queries and keys",
            config::between(1, 65536));
    v.field("iterations", iterations, "Sinkhorn iterations T of the teacher",
            config::between(1, 10000));
    v.field("epsilon", epsilon, "entropic regularisation of the teacher", config::above(0));
  }
};

struct CompileConfig {
  /// The attention that is imitated: "own", as trained, or "sinkhorn:T", the network's scores
  /// through T Sinkhorn iterations, which makes an operator for a softmax network.
  std::string teacher = "own";
  attention::CompiledMode mode = attention::CompiledMode::row_dual;
  int slices = 4;
  SliceKind slice_kind = SliceKind::canonical;
  std::vector<std::string> features = {"auto"};
  double error = 0.03;
  double budget = 0;
  std::string profile;  ///< file; empty: the shipped one of the instruction set
  DualObjective objective = DualObjective::ridge;
  int calibration = 256;
  int held_out = 128;
  double ridge = 1e-3;
  std::uint64_t seed = 1;
  DescentConfig descent;
  ActivationsConfig activations;
  config::DataConfig data;  ///< of the calibration examples

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("teacher", teacher,
            "attention to imitate: own (as trained) or sinkhorn:T (T iterations on the network's "
            "scores, for softmax networks too)");
    v.choice("mode", mode,
             {{"row_dual", attention::CompiledMode::row_dual},
              {"key_bias", attention::CompiledMode::key_bias}},
             "what is predicted: the row dual, closed by a column and a row update; or the column "
             "dual, a bias per key for softmax attention as other software has it");
    v.field("slices", slices, "directions L on which 1D transport is solved",
            config::between(1, 4096));
    v.choice("slice_kind", slice_kind,
             {{"canonical", SliceKind::canonical}, {"random", SliceKind::random}},
             "directions from the calibration covariances, or random orthonormal");
    v.field("features", features,
            "any of pot, gau, lin, tilt, lse, lse0, landmarks:M, and it:K corrected iterations, or "
            "start,it:K; auto: for each layer the cheapest of several sets, and of the teacher's "
            "loop, that is "
            "exact enough");
    v.field(
        "error", error,
        "of features=auto: the largest error of a layer's output on held-out examples, relative "
        "to the output (without values: plan L1), in networks of up to 3 layers; in deeper ones, "
        "where errors add up, sqrt(3 / layers) of it",
        config::between(0, 2));
    v.field("budget", budget,
            "of features=auto: instead of error, take the most exact that costs at most this many "
            "times softmax attention; 0: no budget",
            config::at_least(0));
    v.field("profile", profile,
            "machine profile (a file of asap-eval bench --profile) whose times count; empty: the "
            "shipped one of the instruction set");
    v.choice("objective", objective,
             {{"ridge", DualObjective::ridge},
              {"kl", DualObjective::kl},
              {"output", DualObjective::output},
              {"dual", DualObjective::dual}},
             "what the dual map minimises");
    v.field("calibration", calibration, "unlabelled examples to fit on",
            config::between(1, 1000000));
    v.field("held_out", held_out, "further examples to measure on", config::between(1, 1000000));
    v.field("ridge", ridge, "regularisation, relative to the Gram matrix's diagonal",
            config::between(0, 1));
    v.field("seed", seed, "chooses the examples and the random slices");
    v.group("descent", descent, "gradient descent of the objectives kl, output and dual");
    v.group("activations", activations,
            "the teacher behind captured activations; a run knows its own");
    v.group("data", data,
            "calibration examples, of the training part; the run's own unless changed");
  }

  /// UsageError for unknown, repeated or no features, and for a teacher that cannot be imitated.
  void validate(const std::string& source) const;
  /// True for features = auto.
  bool chooses_features() const;
  /// True if layers also choose between maps and the teacher's loop.
  bool chooses_operator() const;
  /// True if layers choose among key biases.
  bool chooses_bias() const;
  /// The maps to fit: for features = auto one for each set of features that is tried, otherwise
  /// this one.
  std::vector<CompileConfig> maps() const;
  /// The features by flag. Expects a valid configuration that names them.
  attention::DualFeatures dual_features() const;
  /// T of teacher "sinkhorn:T"; nothing for "own". UsageError names `source` for anything else.
  std::optional<int> imitated_iterations(const std::string& source = "configuration") const;

 private:
  void validate_limits(const std::string& source) const;
  void validate_key_bias(const std::string& source) const;
};

/// How a map was fitted, for artefact and summary: the configuration without what only says where
/// examples and times come from (`activations`, `data`, `profile`).
io::Json fit_json(const CompileConfig& config);

/// Names of the features that are set, in the order of their weights.
std::vector<std::string> feature_names(const attention::DualFeatures& features);

/// The flags of these names; UsageError names `source` for one that is unknown or named twice.
attention::DualFeatures parse_features(const std::vector<std::string>& names,
                                       const std::string& source);

/// Sets the field `key` from text; features are separated by commas. UsageError names `source`,
/// where the text comes from.
void set_from_text(CompileConfig& config, const std::string& key, const std::string& text,
                   const std::string& source);

}  // namespace asap::compile
