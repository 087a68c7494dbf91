#include "region/family/floor.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "numerics/levenberg_marquardt.h"
#include "region/family/linear_part.h"

namespace asap::region {
namespace {

/// A continuous piecewise linear function with free knots on even samples. Parameters: inner knots
/// [pieces - 1], then values at all knots [pieces + 1].
class FreeKnotModel : public numerics::LeastSquaresModel {
 public:
  FreeKnotModel(const numerics::Curve& f, numerics::Interval interval, int pieces,
                std::int64_t samples)
      : interval_(interval), pieces_(pieces) {
    for (std::int64_t i = 0; i < samples; ++i) {
      // Midpoints: the mean over them is the integral to second order.
      x_.push_back(interval.at((static_cast<double>(i) + 0.5) / static_cast<double>(samples)));
      y_.push_back(f(x_.back()));
    }
  }

  Samples samples() const { return {x_, y_, {}}; }
  std::int64_t parameter_count() const override { return std::int64_t{2} * pieces_; }
  std::int64_t residual_count() const override { return static_cast<std::int64_t>(x_.size()); }

  void evaluate(tensor::VectorView<const double> parameters,
                tensor::VectorView<double> residuals) override {
    parameters_.assign(parameters.begin(), parameters.end());
    const double scale = 1 / std::sqrt(static_cast<double>(x_.size()));
    int piece = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      while (piece + 1 < pieces_ && x_[i] > knot(piece + 1)) ++piece;
      const double t = (x_[i] - knot(piece)) / (knot(piece + 1) - knot(piece));
      residuals[i] = scale * (value(piece) + t * (value(piece + 1) - value(piece)) - y_[i]);
    }
  }

  void jacobian(tensor::MatrixView<double> transposed) override {
    for (std::int64_t p = 0; p < transposed.rows; ++p)
      std::fill_n(&transposed(p, 0), transposed.cols, 0.0);
    const double scale = 1 / std::sqrt(static_cast<double>(x_.size()));
    int piece = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      while (piece + 1 < pieces_ && x_[i] > knot(piece + 1)) ++piece;
      const auto column = static_cast<std::int64_t>(i);
      const double length = knot(piece + 1) - knot(piece);
      const double t = (x_[i] - knot(piece)) / length;
      const double slope = (value(piece + 1) - value(piece)) / length;
      if (piece > 0) transposed(piece - 1, column) = -scale * slope * (1 - t);
      if (piece + 1 < pieces_) transposed(piece, column) = -scale * slope * t;
      transposed(pieces_ - 1 + piece, column) = scale * (1 - t);
      transposed(pieces_ + piece, column) = scale * t;
    }
  }

  void constrain(tensor::VectorView<double> parameters) const override {
    const double gap = 1e-3 * interval_.length() / pieces_;
    std::sort(parameters.begin(), parameters.begin() + (pieces_ - 1));
    double least = interval_.low;
    for (int k = 0; k + 1 < pieces_; ++k) {
      least += gap;
      const double most = interval_.high - gap * (pieces_ - 1 - k);
      least = parameters[k] = std::clamp(parameters[k], least, most);
    }
  }

 private:
  double knot(int k) const {
    return k == 0 ? interval_.low : k == pieces_ ? interval_.high : parameters_[k - 1];
  }
  double value(int k) const { return parameters_[pieces_ - 1 + k]; }

  numerics::Interval interval_;
  int pieces_;
  std::vector<double> x_, y_, parameters_;
};

/// Least-squares values at given knots.
std::vector<double> best_values(const numerics::Curve& f, const std::vector<double>& knots,
                                const Samples& samples) {
  FoldedFunction lines;  // windows without folds
  lines.nodes = knots;
  for (const double knot : knots) lines.values.push_back(f(knot));
  lines.windows.resize(knots.size() - 1);
  fit_linear_part(lines, samples);
  return lines.values;
}

/// (integral |f''|^0.4)^5 / (720 pieces^4 length) by second differences.
double asymptotic_floor(const numerics::Curve& f, numerics::Interval interval, int pieces) {
  constexpr int kCells = 4096;
  const double step = interval.length() / kCells;
  double integral = 0;
  for (int i = 1; i < kCells; ++i) {
    const double x = interval.low + step * i;
    integral +=
        std::pow(std::abs(f(x - step) - 2 * f(x) + f(x + step)) / (step * step), 0.4) * step;
  }
  integral *= kCells / (kCells - 1.0);
  return std::pow(integral, 5) / (720 * std::pow(pieces, 4) * interval.length());
}

}  // namespace

FreeKnotFloor free_knot_floor(const numerics::Curve& f, numerics::Interval interval, int pieces) {
  if (pieces < 1)
    throw base::UsageError("a floor of " + std::to_string(pieces) +
                           " pieces: at least one is needed");
  FreeKnotFloor floor;
  floor.asymptotic = asymptotic_floor(f, interval, pieces);
  if (pieces > FreeKnotFloor::kMostSampled) {
    floor.refined = floor.asymptotic;
    return floor;
  }
  floor.knots = place_windows(f, interval, pieces);
  FreeKnotModel model(f, interval, pieces, std::max(2000, 64 * pieces));
  std::vector<double> parameters(floor.knots.begin() + 1, floor.knots.end() - 1);
  for (const double value : best_values(f, floor.knots, model.samples()))
    parameters.push_back(value);
  floor.is_refined = pieces <= FreeKnotFloor::kMostRefined;
  if (floor.is_refined) {
    numerics::LevenbergMarquardtOptions options;
    options.max_iterations = 200;
    floor.refined = numerics::LevenbergMarquardt().minimise(model, parameters, options).final_cost;
  } else {
    tensor::Tensor<double> residuals({model.residual_count()});
    model.evaluate(parameters, residuals.flat());
    for (const double r : residuals.flat()) floor.refined += r * r;
  }
  for (int k = 0; k + 1 < pieces; ++k) floor.knots[k + 1] = parameters[k];
  return floor;
}

}  // namespace asap::region
