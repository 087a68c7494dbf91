#pragma once

#include "attention/operators/compiled_operator.h"
#include "compile/descent_fit.h"
#include "compile/dual_fit.h"

namespace asap::compile {

/// Fits the dual map of one head, stage by stage (see attention::DualMap). Each stage is a pass
/// over the calibration examples; between passes only the duals of the examples are kept.
class HeadFit {
 public:
  /// Chooses slices and landmarks. `config` names its features; both outlive the fit. stream: of
  /// random numbers, one per head.
  HeadFit(const HeadStatistics& statistics, const CompileConfig& config, std::uint32_t stream);

  /// 1 + the number of corrected iterations.
  int stages() const { return map_.features.corrections + 1; }
  /// Adds a sample to the current stage: with a key bias, an exchanged one. index: of its example.
  /// Objectives other than ridge also need the duals of its teacher.
  void add(const TeacherSample& sample, std::int64_t index, tensor::Arena& scratch);
  /// Fits the weights of the stage; the next one begins.
  void finish_stage();
  /// Call after the last stage.
  attention::CompiledHead head() const;

 private:
  /// What a sample carries from one stage to the next.
  struct State {
    std::vector<double> updated;                   // h of the last stage; empty before stage 1
    std::vector<std::vector<double>> differences;  // d_1, d_2, ..., centred
  };
  std::vector<double> dual_so_far(const CentredSample& sample, const State& state,
                                  tensor::MatrixView<const double> features,
                                  tensor::Arena& scratch) const;
  void add_correction(const CentredSample& sample, std::int64_t index,
                      tensor::MatrixView<const double> features, tensor::Arena& scratch);
  void begin_stage();

  const HeadStatistics& statistics_;
  const CompileConfig& config_;
  transport::Slices slices_;
  tensor::Tensor<double> landmarks_;
  attention::DualMap<double> map_;  // its weights grow with the stages
  std::vector<double> weights_;
  int stage_ = 0;
  RidgeRegression regression_{0};
  std::vector<State> states_;
  std::vector<FitSample> fits_;         // for objectives other than ridge
  std::vector<TeacherSample> samples_;  // the same
};

}  // namespace asap::compile
