#include "compile/evidence.h"

#include <algorithm>
#include <cmath>

#include "attention/compiled/compiled_attention.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "transport/marginals.h"

namespace asap::compile {
namespace {

/// A compiled head's float32 numbers in float64.
struct DoubleHead {
  attention::DualFeatures features;
  tensor::Tensor<double> query_slices, key_slices;
  std::vector<double> weights;

  explicit DoubleHead(const attention::CompiledHead& head)
      : features(head.features),
        query_slices(head.query_slices.shape()),
        key_slices(head.key_slices.shape()),
        weights(head.weights.begin(), head.weights.end()) {
    std::copy_n(head.query_slices.data(), head.query_slices.size(), query_slices.data());
    std::copy_n(head.key_slices.data(), head.key_slices.size(), key_slices.data());
  }
  attention::DualMap<double> map() const {
    return {features, query_slices.rows(), key_slices.rows(), weights};
  }
};

struct Totals {
  double rows = 0, columns = 0;
  double residual = 0, variance = 0;
  double l1 = 0, kl = 0, column = 0, teacher_column = 0;
  double output = 0, output_error = 0;
};

/// The plan is the operator's output for unit vectors as values.
tensor::Tensor<double> rebuilt_plan(const attention::DualMap<double>& map,
                                    const TeacherSample& sample, tensor::Arena& scratch) {
  const std::int64_t n = sample.queries.shape()[0], m = sample.keys.shape()[0];
  tensor::Tensor<double> unit({m, m}), plan({n, m});
  for (std::int64_t j = 0; j < m; ++j) unit.rows()(j, j) = 1;
  attention::AttentionHead<double> head = sample.head();
  head.values = unit.rows();
  attention::compiled_attention<double>(map, head, 0, plan.rows(), scratch);
  return plan;
}

std::vector<double> apply_map(const attention::DualMap<double>& map, const TeacherSample& sample,
                              tensor::Arena& scratch) {
  std::vector<double> dual(sample.target.size());
  const tensor::Tensor<double> features = centred_features(map, sample, scratch);
  for (std::size_t p = 0; p < map.weights.size(); ++p)
    tensor::axpy<double>(map.weights[p], features.rows().row(static_cast<std::int64_t>(p)), dual);
  return dual;
}

void add_dual(const attention::DualMap<double>& map, const TeacherSample& sample, Totals& totals,
              tensor::Arena& scratch) {
  std::vector<double> residual = sample.target;
  tensor::axpy<double>(-1.0, apply_map(map, sample, scratch), residual);
  totals.residual += tensor::dot<double>(residual, residual);
  totals.variance += tensor::dot<double>(sample.target, sample.target);
}

void add_plan(tensor::MatrixView<const double> teacher, tensor::MatrixView<const double> rebuilt,
              Totals& totals) {
  for (std::int64_t i = 0; i < teacher.rows; ++i)
    for (std::int64_t j = 0; j < teacher.cols; ++j) {
      const double a = teacher(i, j), b = rebuilt(i, j);
      totals.l1 += std::abs(a - b);
      if (a > 0) totals.kl += a * std::log(a / std::max(b, 1e-300));
    }
  totals.rows += static_cast<double>(teacher.rows);
  const double columns = static_cast<double>(teacher.cols);
  totals.columns += columns;
  totals.column += columns * transport::marginal_errors<double>(rebuilt).column_mean;
  totals.teacher_column += columns * transport::marginal_errors<double>(teacher).column_mean;
}

void add_output(tensor::MatrixView<const double> teacher, tensor::MatrixView<const double> rebuilt,
                tensor::MatrixView<const double> values, Totals& totals) {
  tensor::Tensor<double> output({teacher.rows, values.cols}), error({teacher.rows, values.cols});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, teacher, values, 0.0,
                       output.rows());
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, rebuilt, values, 0.0,
                       error.rows());
  tensor::axpy<double>(-1.0, output.flat(), error.flat());
  totals.output += tensor::dot<double>(output.flat(), output.flat());
  totals.output_error += tensor::dot<double>(error.flat(), error.flat());
}

}  // namespace

HeadEvidence measure_head(const attention::CompiledHead& head,
                          std::span<const TeacherSample> samples) {
  const DoubleHead numbers(head);
  const attention::DualMap<double> map = numbers.map();
  Totals totals;
  tensor::Arena scratch;
  for (const TeacherSample& sample : samples) {
    const tensor::Tensor<double> teacher = teacher_plan(sample);
    const tensor::Tensor<double> rebuilt = rebuilt_plan(map, sample, scratch);
    add_dual(map, sample, totals, scratch);
    add_plan(teacher.rows(), rebuilt.rows(), totals);
    if (sample.values.size() > 0)
      add_output(teacher.rows(), rebuilt.rows(), sample.values.rows(), totals);
  }
  // A teacher whose dual is constant is matched by any map that predicts a constant.
  return {.dual_r2 = totals.variance > 0 ? 1 - totals.residual / totals.variance : 1.0,
          .plan_l1 = totals.l1 / totals.rows,
          .plan_kl = totals.kl / totals.rows,
          .column_error = totals.column / totals.columns,
          .teacher_column_error = totals.teacher_column / totals.columns,
          .output_error = totals.output > 0 ? std::sqrt(totals.output_error / totals.output) : NAN};
}

std::vector<double> predicted_dual(const attention::CompiledHead& head,
                                   const TeacherSample& sample) {
  const DoubleHead numbers(head);
  tensor::Arena scratch;
  return apply_map(numbers.map(), sample, scratch);
}

HeadEvidence mean_evidence(const std::vector<std::vector<HeadEvidence>>& heads) {
  HeadEvidence mean;
  double count = 0;
  for (const auto& layer : heads) count += static_cast<double>(layer.size());
  for (const auto& layer : heads)
    for (const HeadEvidence& head : layer) {
      mean.dual_r2 += head.dual_r2 / count;
      mean.plan_l1 += head.plan_l1 / count;
      mean.plan_kl += head.plan_kl / count;
      mean.column_error += head.column_error / count;
      mean.teacher_column_error += head.teacher_column_error / count;
      mean.output_error += head.output_error / count;
    }
  return mean;
}

}  // namespace asap::compile
