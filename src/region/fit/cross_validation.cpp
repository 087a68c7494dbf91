#include "region/fit/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "region/pieces/piecewise_network.h"

namespace asap::region {
namespace {

constexpr std::size_t kFolds = 5;
constexpr std::size_t kFoldPatience = 12;  // fits without a gain, or half as many as before

struct Fold {
  Samples training, held;
};

Fold fold_of(const Samples& samples, std::size_t index) {
  Fold fold;
  const std::size_t count = samples.x.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool held = i % kFolds == index && i > 0 && i + 1 < count;
    Samples& part = held ? fold.held : fold.training;
    part.x.push_back(samples.x[i]);
    part.y.push_back(samples.y[i]);
    part.weight.push_back(samples.weight_at(static_cast<std::int64_t>(i)));
  }
  return fold;
}

/// Folds that leave out some points, and not too many.
std::vector<Fold> folds_of(const Samples& samples) {
  std::vector<Fold> folds;
  for (std::size_t index = 0; index < kFolds; ++index) {
    Fold fold = fold_of(samples, index);
    if (!fold.held.x.empty() && fold.training.size() >= 2) folds.push_back(std::move(fold));
  }
  return folds;
}

}  // namespace

std::map<int, double> cross_validated(const Samples& samples, int most_pieces,
                                      const PiecesSearch& search) {
  std::map<int, double> sums;
  std::map<int, std::size_t> counts;
  double total = 0;
  const std::vector<Fold> folds = folds_of(samples);
  for (const Fold& fold : folds) {
    const double weight = fold.held.total_weight();
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    const auto enough = [&](const std::vector<PiecewiseFit>& fits) {
      const double error = mean_squared_error(fits.back().function, fold.held);
      const auto pieces = static_cast<int>(fits.back().function.pieces());
      sums[pieces] += weight * error;
      ++counts[pieces];
      if (error < least) {
        least = error;
        best = fits.size();
      }
      return fits.size() > best + std::max(kFoldPatience, best / 2);
    };
    search(fold.training, most_pieces, enough);
    total += weight;
  }
  std::map<int, double> errors;
  for (const auto& [pieces, sum] : sums)
    if (counts[pieces] == folds.size()) errors[pieces] = sum / total;
  return errors;
}

std::vector<double> cross_validated(const Samples& samples, const LineFits& fits) {
  std::vector<double> errors;
  double total = 0;
  for (const Fold& fold : folds_of(samples)) {
    const std::vector<PiecewiseLinear> lines = fits(fold.training);
    const double weight = fold.held.total_weight();
    errors.resize(lines.size());
    for (std::size_t k = 0; k < lines.size(); ++k)
      errors[k] += weight * mean_squared_error(lines[k], fold.held);
    total += weight;
  }
  for (double& error : errors) error /= total;
  return errors;
}

double sureness_of_second(const Samples& samples, const LineFits& two) {
  double count = 0, mean = 0, squares = 0;  // of the gains
  for (const Fold& fold : folds_of(samples)) {
    const std::vector<PiecewiseLinear> lines = two(fold.training);
    for (std::size_t i = 0; i < fold.held.x.size(); ++i) {
      const double x = fold.held.x[i], y = fold.held.y[i];
      const double first = lines[0](x) - y, second = lines[1](x) - y;
      const double gain = fold.held.weight[i] * (first * first - second * second);
      const double step = gain - mean;
      mean += step / ++count;
      squares += step * (gain - mean);
    }
  }
  if (!(mean > 0)) return 0;
  return squares > 0 ? mean * count / std::sqrt(squares) : std::numeric_limits<double>::infinity();
}

}  // namespace asap::region
