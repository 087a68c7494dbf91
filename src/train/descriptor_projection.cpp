#include "train/descriptor_projection.h"

#include <algorithm>
#include <cmath>

#include "numerics/dense_solvers.h"
#include "tensor/kernels/gemm.h"

namespace asap::train {
namespace {

constexpr std::int64_t kSampledPairs = 200;
constexpr std::int64_t kSampledKeypoints = 50;  // of each image of a pair

/// Some descriptors of the training pairs, one per row.
tensor::Tensor<double> sample_descriptors(const data::KeypointPairs& pairs) {
  const std::int64_t width = pairs.descriptor_width();
  std::vector<float> values;
  const std::int64_t step = std::max<std::int64_t>(pairs.size() / kSampledPairs, 1);
  for (std::int64_t p = 0; p < pairs.size(); p += step)
    for (const int e : {0, 1}) {
      const std::vector<std::int32_t> rows =
          data::strongest_keypoints(pairs.view(p, e), kSampledKeypoints);
      const std::size_t at = values.size();
      values.resize(at + rows.size() * static_cast<std::size_t>(width));
      pairs.decode(p, e, rows, {values.data() + at, std::ssize(rows), width});
    }
  tensor::Tensor<double> sample({static_cast<std::int64_t>(values.size()) / width, width});
  std::ranges::copy(values, sample.data());
  return sample;
}

/// Subtracts the mean of every column and returns it.
std::vector<double> centre(tensor::MatrixView<double> x) {
  std::vector<double> mean(static_cast<std::size_t>(x.cols), 0);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j) mean[j] += x(i, j) / static_cast<double>(x.rows);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j) x(i, j) -= mean[j];
  return mean;
}

tensor::Tensor<double> covariance(tensor::MatrixView<const double> x) {
  tensor::Tensor<double> transposed({x.cols, x.rows}), gram({x.cols, x.cols});
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < x.cols; ++j) transposed.rows()(j, i) = x(i, j);
  numerics::gram_lower(transposed.rows(), gram.rows());
  for (std::int64_t i = 0; i < x.cols; ++i)
    for (std::int64_t j = i + 1; j < x.cols; ++j) gram.rows()(i, j) = gram.rows()(j, i);
  return gram;
}

/// Mean length of the rows of x after projection on the rows of `basis`.
double mean_length(tensor::MatrixView<const double> x, tensor::MatrixView<const double> basis) {
  tensor::Tensor<double> projected({x.rows, basis.rows});
  tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::yes, 1, x, basis, 0,
                       projected.rows());
  double sum = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double square = 0;
    for (const double value : projected.rows().row(i)) square += value * value;
    sum += std::sqrt(square);
  }
  return sum / static_cast<double>(x.rows);
}

tensor::TensorView<float> parameter(nn::Matcher<float>& model, const std::string& name) {
  const auto& entries = model.parameters().entries();
  const auto found = std::ranges::find(entries, name, [](const auto& entry) { return entry.name; });
  base::check(found != entries.end(), "start_projection: the matcher lacks a parameter");
  return model.parameters().value({static_cast<int>(found - entries.begin())});
}

}  // namespace

void start_projection(const data::KeypointPairs& pairs, nn::Matcher<float>& model) {
  tensor::Tensor<double> sample = sample_descriptors(pairs);
  if (sample.shape()[0] == 0) return;
  const std::vector<double> mean = centre(sample.rows());
  const numerics::SymmetricEigen eigen =
      numerics::symmetric_eigen(covariance(sample.rows()).rows());
  const std::int64_t descriptor_width = pairs.descriptor_width(), width = model.config().width;
  const std::int64_t components = std::min(width, descriptor_width);
  tensor::Tensor<double> basis({components, descriptor_width});
  for (std::int64_t c = 0; c < components; ++c)
    for (std::int64_t j = 0; j < descriptor_width; ++j)
      basis.rows()(c, j) = eigen.vectors.rows()(j, descriptor_width - 1 - c);
  const double length = mean_length(sample.rows(), basis.rows());
  // Scores are inner products divided by the root of the width.
  const double wanted =
      std::sqrt(model.config().start_gain * std::sqrt(static_cast<double>(width)));
  const double factor = length > 1e-6 ? wanted / length : 0;
  const tensor::TensorView<float> weight = parameter(model, "descriptor.weight");
  const tensor::TensorView<float> bias = parameter(model, "descriptor.bias");
  std::ranges::fill(weight.flat(), 0.F);
  std::ranges::fill(bias.flat(), 0.F);
  for (std::int64_t c = 0; c < components; ++c) {
    double offset = 0;
    for (std::int64_t j = 0; j < descriptor_width; ++j) {
      weight.rows()(c, j) = static_cast<float>(factor * basis.rows()(c, j));
      offset -= factor * basis.rows()(c, j) * mean[j];
    }
    bias.data[c] = static_cast<float>(offset);
  }
}

}  // namespace asap::train
