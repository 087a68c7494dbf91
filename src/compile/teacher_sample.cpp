#include "compile/teacher_sample.h"

#include <algorithm>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/marginals.h"
#include "transport/sinkhorn_log.h"

namespace asap::compile {
namespace {

tensor::Tensor<double> to_double(tensor::MatrixView<const float> from) {
  tensor::Tensor<double> out({from.rows, from.cols});
  for (std::int64_t i = 0; i < from.rows; ++i)
    std::copy_n(from.row(i).data(), from.cols, out.rows().row(i).data());
  return out;
}

tensor::Tensor<double> scores(const TeacherSample& sample) {
  tensor::Tensor<double> out({sample.queries.shape()[0], sample.keys.shape()[0]});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, sample.score_scale,
                       sample.queries.rows(), sample.keys.rows(), 0.0, out.rows());
  return out;
}

std::vector<double> copy(tensor::VectorView<const double> values) {
  return {values.begin(), values.end()};
}

}  // namespace

void subtract_mean(tensor::VectorView<double> values) {
  const double mean = tensor::sum<double>(values) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
}

TeacherSample head_sample(const Activations& activations, int layer, std::int64_t head,
                          std::int64_t example) {
  const attention::AttentionBatch<float> batch = activations.batch(layer);
  TeacherSample sample;
  sample.queries = to_double(batch.head_queries(example, head));
  sample.keys = to_double(batch.head_keys(example, head));
  if (activations.layers[layer].values.size() > 0)
    sample.values = to_double(batch.head_values(example, head));
  sample.score_scale = activations.layers[layer].score_scales[head];
  if (!activations.layers[layer].slacks.empty())
    sample.slack = activations.layers[layer].slacks[head];
  return sample;
}

TeacherSample run_teacher(const Activations& activations, int layer, std::int64_t head,
                          std::int64_t example) {
  base::check(activations.iterations >= 1, "run_teacher: the teacher does not iterate");
  TeacherSample sample = head_sample(activations, layer, head, example);
  const tensor::Tensor<double> s = scores(sample);
  const int last = activations.iterations;
  const transport::SinkhornTrace<double> trace =
      transport::sinkhorn_log<double>(s.rows(), {}, last, {sample.slack});
  sample.target = copy(trace.row_duals.rows().row(last - 1));
  sample.row_dual = copy(trace.row_duals.rows().row(last));
  sample.column_dual = copy(trace.column_duals.rows().row(last - 1));
  // score_scale q_i . k̄ is the mean of row i of the scores.
  for (std::int64_t i = 0; i < s.shape()[0]; ++i)
    sample.target[i] += tensor::sum<double>(s.rows().row(i)) / static_cast<double>(s.shape()[1]);
  subtract_mean(sample.target);
  sample.key_target = sample.column_dual;
  for (std::int64_t i = 0; i < s.shape()[0]; ++i)
    tensor::axpy<double>(1 / static_cast<double>(s.shape()[0]), s.rows().row(i), sample.key_target);
  subtract_mean(sample.key_target);
  return sample;
}

TeacherSample exchanged_sample(TeacherSample sample) {
  TeacherSample other;
  other.queries = std::move(sample.keys);
  other.keys = std::move(sample.queries);
  other.score_scale = sample.score_scale;
  other.target = std::move(sample.key_target);
  return other;
}

tensor::Tensor<double> teacher_plan(const TeacherSample& sample) {
  tensor::Tensor<double> plan = scores(sample);
  transport::plan_from_duals<double>(plan.rows(), sample.row_dual, sample.column_dual, plan.rows());
  return plan;
}

CentredSample centre_sample(const TeacherSample& sample, tensor::Arena& arena) {
  CentredSample centred{attention::centre_head<double>(sample.queries.rows(), sample.keys.rows(),
                                                       sample.score_scale, arena),
                        {}};
  centred.head.slack = sample.slack;
  centred.scores = arena.matrix<double>(centred.head.x.rows, centred.head.y.rows);
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1.0, centred.head.x,
                       centred.head.y, 0.0, centred.scores);
  return centred;
}

tensor::Tensor<double> centred_features(const attention::DualMap<double>& map,
                                        const CentredSample& sample, tensor::Arena& scratch) {
  tensor::Tensor<double> features({map.feature_count(), sample.head.x.rows});
  attention::dual_features<double>(map, sample.head, sample.scores, features.rows(), scratch);
  for (std::int64_t p = 0; p < features.shape()[0]; ++p) subtract_mean(features.rows().row(p));
  return features;
}

}  // namespace asap::compile
