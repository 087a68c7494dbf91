#include "data/points/point_set.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"

namespace asap::data {
namespace {

/// Points of one example, [count, width].
tensor::MatrixView<float> points_of(Dataset& dataset, std::int64_t example) {
  const std::int64_t first = dataset.offsets[example], end = dataset.offsets[example + 1];
  return {dataset.points.data() + first * dataset.point_width, end - first, dataset.point_width};
}

void require_finite(Dataset& dataset) {
  for (std::int64_t example = 0; example < dataset.size(); ++example) {
    const tensor::MatrixView<float> points = points_of(dataset, example);
    for (std::int64_t i = 0; i < points.rows; ++i)
      for (const float value : points.row(i))
        if (!std::isfinite(value))
          throw base::DataError(dataset.name + ": point " + std::to_string(i) + " of example " +
                                    std::to_string(example) +
                                    " has a coordinate that is not finite",
                                "remove the point or repair the file");
  }
}

void normalise(tensor::MatrixView<float> points) {
  if (points.rows == 0) return;
  std::vector<double> centre(static_cast<std::size_t>(points.cols));
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t k = 0; k < points.cols; ++k) centre[k] += points(i, k);
  for (double& value : centre) value /= static_cast<double>(points.rows);
  double farthest = 0;
  for (std::int64_t i = 0; i < points.rows; ++i) {
    double square = 0;
    for (std::int64_t k = 0; k < points.cols; ++k)
      square += (points(i, k) - centre[k]) * (points(i, k) - centre[k]);
    farthest = std::max(farthest, std::sqrt(square));
  }
  const double factor = farthest > 0 ? 1 / farthest : 0;
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t k = 0; k < points.cols; ++k)
      points(i, k) = static_cast<float>(factor * (points(i, k) - centre[k]));
}

}  // namespace

void normalise_point_sets(Dataset& dataset) {
  for (std::int64_t example = 0; example < dataset.size(); ++example)
    normalise(points_of(dataset, example));
}

Dataset finish_point_sets(Dataset dataset, const config::PointsConfig& config) {
  require_finite(dataset);
  if (config.normalise) normalise_point_sets(dataset);
  dataset.drawn_points = config.count;
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
