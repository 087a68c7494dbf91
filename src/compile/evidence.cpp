#include "compile/evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/compiled/key_bias.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/marginals.h"

namespace asap::compile {
namespace {

/// A sample in float32, which its numbers come from, as inference would be given it.
class InferenceInput {
 public:
  explicit InferenceInput(const TeacherSample& sample)
      : queries_(converted<float>(sample.queries)),
        keys_(converted<float>(sample.keys)),
        values_(converted<float>(sample.values)) {}

  attention::AttentionBatch<float> batch() const {
    return {queries_.rows(), keys_.rows(), values_.rows(), 1, 1};
  }
  attention::AttentionHead<float> head(const attention::CompiledHead& compiled) const {
    return compiled.inputs(queries_.rows(), keys_.rows(), values_.rows());
  }

 private:
  tensor::Tensor<float> queries_, keys_, values_;
};

constexpr double kSmallestEntry = std::numeric_limits<float>::min();  // of a float32 plan

tensor::Tensor<double> plan_of(const attention::AttentionOperator& compiled,
                               const InferenceInput& input, tensor::Arena& scratch) {
  const attention::AttentionBatch<float> batch = input.batch();
  tensor::Tensor<float> plan({batch.query_tokens(), batch.key_tokens()});
  compiled.plans(0, batch, plan.rows(), scratch);
  return converted<double>(plan);
}

tensor::Tensor<double> output_of(const attention::AttentionOperator& compiled,
                                 const InferenceInput& input, tensor::Arena& scratch) {
  const attention::AttentionBatch<float> batch = input.batch();
  tensor::Tensor<float> output({batch.query_tokens(), batch.value_width()});
  compiled.apply(0, batch, output.rows(), scratch);
  return converted<double>(output);
}

void add_dual(std::span<const double> predicted, const std::vector<double>& target,
              EvidenceTotals& totals) {
  std::vector<double> residual = target;
  tensor::axpy<double>(-1.0, predicted, residual);
  totals.residual += tensor::dot<double>(residual, residual);
  totals.variance += tensor::dot<double>(target, target);
}

void add_plan(tensor::MatrixView<const double> teacher, tensor::MatrixView<const double> rebuilt,
              double slack, EvidenceTotals& totals) {
  for (std::int64_t i = 0; i < teacher.rows; ++i)
    for (std::int64_t j = 0; j < teacher.cols; ++j) {
      const double a = teacher(i, j), b = rebuilt(i, j);
      totals.l1 += std::abs(a - b);
      if (a > 0) totals.kl += a * std::log(a / std::max(b, kSmallestEntry));
    }
  totals.rows += static_cast<double>(teacher.rows);
  const double columns = static_cast<double>(teacher.cols);
  totals.columns += columns;
  totals.column += columns * transport::column_error<double>(rebuilt, slack);
  totals.teacher_column += columns * transport::column_error<double>(teacher, slack);
}

void add_output(tensor::MatrixView<const double> teacher, tensor::MatrixView<const double> values,
                const tensor::Tensor<double>& output, EvidenceTotals& totals) {
  tensor::Tensor<double> expected(output.shape()), error = output;
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, teacher, values, 0.0,
                       expected.rows());
  tensor::axpy<double>(-1.0, expected.flat(), error.flat());
  totals.output += tensor::dot<double>(expected.flat(), expected.flat());
  totals.output_error += tensor::dot<double>(error.flat(), error.flat());
}

}  // namespace

HeadMeasurement::HeadMeasurement(const attention::CompiledHead& head)
    : head_(head),
      compiled_(std::make_unique<attention::CompiledOperator>(
          std::vector<std::vector<attention::CompiledHead>>{{head}})) {}

void HeadMeasurement::add(const TeacherSample& sample, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const InferenceInput input(sample);
  const tensor::Tensor<double> teacher = teacher_plan(sample);
  if (head_.predicts()) add_dual(predicted_dual(head_, sample), target_of(head_, sample), totals_);
  add_plan(teacher.rows(), plan_of(*compiled_, input, scratch).rows(), sample.slack, totals_);
  if (sample.values.size() > 0)
    add_output(teacher.rows(), sample.values.rows(), output_of(*compiled_, input, scratch),
               totals_);
}

HeadEvidence HeadMeasurement::evidence() const {
  const EvidenceTotals& t = totals_;
  base::check(t.rows > 0, "HeadMeasurement: no samples");
  // A teacher whose dual is constant is matched by any map that predicts a constant. A loop has no
  // map.
  return {.dual_r2 = !head_.predicts() ? NAN
                     : t.variance > 0  ? 1 - t.residual / t.variance
                                       : 1.0,
          .plan_l1 = t.l1 / t.rows,
          .plan_kl = t.kl / t.rows,
          .column_error = t.column / t.columns,
          .teacher_column_error = t.teacher_column / t.columns,
          .output_error = t.output > 0 ? std::sqrt(t.output_error / t.output) : NAN};
}

ErrorMeasurement::ErrorMeasurement(std::vector<attention::CompiledHead> heads)
    : totals_(heads.size()) {
  for (attention::CompiledHead& head : heads)
    operators_.push_back(std::make_unique<attention::CompiledOperator>(
        std::vector<std::vector<attention::CompiledHead>>{{std::move(head)}}));
}

void ErrorMeasurement::add(const TeacherSample& sample, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  const InferenceInput input(sample);
  const tensor::Tensor<double> teacher = teacher_plan(sample);
  const bool has_values = sample.values.size() > 0;
  for (std::size_t c = 0; c < operators_.size(); ++c)
    if (has_values)
      add_output(teacher.rows(), sample.values.rows(), output_of(*operators_[c], input, scratch),
                 totals_[c]);
    else
      add_plan(teacher.rows(), plan_of(*operators_[c], input, scratch).rows(), sample.slack,
               totals_[c]);
  ++samples_;
}

std::vector<double> ErrorMeasurement::errors() const {
  std::vector<double> errors;
  for (const EvidenceTotals& t : totals_)
    errors.push_back(t.output > 0 ? std::sqrt(t.output_error / t.output)
                     : t.rows > 0 ? t.l1 / t.rows
                                  : 0.0);
  return errors;
}

HeadEvidence measure_head(const attention::CompiledHead& head,
                          std::span<const TeacherSample> samples) {
  HeadMeasurement measurement(head);
  tensor::Arena scratch;
  for (const TeacherSample& sample : samples) measurement.add(sample, scratch);
  return measurement.evidence();
}

const std::vector<double>& target_of(const attention::CompiledHead& head,
                                     const TeacherSample& sample) {
  return head.mode == attention::CompiledMode::key_bias ? sample.key_target : sample.target;
}

std::vector<double> predicted_dual(const attention::CompiledHead& head,
                                   const TeacherSample& sample) {
  tensor::Arena scratch;
  const InferenceInput input(sample);
  const attention::AttentionHead<float> one = input.head(head);
  if (head.mode == attention::CompiledMode::key_bias) {
    const tensor::VectorView<float> bias = scratch.vector<float>(one.keys.rows);
    attention::predicted_key_bias<float>(head.map(), one, bias, scratch);
    std::vector<double> dual(bias.begin(), bias.end());
    subtract_mean(dual);
    return dual;
  }
  attention::CentredHead<float> centred =
      attention::centre_head<float>(one.queries, one.keys, one.scale, scratch);
  centred.slack = one.slack;
  const tensor::MatrixView<float> scores = scratch.matrix<float>(centred.x.rows, centred.y.rows);
  const tensor::VectorView<float> predicted = scratch.vector<float>(centred.x.rows);
  tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes, 1.0F, centred.x, centred.y,
                      0.0F, scores);
  attention::predicted_row_dual<float>(head.map(), centred, scores, predicted, scratch);
  std::vector<double> dual(predicted.begin(), predicted.end());
  subtract_mean(dual);
  return dual;
}

HeadEvidence mean_evidence(const std::vector<std::vector<HeadEvidence>>& heads) {
  HeadEvidence mean;
  double count = 0;
  for (const auto& layer : heads) count += static_cast<double>(layer.size());
  double maps = 0, dual_r2 = 0;
  for (const auto& layer : heads)
    for (const HeadEvidence& head : layer) {
      if (!std::isnan(head.dual_r2)) {
        dual_r2 += head.dual_r2;
        ++maps;
      }
      mean.plan_l1 += head.plan_l1 / count;
      mean.plan_kl += head.plan_kl / count;
      mean.column_error += head.column_error / count;
      mean.teacher_column_error += head.teacher_column_error / count;
      mean.output_error += head.output_error / count;
    }
  mean.dual_r2 = dual_r2 / maps;
  return mean;
}

}  // namespace asap::compile
