#include "region/ridge/ridge_splines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "numerics/dense_solvers.h"

namespace asap::region {
namespace {

double dot_product(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Where the cells of a spline are: the range of the rows along a direction, but not the tails of
/// a distribution that has long ones, where the spline is straight.
void choose_interval(const Rows& rows, RidgeSpline& ridge) {
  std::vector<double> along;
  for (std::int64_t i = 0; i < rows.size(); ++i)
    along.push_back(dot_product(ridge.direction, rows.row(i)));
  const auto quantile = [&](double part) {
    const auto at =
        along.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(along.size() - 1));
    std::nth_element(along.begin(), at, along.end());
    return *at;
  };
  // A normal distribution of any usual number of rows stays inside twice the middle 98 %.
  const double first = quantile(0.01), last = quantile(0.99), spread = (last - first) / 2;
  const auto [least, most] = std::minmax_element(along.begin(), along.end());
  const double low = std::max(*least, first - spread), high = std::min(*most, last + spread);
  const double margin = high > low ? 0.05 * (high - low) : 0.5;
  ridge.interval = {low - margin, high + margin};
  ridge.reach = std::max({0.0, ridge.interval.low - *least, *most - ridge.interval.high}) /
                ridge.interval.length();
}

void add_roughness(tensor::MatrixView<double> gram, double penalty) {
  constexpr double kStencil[3] = {1, -2, 1};
  for (std::int64_t m = 0; m + 2 < gram.rows; ++m)
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) gram(m + a, m + b) += penalty * kStencil[a] * kStencil[b];
}

/// The spline along a direction that fits the targets best, by linear least squares. Returns its
/// mean squared error.
double fit_spline(const Rows& rows, std::span<const double> targets, double penalty, int cells,
                  RidgeSpline& ridge) {
  choose_interval(rows, ridge);
  const numerics::CubicSplines splines(ridge.interval, cells);
  const std::int64_t count = splines.count();
  tensor::Tensor<double> gram({count, count}), moment({count}), heights({count});
  tensor::MatrixView<double> g = gram.rows();
  const double weight = 1 / static_cast<double>(rows.size());
  double squares = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const numerics::CubicSplinesAt at = splines.at(dot_product(ridge.direction, rows.row(i)));
    const double y = targets[static_cast<std::size_t>(i)];
    squares += weight * y * y;
    for (std::size_t a = 0; a < 4; ++a) {
      moment[at.first + static_cast<int>(a)] += weight * at.value[a] * y;
      for (std::size_t b = 0; b < 4; ++b)
        g(at.first + static_cast<int>(a), at.first + static_cast<int>(b)) +=
            weight * at.value[a] * at.value[b];
    }
  }
  add_roughness(g, penalty);
  const std::vector<double> damping(static_cast<std::size_t>(count), 1e-10);
  if (!numerics::solve_positive_definite(g, damping, moment.flat(), heights.flat()))
    return std::numeric_limits<double>::infinity();
  ridge.heights.assign(heights.data(), heights.data() + count);
  return squares - dot_product(ridge.heights, moment.flat());
}

/// The linear part of a quadratic fitted to the targets and the eigenvectors of its quadratic part:
/// the directions in which the function rises and bends. Empty when there are too few rows.
std::vector<std::vector<double>> quadratic_directions(const Rows& rows,
                                                      std::span<const double> targets) {
  const std::int64_t inputs = rows.inputs();
  const std::int64_t terms = 1 + inputs + inputs * (inputs + 1) / 2;
  if (terms > 400 || rows.size() < 2 * terms) return {};
  tensor::Tensor<double> gram({terms, terms}), moment({terms}), solution({terms});
  tensor::MatrixView<double> g = gram.rows();
  std::vector<double> features(static_cast<std::size_t>(terms));
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const std::span<const double> x = rows.row(i);
    std::size_t next = 0;
    features[next++] = 1;
    for (const double value : x) features[next++] = value;
    for (std::size_t a = 0; a < x.size(); ++a)
      for (std::size_t b = a; b < x.size(); ++b) features[next++] = x[a] * x[b];
    for (std::int64_t p = 0; p < terms; ++p) {
      const double value = features[static_cast<std::size_t>(p)];
      moment[p] += value * targets[static_cast<std::size_t>(i)];
      for (std::int64_t q = 0; q <= p; ++q)
        g(p, q) += value * features[static_cast<std::size_t>(q)];
    }
  }
  const std::vector<double> damping(static_cast<std::size_t>(terms),
                                    1e-6 * static_cast<double>(rows.size()));
  if (!numerics::solve_positive_definite(g, damping, moment.flat(), solution.flat())) return {};
  tensor::Tensor<double> curvature({inputs, inputs});
  std::int64_t next = 1 + inputs;
  for (std::int64_t a = 0; a < inputs; ++a)
    for (std::int64_t b = a; b < inputs; ++b, ++next)
      curvature[a * inputs + b] = curvature[b * inputs + a] = solution[next] * (a == b ? 2 : 1);
  std::vector<std::vector<double>> directions{
      std::vector<double>(solution.data() + 1, solution.data() + 1 + inputs)};
  const numerics::SymmetricEigen eigen = numerics::symmetric_eigen(curvature.rows());
  for (std::int64_t k = 0; k < inputs; ++k) {
    directions.emplace_back();
    for (std::int64_t j = 0; j < inputs; ++j)
      directions.back().push_back(eigen.vectors[j * inputs + k]);
  }
  return directions;
}

RidgeSum minimise(const Rows& rows, const RidgeSum& start, double penalty, int iterations) {
  RidgeModel model(rows, start, penalty);
  std::vector<double> parameters = model.parameters();
  numerics::LevenbergMarquardtOptions options;
  options.max_iterations = iterations;
  numerics::LevenbergMarquardt().minimise(model, parameters, options);
  return model.sum(parameters);
}

/// Adapts the intervals to the directions and refits the splines on them.
void fit_intervals(const Rows& rows, RidgeSum& sum, int cells) {
  for (RidgeSpline& ridge : sum.ridges) {
    std::vector<double> heights(static_cast<std::size_t>(rows.size()));
    for (std::int64_t i = 0; i < rows.size(); ++i)
      heights[static_cast<std::size_t>(i)] = ridge(dot_product(ridge.direction, rows.row(i)));
    RidgeSpline again = ridge;
    if (std::isfinite(fit_spline(rows, heights, 1e-9, cells, again))) ridge = again;
  }
}

/// The ridge that explains most of the residual `left`.
RidgeSpline best_ridge(const Rows& rows, const Rows& left, const RidgeSplinesOptions& options,
                       base::RandomStream& random) {
  std::vector<std::vector<double>> directions = quadratic_directions(rows, left.y);
  for (int start = 0; start < options.starts; ++start) {
    directions.emplace_back();
    for (std::int64_t j = 0; j < rows.inputs(); ++j) directions.back().push_back(random.normal());
  }
  std::vector<std::pair<double, RidgeSpline>> found;
  for (std::vector<double>& direction : directions) {
    if (!normalise(direction)) continue;
    RidgeSpline ridge{direction, {}, {}, 0};
    const double error = fit_spline(rows, left.y, options.penalty, options.cells, ridge);
    if (std::isfinite(error)) found.emplace_back(error, std::move(ridge));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  RidgeSpline best;
  const LinearModel none{std::vector<double>(static_cast<std::size_t>(rows.inputs())), 0};
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < std::min<std::size_t>(found.size(), 3); ++k) {
    const RidgeSum refined = minimise(left, {{found[k].second}, none}, options.penalty, 12);
    const double error = refined.error(left);
    if (error >= least) continue;
    least = error;
    RidgeSum alone = refined;
    alone.absorb_linear();
    best = alone.ridges.front();
  }
  return best;
}

}  // namespace

bool normalise(std::vector<double>& direction) {
  const double length = std::sqrt(dot_product(direction, direction));
  if (!(length > 1e-12) || !std::isfinite(length)) return false;
  for (double& value : direction) value /= length;
  return true;
}

double RidgeSpline::operator()(double projection) const {
  const numerics::CubicSplinesAt at =
      numerics::CubicSplines(interval, static_cast<int>(heights.size()) - 3).at(projection);
  double value = 0;
  for (std::size_t a = 0; a < 4; ++a)
    value += at.value[a] * heights[static_cast<std::size_t>(at.first) + a];
  return value;
}

double RidgeSum::operator()(std::span<const double> x) const {
  double value = linear(x);
  for (const RidgeSpline& ridge : ridges) value += ridge(dot_product(ridge.direction, x));
  return value;
}

void RidgeSum::absorb_linear() {
  const auto inputs = static_cast<std::int64_t>(linear.slope.size());
  const auto count = static_cast<std::int64_t>(ridges.size());
  if (count == 0) return;
  tensor::Tensor<double> directions({inputs, count}), parts({count});
  for (std::int64_t j = 0; j < inputs; ++j)
    for (std::int64_t k = 0; k < count; ++k)
      directions[j * count + k] =
          ridges[static_cast<std::size_t>(k)].direction[static_cast<std::size_t>(j)];
  numerics::solve_least_squares(directions.rows(), linear.slope, parts.flat());
  for (std::int64_t k = 0; k < count; ++k) {
    RidgeSpline& ridge = ridges[static_cast<std::size_t>(k)];
    const auto cells = static_cast<double>(ridge.heights.size()) - 3;
    // The coefficients of t itself are the Greville abscissae.
    for (std::size_t m = 0; m < ridge.heights.size(); ++m)
      ridge.heights[m] += parts[k] * ridge.interval.at((static_cast<double>(m) - 1) / cells);
    for (std::size_t j = 0; j < linear.slope.size(); ++j)
      linear.slope[j] -= parts[k] * ridge.direction[j];
  }
  for (double& height : ridges.front().heights) height += linear.height;  // splines add up to one
  linear.height = 0;
}

double RidgeSum::error(const Rows& rows) const {
  double squares = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double residual = (*this)(rows.row(i)) - rows.y[static_cast<std::size_t>(i)];
    squares += residual * residual;
  }
  return squares / static_cast<double>(rows.size());
}

std::vector<RidgeSum> pursue_projections(const Rows& rows, const RidgeSplinesOptions& options,
                                         base::RandomStream& random) {
  std::vector<RidgeSum> sums;
  RidgeSum sum{{}, fit_linear(rows)};
  Rows left = rows;
  for (std::int64_t i = 0; i < rows.size(); ++i)
    left.y[static_cast<std::size_t>(i)] -= sum(rows.row(i));
  for (int k = 0; k < options.ridges; ++k) {
    const RidgeSpline next = best_ridge(rows, left, options, random);
    if (next.direction.empty()) break;
    sum.ridges.push_back(next);
    sum = minimise(rows, sum, options.penalty, 20);
    fit_intervals(rows, sum, options.cells);
    sum = minimise(rows, sum, options.penalty, 20);
    sums.push_back(sum);
    for (std::int64_t i = 0; i < rows.size(); ++i)
      left.y[static_cast<std::size_t>(i)] = rows.y[static_cast<std::size_t>(i)] - sum(rows.row(i));
  }
  return sums;
}

}  // namespace asap::region
