#include "region/fit/cross_validation.h"

#include <algorithm>
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

}  // namespace

std::map<int, double> cross_validated(const Samples& samples, int most_pieces,
                                      const PiecesSearch& search) {
  std::map<int, double> sums;
  std::map<int, std::size_t> counts;
  double total = 0;
  std::size_t folds = 0;
  for (std::size_t index = 0; index < kFolds; ++index) {
    const Fold fold = fold_of(samples, index);
    if (fold.held.x.empty() || fold.training.size() < 2) continue;
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
    ++folds;
  }
  std::map<int, double> errors;
  for (const auto& [pieces, sum] : sums)
    if (counts[pieces] == folds) errors[pieces] = sum / total;
  return errors;
}

}  // namespace asap::region
