#pragma once

#include <string>
#include <vector>

#include "base/parallel.h"
#include "data/dataset.h"
#include "evaluate/compare/method.h"
#include "evaluate/study/plan_measures.h"
#include "evaluate/study/token_mass.h"

namespace asap::evaluate {

/// What one method's attention does inside the network, means over examples. The method runs in
/// every layer, so deeper layers see its effect on the tokens.
struct MethodDiagnosis {
  std::string name;
  std::vector<std::vector<PlanMeasures>> heads;  ///< [layer][head]
  /// Of the tokens before the first layer and after each: [layers + 1]. See rank_one_residual.
  std::vector<double> rank_residuals;
  /// The same for the network's attention alone (pure_attention.h), and the bound of that, where
  /// there is one: [layers + 1], or empty.
  std::vector<double> pure_residuals = {}, pure_bounds = {};
  /// Column error of Sinkhorn's plan of the method's queries and keys after 0, 1, ... iterations:
  /// [layer][head][iterations + 1]. Only of the teacher, else empty.
  std::vector<std::vector<std::vector<double>>> column_errors;
  std::vector<LayerMasses> masses;  ///< [layers]; only of the teacher, else empty
};

struct Diagnosis {
  std::int64_t examples = 0;
  std::string examples_name = "images";
  double tokens = 0;  ///< per example, mean
  int threads = 1;
  bool teacher_iterates = false;  ///< the network was trained with Sinkhorn attention without slack
  std::vector<MethodDiagnosis> methods;
  /// 1 + c for each layer and head of a network with slack, else empty: no column receives more
  /// than that times the mean.
  std::vector<std::vector<double>> column_bounds;
  /// Of the bound of attention alone and of the paper's theorem, means over examples; below 1 they
  /// bound something.
  double collapse_base = 0, theorem_base = 0;
};

struct DiagnosisSettings {
  std::vector<Method> methods;
  int iterations = 20;  ///< up to which column errors are followed
  int threads = 1;
};

/// Runs every method through the network on all of `dataset`. The same for any number of threads.
/// Examples without tokens are skipped.
Diagnosis diagnose(const infer::Encoder& encoder, const CompiledHeads* compiled,
                   const data::Dataset& dataset, const DiagnosisSettings& settings);

/// Mean over the heads of each layer, [layers].
std::vector<double> by_layer(const MethodDiagnosis& method, double PlanMeasures::*measure);

}  // namespace asap::evaluate
