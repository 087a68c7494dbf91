#include "region/ridge/sum_choice.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/parallel.h"
#include "region/ridge/error_gain.h"

namespace asap::region {
namespace {

constexpr std::size_t kMostRidges = 8;
constexpr double kPenalties[] = {1e-7, 1e-4, 1e-2, 1.0};
constexpr std::size_t kPenaltyCount = std::size(kPenalties);
constexpr std::int64_t kFewRows = 400;  // of validation: then by cross-validation
constexpr std::int64_t kParts = 5;

/// Squared errors on rows that a fit has not seen.
using Errors = std::vector<double>;

Errors squared_errors(const RidgeSum& sum, const Rows& rows) {
  Errors errors;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double residual = sum(rows.row(i)) - rows.y[static_cast<std::size_t>(i)];
    errors.push_back(residual * residual);
  }
  return errors;
}

double mean_of(const Errors& errors) {
  double mean = 0;
  for (const double error : errors) mean += error / static_cast<double>(errors.size());
  return mean;
}

double standard_error(const Errors& errors) {
  const double mean = mean_of(errors), count = static_cast<double>(errors.size());
  double squares = 0;
  for (const double error : errors) squares += (error - mean) * (error - mean) / count;
  return std::sqrt(squares / count);
}

Errors difference_of(const Errors& a, const Errors& b) {
  Errors difference(a);
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] -= b[i];
  return difference;
}

Rows rows_at(const Rows& rows, std::span<const std::int64_t> indices) {
  Rows chosen{tensor::Tensor<double>({static_cast<std::int64_t>(indices.size()), rows.inputs()}),
              {}};
  for (std::size_t k = 0; k < indices.size(); ++k) {
    std::ranges::copy(rows.row(indices[k]),
                      chosen.x.data() + static_cast<std::int64_t>(k) * rows.inputs());
    chosen.y.push_back(rows.y[static_cast<std::size_t>(indices[k])]);
  }
  return chosen;
}

/// The rows whose index has, or has not, this remainder.
Rows part_of(const Rows& all, std::int64_t remainder, bool inside) {
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < all.size(); ++i)
    if ((i % kParts == remainder) == inside) chosen.push_back(i);
  return rows_at(all, chosen);
}

Rows joined(const Rows& a, const Rows& b) {
  Rows all{tensor::Tensor<double>({a.size() + b.size(), a.inputs()}), a.y};
  std::ranges::copy(a.x.flat(), all.x.data());
  std::ranges::copy(b.x.flat(), all.x.data() + a.size() * a.inputs());
  all.y.insert(all.y.end(), b.y.begin(), b.y.end());
  return all;
}

class Chooser {
 public:
  Chooser(const LearningRows& rows, const RidgeFitOptions& options)
      : rows_(rows), options_(options) {}

  SumChoice run() {
    const std::vector<std::vector<RidgeSum>> sums = pursue_all(rows_.training);
    if (rows_.validation.size() >= kFewRows)
      judge(sums, fit_linear(rows_.training), rows_.validation);
    else
      cross_validate();
    return choose(sums);
  }

 private:
  /// A candidate.
  struct Place {
    std::size_t penalty, ridges;  ///< indices into errors_
  };

  std::vector<RidgeSum> pursue(const Rows& rows, std::size_t penalty, std::size_t ridges) const {
    base::RandomStream random(options_.seed, base::RandomPurpose::region, 0x10000U, 0);
    RidgeSplinesOptions pursuit;
    pursuit.ridges = static_cast<int>(ridges);
    pursuit.penalty = kPenalties[penalty];
    return pursue_projections(rows, pursuit, random);
  }

  /// The sums of 1, 2, ... ridges for every penalty.
  std::vector<std::vector<RidgeSum>> pursue_all(const Rows& rows) const {
    std::vector<std::vector<RidgeSum>> sums(kPenaltyCount);
    const std::size_t most =
        options_.ridges > 0 ? static_cast<std::size_t>(options_.ridges) : kMostRidges;
    base::parallel_for(static_cast<std::int64_t>(kPenaltyCount), options_.threads,
                       [&](std::int64_t index, int) {
                         const auto p = static_cast<std::size_t>(index);
                         sums[p] = pursue(rows, p, most);
                       });
    return sums;
  }

  /// Adds the errors of all candidates on rows that they have not seen.
  void judge(const std::vector<std::vector<RidgeSum>>& sums, const LinearModel& linear,
             const Rows& unseen) {
    const auto append = [](Errors& to, const Errors& more) {
      to.insert(to.end(), more.begin(), more.end());
    };
    errors_.resize(kPenaltyCount);
    append(linear_errors_, squared_errors({{}, linear}, unseen));
    for (std::size_t p = 0; p < kPenaltyCount; ++p) {
      if (linear_errors_.size() == static_cast<std::size_t>(unseen.size()))
        errors_[p].resize(sums[p].size());
      // A number of ridges that some part does not have is no candidate.
      errors_[p].resize(std::min(errors_[p].size(), sums[p].size()));
      for (std::size_t k = 0; k < errors_[p].size(); ++k)
        append(errors_[p][k], squared_errors(sums[p][k], unseen));
    }
  }

  void cross_validate() {
    const Rows all = joined(rows_.training, rows_.validation);
    for (std::int64_t part = 0; part < kParts; ++part) {
      const Rows seen = part_of(all, part, false);
      judge(pursue_all(seen), fit_linear(seen), part_of(all, part, true));
    }
  }

  SumChoice choose(const std::vector<std::vector<RidgeSum>>& sums) const {
    std::vector<Place> places;
    for (std::size_t p = 0; p < kPenaltyCount; ++p) {
      const std::size_t count = std::min(sums[p].size(), errors_[p].size());
      const std::size_t first = options_.ridges > 0 && count > 0 ? count - 1 : 0;
      for (std::size_t k = first; k < count; ++k) places.push_back({p, k});
    }
    if (places.empty())
      throw base::NumericalError("no direction in which the target changes was found",
                                 "is the target a constant?");
    const auto errors = [&](const Place& place) -> const Errors& {
      return errors_[place.penalty][place.ridges];
    };
    const Place least = *std::ranges::min_element(
        places, {}, [&](const Place& place) { return mean_of(errors(place)); });
    const double limit = mean_of(errors(least)) + standard_error(errors(least));
    Place best = least;
    for (const Place& place : places) {
      const double error = mean_of(errors(place));
      if (error > limit) continue;
      if (place.ridges < best.ridges ||
          (place.ridges == best.ridges && error < mean_of(errors(best))))
        best = place;
    }
    const Errors gain = difference_of(linear_errors_, errors(best));
    return {sums[best.penalty][best.ridges], fit_linear(rows_.training), sureness_of(gain) > 2};
  }

  LearningRows rows_;
  const RidgeFitOptions& options_;
  std::vector<std::vector<Errors>> errors_;  // [penalty][ridges - 1]
  Errors linear_errors_;
};

}  // namespace

SumChoice choose_sum(const LearningRows& rows, const RidgeFitOptions& options) {
  return Chooser(rows, options).run();
}

}  // namespace asap::region
