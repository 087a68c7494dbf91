#include "evaluate/matching/classical_matchers.h"

#include <algorithm>
#include <cmath>

#include "tensor/core/tensor.h"
#include "transport/assignment.h"

namespace asap::evaluate {

using infer::Matches;
namespace {

double distance(float similarity) {
  return std::sqrt(std::max(2 - 2 * static_cast<double>(similarity), 0.0));
}

/// Distance of the nearest column but `best`.
double second_distance(std::span<const float> row, std::int32_t best) {
  float second = -1;
  for (std::size_t j = 0; j < row.size(); ++j)
    if (static_cast<std::int32_t>(j) != best) second = std::max(second, row[j]);
  return distance(second);
}

}  // namespace

Matches match_mutual_nearest(tensor::MatrixView<const float> similarity) {
  return infer::decode_plan(similarity, -2);  // below every similarity
}

Matches match_by_ratio(tensor::MatrixView<const float> similarity, double ratio) {
  Matches matches = match_mutual_nearest(similarity);
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    const std::int32_t j = matches.partners[i];
    if (j < 0) continue;
    const double nearest = distance(similarity(i, j));
    const double second = similarity.cols > 1 ? second_distance(similarity.row(i), j) : 0;
    const bool passes = nearest < ratio * second;
    matches.confidences[i] = passes ? static_cast<float>(1 - nearest / second) : 0;
    if (!passes) matches.partners[i] = -1;
  }
  return matches;
}

Matches match_by_assignment(tensor::MatrixView<const float> similarity, double least) {
  tensor::Tensor<double> gains({similarity.rows, similarity.cols});
  for (std::int64_t i = 0; i < similarity.rows; ++i)
    std::ranges::copy(similarity.row(i), gains.rows().row(i).begin());
  Matches matches = Matches::none(similarity.rows);
  if (gains.size() == 0) return matches;
  const std::vector<std::int32_t> columns = transport::largest_assignment(gains.rows());
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    const std::int32_t j = columns[i];
    if (j < 0 || !(similarity(i, j) > least)) continue;
    matches.partners[i] = j;
    matches.confidences[i] = similarity(i, j);
  }
  return matches;
}

}  // namespace asap::evaluate
