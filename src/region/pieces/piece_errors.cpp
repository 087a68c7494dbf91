#include "region/pieces/piece_errors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/dense_solvers.h"

namespace asap::region {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// The points of a part, and its parameters: the value at the first knot, the slopes, the inner
/// knots.
class PartCovariance {
 public:
  explicit PartCovariance(const PiecewiseLinear& part)
      : part_(part),
        pieces_(static_cast<std::size_t>(part.pieces())),
        size_(static_cast<std::int64_t>(2 * pieces_)),
        products_({size_, size_}) {}

  void add(double x, double weight) {
    std::vector<double> row(static_cast<std::size_t>(size_), 0.0);
    row[0] = 1;
    for (std::size_t k = 0; k < pieces_; ++k) {
      const double right = k + 1 < pieces_ ? std::min(x, part_.x[k + 1]) : x;
      if (k > 0 && !(x > part_.x[k])) break;
      row[1 + k] = right - part_.x[k];
      const auto piece = static_cast<std::int64_t>(k);
      if (k > 0) row[pieces_ + k] = part_.slope(piece - 1) - part_.slope(piece);
    }
    for (std::int64_t i = 0; i < size_; ++i)
      for (std::int64_t j = 0; j <= i; ++j)
        products_[i * size_ + j] +=
            weight * row[static_cast<std::size_t>(i)] * row[static_cast<std::size_t>(j)];
  }

  /// Standard errors of all parameters for noise of deviation one.
  std::vector<double> errors() {
    std::vector<double> scale(static_cast<std::size_t>(size_), 0.0), errors(scale), none(scale);
    for (std::int64_t i = 0; i < size_; ++i) {
      const double square = products_[i * size_ + i];
      if (!(square > 0)) return std::vector<double>(scale.size(), kNone);
      scale[static_cast<std::size_t>(i)] = 1 / std::sqrt(square);
    }
    for (std::int64_t i = 0; i < size_; ++i)
      for (std::int64_t j = 0; j <= i; ++j)
        products_[i * size_ + j] *=
            scale[static_cast<std::size_t>(i)] * scale[static_cast<std::size_t>(j)];
    std::vector<double> unit(none), column(none);
    for (std::size_t i = 0; i < scale.size(); ++i) {
      unit[i] = 1;
      const bool solved = numerics::solve_positive_definite(products_.rows(), none, unit, column);
      unit[i] = 0;
      // Beyond 1e12 the parameters depend on each other.
      errors[i] =
          solved && column[i] > 0 && column[i] < 1e12 ? scale[i] * std::sqrt(column[i]) : kNone;
    }
    return errors;
  }

 private:
  const PiecewiseLinear& part_;
  std::size_t pieces_;
  std::int64_t size_;
  tensor::Tensor<double> products_;
};

}  // namespace

PieceErrors piece_errors(const std::vector<PiecewiseLinear>& parts, const Samples& samples) {
  PieceErrors result;
  std::vector<PartCovariance> covariances;
  covariances.reserve(parts.size());
  std::int64_t freedom = samples.size() - static_cast<std::int64_t>(parts.size()) + 1;
  for (const PiecewiseLinear& part : parts) {
    covariances.emplace_back(part);
    freedom -= 2 * part.pieces();
  }
  double squares = 0;
  std::size_t p = 0;
  for (std::size_t i = 0; i < samples.x.size(); ++i) {
    while (p + 1 < parts.size() && samples.x[i] >= parts[p + 1].x.front()) ++p;
    const double weight = samples.weight_at(static_cast<std::int64_t>(i));
    const double residual = parts[p](samples.x[i]) - samples.y[i];
    squares += weight * residual * residual;
    covariances[p].add(samples.x[i], weight);
  }
  result.deviation = freedom > 0 ? std::sqrt(squares / static_cast<double>(freedom)) : kNone;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    const auto pieces = static_cast<std::size_t>(parts[part].pieces());
    const std::vector<double> errors = covariances[part].errors();
    for (std::size_t k = 0; k < pieces; ++k)
      result.slopes.push_back(result.deviation * errors[1 + k]);
    for (std::size_t k = 1; k < pieces; ++k)
      result.knots.push_back(result.deviation * errors[pieces + k]);
  }
  return result;
}

}  // namespace asap::region
