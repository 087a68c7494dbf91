#include "evaluate/bench/bench_accuracy.h"

#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "compile/teacher_sample.h"
#include "tensor/kernels/gemm.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kLongestPlan = 1024;  // tokens of heads whose plans are compared

/// One head of the batch as a teacher with one example.
tensor::Tensor<double> sinkhorn_plan_in_double(const attention::AttentionBatch<float>& batch,
                                               std::int64_t example, std::int64_t head,
                                               const FormContext& context) {
  const auto copy = [](tensor::MatrixView<const float> from) {
    tensor::Tensor<float> out({from.rows, from.cols});
    for (std::int64_t i = 0; i < from.rows; ++i)
      std::copy(from.row(i).begin(), from.row(i).end(), out.rows().row(i).begin());
    return out;
  };
  compile::Activations one;
  one.examples = one.heads = 1;
  one.iterations = context.iterations;
  one.layers.resize(1);
  one.layers[0].queries = copy(batch.head_queries(example, head));
  one.layers[0].keys = copy(batch.head_keys(example, head));
  one.layers[0].score_scales = {context.score_scale};
  return compile::teacher_plan(compile::run_teacher(one, 0, 0, 0));
}

/// output = plan values: [N, N] x [N, D], summed in float64.
void apply_plan(tensor::MatrixView<const double> plan, tensor::MatrixView<const float> values,
                tensor::MatrixView<float> output) {
  tensor::Tensor<double> from({values.rows, values.cols}), to({output.rows, output.cols});
  for (std::int64_t i = 0; i < values.rows; ++i)
    std::copy(values.row(i).begin(), values.row(i).end(), from.rows().row(i).begin());
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1.0, plan, from.rows(), 0.0,
                       to.rows());
  for (std::int64_t i = 0; i < output.rows; ++i)
    for (std::int64_t c = 0; c < output.cols; ++c)
      output(i, c) = static_cast<float>(to.rows()(i, c));
}

tensor::Tensor<float> rounded(const tensor::Tensor<double>& from) {
  tensor::Tensor<float> out(from.shape());
  for (std::int64_t i = 0; i < from.size(); ++i) out[i] = static_cast<float>(from[i]);
  return out;
}

}  // namespace

AccuracyCheck::AccuracyCheck(BenchBatch batch, const FormContext& context, int threads)
    : batch_(std::move(batch)), context_(context), output_(batch_.values.shape()) {
  const attention::AttentionBatch<float> view = batch_.view();
  const std::int64_t count = batch_.examples * batch_.heads;
  const bool with_plans = view.query_tokens() <= kLongestPlan;
  if (with_plans) plans_.resize(count);
  // Several long plans in float64 at once would need gigabytes.
  base::parallel_for(count, with_plans ? threads : 1, [&](std::int64_t index, int) {
    const std::int64_t example = index / batch_.heads, head = index % batch_.heads;
    const tensor::Tensor<double> plan = sinkhorn_plan_in_double(view, example, head, context_);
    apply_plan(plan.rows(), view.head_values(example, head),
               view.head_output(output_.rows(), example, head));
    if (with_plans) plans_[index] = rounded(plan);
  });
}

FormAccuracy AccuracyCheck::measure(const AttentionForm& form, int threads) const {
  tensor::Tensor<float> output(batch_.values.shape());
  std::vector<tensor::Arena> scratch(threads);
  form.run({batch_.view(), output.rows(), context_, scratch});
  double error = 0, total = 0;
  for (std::int64_t i = 0; i < output.size(); ++i) {
    const double expected = output_[i], difference = output[i] - expected;
    error += difference * difference;
    total += expected * expected;
  }
  return {plans_.empty() ? std::numeric_limits<double>::quiet_NaN() : plan_distance(form, threads),
          std::sqrt(error / total)};
}

double AccuracyCheck::plan_distance(const AttentionForm& form, int threads) const {
  attention::AttentionBatch<float> batch = batch_.view();
  const std::int64_t tokens = batch.query_tokens();
  const tensor::Shape shape{batch.examples * tokens, batch.heads * tokens};
  tensor::Tensor<float> unit(shape), plans(shape);
  for (std::int64_t i = 0; i < shape[0]; ++i)
    for (std::int64_t head = 0; head < batch.heads; ++head)
      unit.rows()(i, head * tokens + i % tokens) = 1;
  batch.values = unit.rows();
  std::vector<tensor::Arena> scratch(threads);
  form.run({batch, plans.rows(), context_, scratch});
  double total = 0;
  for (std::size_t index = 0; index < plans_.size(); ++index) {
    const auto at = static_cast<std::int64_t>(index);
    const tensor::MatrixView<float> plan =
        batch.head_output(plans.rows(), at / batch.heads, at % batch.heads);
    for (std::int64_t i = 0; i < tokens; ++i)
      for (std::int64_t j = 0; j < tokens; ++j)
        total += std::abs(static_cast<double>(plan(i, j)) -
                          static_cast<double>(plans_[index].rows()(i, j)));
  }
  return total / static_cast<double>(tokens) / static_cast<double>(plans_.size());
}

}  // namespace asap::evaluate
