#include "numerics/k_means.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "tensor/kernels/elementwise.h"

namespace asap::numerics {
namespace {

double squared_distance(tensor::VectorView<const double> a, tensor::VectorView<const double> b) {
  double total = 0;
  for (std::size_t d = 0; d < a.size(); ++d) total += (a[d] - b[d]) * (a[d] - b[d]);
  return total;
}

/// A point drawn with probabilities proportional to `weights`; any if all are 0.
std::int64_t draw(const std::vector<double>& weights, base::RandomStream& random) {
  double total = 0;
  for (const double weight : weights) total += weight;
  double rest = total * random.uniform();
  for (std::size_t i = 0; i < weights.size(); ++i)
    if ((rest -= weights[i]) < 0) return static_cast<std::int64_t>(i);
  return std::ssize(weights) - 1;
}

tensor::Tensor<double> start_centres(tensor::MatrixView<const double> points, std::int64_t count,
                                     base::RandomStream& random) {
  tensor::Tensor<double> centres({count, points.cols});
  std::vector<double> nearest(static_cast<std::size_t>(points.rows), 1.0);
  for (std::int64_t c = 0; c < count; ++c) {
    std::ranges::copy(points.row(draw(nearest, random)), centres.rows().row(c).begin());
    for (std::int64_t i = 0; i < points.rows; ++i) {
      const double distance = squared_distance(points.row(i), centres.rows().row(c));
      nearest[i] = c == 0 ? distance : std::min(nearest[i], distance);
    }
  }
  return centres;
}

}  // namespace

tensor::Tensor<double> k_means(tensor::MatrixView<const double> points, std::int64_t count,
                               int rounds, std::uint64_t seed, std::uint32_t stream) {
  base::check(points.rows > 0 && count > 0, "k_means: no points or no clusters");
  base::RandomStream random(seed, base::RandomPurpose::calibration, stream, 1);
  tensor::Tensor<double> centres = start_centres(points, count, random);
  std::vector<std::int64_t> assigned(static_cast<std::size_t>(points.rows), -1);
  for (int round = 0; round < rounds; ++round) {
    bool changed = false;
    for (std::int64_t i = 0; i < points.rows; ++i) {
      std::int64_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::int64_t c = 0; c < count; ++c) {
        const double distance = squared_distance(points.row(i), centres.rows().row(c));
        if (distance < least) least = distance, best = c;
      }
      changed = changed || assigned[i] != best;
      assigned[i] = best;
    }
    if (!changed) break;
    tensor::Tensor<double> sums(centres.shape());
    std::vector<double> sizes(static_cast<std::size_t>(count), 0.0);
    for (std::int64_t i = 0; i < points.rows; ++i) {
      tensor::axpy<double>(1.0, points.row(i), sums.rows().row(assigned[i]));
      sizes[assigned[i]] += 1;
    }
    for (std::int64_t c = 0; c < count; ++c)
      if (sizes[c] > 0)
        tensor::scale<double>(1 / sizes[c], sums.rows().row(c), centres.rows().row(c));
  }
  return centres;
}

}  // namespace asap::numerics
