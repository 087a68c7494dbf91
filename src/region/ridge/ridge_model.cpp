// RidgeModel of ridge_splines.h.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "region/ridge/ridge_splines.h"

namespace asap::region {
namespace {

/// Root of the weight of the linear term's squares.
constexpr double kLinearRoot = 1e-4;

double product_of(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

RidgeModel::RidgeModel(const Rows& rows, const RidgeSum& start, double penalty)
    : rows_(rows),
      start_(start),
      cells_(static_cast<int>(start.ridges.front().heights.size()) - 3),
      penalty_(penalty),
      lengths_(start.ridges.size(), 1.0) {
  base::check(std::ssize(start.linear.slope) == rows.inputs(),
              "RidgeModel: the linear term has another number of inputs");
}

std::int64_t RidgeModel::parameter_count() const { return first_linear() + inputs(); }

std::int64_t RidgeModel::residual_count() const {
  return rows_.size() + static_cast<std::int64_t>(start_.ridges.size()) * (cells_ + 1) + inputs();
}

std::vector<double> RidgeModel::parameters() const {
  std::vector<double> parameters;
  for (const RidgeSpline& ridge : start_.ridges) {
    parameters.insert(parameters.end(), ridge.direction.begin(), ridge.direction.end());
    parameters.insert(parameters.end(), ridge.heights.begin(), ridge.heights.end());
  }
  parameters.insert(parameters.end(), start_.linear.slope.begin(), start_.linear.slope.end());
  return parameters;
}

RidgeSum RidgeModel::sum(tensor::VectorView<const double> parameters) const {
  RidgeSum sum = start_;
  const double* next = parameters.data();
  for (RidgeSpline& ridge : sum.ridges) {
    ridge.direction.assign(next, next + inputs());
    next += inputs();
    normalise(ridge.direction);
    ridge.heights.assign(next, next + cells_ + 3);
    next += cells_ + 3;
  }
  sum.linear.slope.assign(next, next + inputs());
  return sum;
}

void RidgeModel::evaluate(tensor::VectorView<const double> parameters,
                          tensor::VectorView<double> residuals) {
  current_ = sum(parameters);
  for (std::size_t k = 0; k < current_.ridges.size(); ++k) {
    const double* const direction =
        parameters.data() + static_cast<std::int64_t>(k) * ridge_parameters();
    const std::span<const double> all(direction, static_cast<std::size_t>(inputs()));
    lengths_[k] = std::sqrt(product_of(all, all));
  }
  const double weight = 1 / std::sqrt(static_cast<double>(rows_.size()));
  for (std::int64_t i = 0; i < rows_.size(); ++i)
    residuals[static_cast<std::size_t>(i)] =
        weight * (current_(rows_.row(i)) - rows_.y[static_cast<std::size_t>(i)]);
  std::size_t next = static_cast<std::size_t>(rows_.size());
  const double root = std::sqrt(penalty_);
  for (const RidgeSpline& ridge : current_.ridges)
    for (std::size_t m = 0; m + 2 < ridge.heights.size(); ++m)
      residuals[next++] =
          root * (ridge.heights[m + 2] - 2 * ridge.heights[m + 1] + ridge.heights[m]);
  for (const double slope : current_.linear.slope) residuals[next++] = kLinearRoot * slope;
}

void RidgeModel::jacobian(tensor::MatrixView<double> transposed) {
  for (std::int64_t p = 0; p < transposed.rows; ++p) {
    const tensor::VectorView<double> row = transposed.row(p);
    std::fill(row.begin(), row.end(), 0.0);
  }
  const double weight = 1 / std::sqrt(static_cast<double>(rows_.size()));
  const double root = std::sqrt(penalty_);
  std::int64_t roughness = rows_.size();
  for (std::size_t k = 0; k < current_.ridges.size(); ++k) {
    const RidgeSpline& ridge = current_.ridges[k];
    const numerics::CubicSplines splines(ridge.interval, cells_);
    const std::int64_t first = static_cast<std::int64_t>(k) * ridge_parameters();
    const std::int64_t heights = first + inputs();
    for (std::int64_t i = 0; i < rows_.size(); ++i) {
      const std::span<const double> x = rows_.row(i);
      const double t = product_of(ridge.direction, x);
      const numerics::CubicSplinesAt at = splines.at(t);
      double slope = 0;
      for (int a = 0; a < 4; ++a) {
        transposed(heights + at.first + a, i) = weight * at.value[static_cast<std::size_t>(a)];
        slope += at.slope[static_cast<std::size_t>(a)] *
                 ridge.heights[static_cast<std::size_t>(at.first) + static_cast<std::size_t>(a)];
      }
      for (std::int64_t j = 0; j < inputs(); ++j) {
        const auto input = static_cast<std::size_t>(j);
        transposed(first + j, i) =
            weight * slope * (x[input] - t * ridge.direction[input]) / lengths_[k];
      }
    }
    for (std::int64_t m = 0; m <= cells_; ++m, ++roughness) {
      transposed(heights + m, roughness) = root;
      transposed(heights + m + 1, roughness) = -2 * root;
      transposed(heights + m + 2, roughness) = root;
    }
  }
  for (std::int64_t j = 0; j < inputs(); ++j) {
    for (std::int64_t i = 0; i < rows_.size(); ++i)
      transposed(first_linear() + j, i) = weight * rows_.row(i)[static_cast<std::size_t>(j)];
    transposed(first_linear() + j, roughness + j) = kLinearRoot;
  }
}

}  // namespace asap::region
