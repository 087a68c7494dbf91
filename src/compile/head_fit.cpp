#include "compile/head_fit.h"

#include <algorithm>

#include "attention/compiled/open_plan.h"
#include "tensor/kernels/elementwise.h"
#include "transport/c_transform.h"

namespace asap::compile {

HeadFit::HeadFit(const HeadStatistics& statistics, const CompileConfig& config,
                 std::uint32_t stream)
    : statistics_(statistics), config_(config), states_(statistics.targets.size()) {
  map_.features = config.dual_features();
  if (map_.features.uses_slices()) {
    slices_ = choose_slices(statistics, config, stream);
    map_.query_slices = slices_.query.rows();
    map_.key_slices = slices_.key.rows();
  }
  if (map_.features.landmarks > 0) {
    landmarks_ = choose_landmarks(statistics, map_.features.landmarks, config.seed, stream);
    map_.landmarks = {landmarks_.rows(), statistics.iterations,
                      config.mode == attention::CompiledMode::key_bias};
  }
  begin_stage();
}

void HeadFit::begin_stage() { regression_ = RidgeRegression(stage_ + map_.feature_count()); }

/// f of the last stage.
std::vector<double> HeadFit::dual_so_far(const CentredSample& sample, const State& state,
                                         tensor::MatrixView<const double> features,
                                         tensor::Arena& scratch) const {
  const int last = stage_ - 1;
  std::vector<double> dual = state.updated;
  if (dual.empty()) dual.assign(static_cast<std::size_t>(features.cols), 0.0);
  if (last == 0 && map_.features.start)
    attention::first_row_dual<double>(sample.head, sample.scores, dual, scratch);
  const tensor::VectorView<const double> differences = map_.difference_weights(last),
                                         weights = map_.feature_weights(last);
  for (std::size_t s = 0; s < differences.size(); ++s)
    tensor::axpy<double>(differences[s], state.differences[s], dual);
  for (std::size_t p = 0; p < weights.size(); ++p)
    tensor::axpy<double>(weights[p], features.row(static_cast<std::int64_t>(p)), dual);
  return dual;
}

/// A sample of stage t > 0: what is left of the target after an iteration from f_(t-1), on the
/// differences so far and the features.
void HeadFit::add_correction(const CentredSample& sample, std::int64_t index,
                             tensor::MatrixView<const double> features, tensor::Arena& scratch) {
  State& state = states_[static_cast<std::size_t>(index)];
  const std::vector<double> dual = dual_so_far(sample, state, features, scratch);
  std::vector<double> column_dual(static_cast<std::size_t>(sample.scores.cols)), updated = dual;
  attention::column_update<double>(
      sample.scores, attention::centred_slack<double>(sample.head, scratch), dual, column_dual);
  transport::row_c_transform<double>(sample.scores, column_dual, updated);
  std::vector<double> difference = updated;
  tensor::axpy<double>(-1.0, dual, difference);
  subtract_mean(difference);
  state.differences.push_back(std::move(difference));
  std::vector<double> rest = statistics_.targets[static_cast<std::size_t>(index)];
  tensor::axpy<double>(-1.0, updated, rest);
  subtract_mean(rest);
  state.updated = std::move(updated);

  tensor::Tensor<double> rows({stage_ + features.rows, features.cols});
  for (int s = 0; s < stage_; ++s)
    std::ranges::copy(state.differences[static_cast<std::size_t>(s)], rows.rows().row(s).begin());
  for (std::int64_t p = 0; p < features.rows; ++p)
    std::ranges::copy(features.row(p), rows.rows().row(stage_ + p).begin());
  regression_.add(rows.rows(), rest);
}

void HeadFit::add(const TeacherSample& sample, std::int64_t index, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const CentredSample centred = centre_sample(sample, scratch);
  tensor::Tensor<double> features = centred_features(map_, centred, scratch);
  if (stage_ > 0) return add_correction(centred, index, features.rows(), scratch);
  const std::vector<double>& target = statistics_.targets[static_cast<std::size_t>(index)];
  regression_.add(features.rows(), target);
  if (config_.objective == DualObjective::ridge) return;
  fits_.push_back({std::move(features), target});
  samples_.push_back(sample);
}

void HeadFit::finish_stage() {
  std::vector<double> weights = regression_.solve(config_.ridge);
  if (config_.objective != DualObjective::ridge)
    weights = fit_by_descent(fits_, samples_, config_.objective, config_.descent, weights);
  weights_.insert(weights_.end(), weights.begin(), weights.end());
  map_.weights = weights_;
  ++stage_;
  begin_stage();
}

attention::CompiledHead HeadFit::head() const {
  base::check(stage_ == stages(), "HeadFit: stages are missing");
  return {.features = map_.features,
          .mode = config_.mode,
          .score_scale = static_cast<float>(statistics_.score_scale),
          .slack = static_cast<float>(statistics_.slack),
          .query_slices = converted<float>(slices_.query),
          .key_slices = converted<float>(slices_.key),
          .weights = std::vector<float>(weights_.begin(), weights_.end()),
          .landmarks = converted<float>(landmarks_),
          .teacher_iterations = statistics_.iterations};
}

}  // namespace asap::compile
