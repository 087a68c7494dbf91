#include "region/fit/narrow_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>

#include "base/parallel.h"
#include "region/family/family_fit.h"
#include "region/family/linear_part.h"
#include "region/family/spline.h"
#include "region/fit/continued_ends.h"
#include "region/fit/guide_samples.h"
#include "region/fit/unit_scaling.h"

namespace asap::region {
namespace {

/// Drops tents below the rounding of y, which would only perturb the slopes.
void drop_rounding(FoldedFunction& function) {
  for (FoldedWindow& window : function.windows)
    for (double& scale : window.scales)
      if (std::abs(scale) < 1e-13) scale = 0;
}

/// The work of the recipe, reduced for networks larger than the one it was designed for.
struct Effort {
  int samples, starts, first_hops, last_hops;
};

Effort plan_effort(const FitOptions& options, std::int64_t width) {
  constexpr double kReference = 93.0 * 93.0 * 1000.0;
  Effort effort{};
  effort.samples = 1000 << std::clamp(options.depth - 5, 0, 2);
  const double size =
      static_cast<double>(NetworkShape::uniform(options.depth, width).parameter_count());
  const double part = std::min(1.0, kReference / (size * size * effort.samples));
  const auto share = [part](int full, int least) {
    return std::max(std::min(full, least), static_cast<int>(std::lround(full * part)));
  };
  effort.starts = share(options.starts, 3);
  effort.first_hops = share(options.first_hops, 1);
  effort.last_hops = share(options.last_hops, 2);
  return effort;
}

/// Hops rarely lower an error by more than this.
constexpr double kHopeless = 30;

/// Deeper families have more pieces than polishing has samples.
constexpr int kDeepestPolish = 9;

class NarrowFit {
 public:
  NarrowFit(const Target& unit, const FitOptions& options, double rival)
      : unit_(unit),
        options_(options),
        rival_(rival),
        width_(family_width(std::max(options.fold, 2), 1)),
        effort_(plan_effort(options, width_)),
        samples_(unit.noise_variance > 0 ? bin_samples(unit.samples, effort_.samples)
                                         : guide_samples(unit, effort_.samples)),
        dense_(guide_samples(unit, kDensePoints)) {
    steps_ = effort_.starts * 3 + 3 * effort_.first_hops + effort_.last_hops;
  }

  Fit run() { return unit_.noise_variance > 0 ? noisy() : clean(); }

  /// Hops from a network of the same shape, or of fewer layers. No worse than the start.
  Fit from(const ReluNetwork& start) {
    std::vector<PolishedWeights> candidates(1);
    const auto first = polisher();
    candidates[0] = first->measured(WeightsModel::parameters_of(deepened(start, options_.depth)));
    hop(candidates, effort_.last_hops, 4);
    return {first->network(candidates[0]), std::nullopt, "best, polished weights"};
  }

 private:
  int fold_of(int start) const {
    if (options_.fold > 0) return options_.fold;
    const bool three_fit = 2 * std::pow(3, options_.depth) <= effort_.samples;
    return three_fit && start % 4 != 3 ? 3 : 2;
  }

  base::RandomStream stream(int purpose, int index) const {
    return {options_.seed, base::RandomPurpose::region,
            static_cast<std::uint32_t>(Method::best) * 16 + static_cast<std::uint32_t>(purpose),
            static_cast<std::uint32_t>(index)};
  }

  void advance(int steps) {
    const std::lock_guard lock(mutex_);
    done_ += steps;
    if (options_.progress) options_.progress(std::min(1.0, static_cast<double>(done_) / steps_));
  }

  std::unique_ptr<Polisher> polisher(double jitter = PolishOptions().jitter) const {
    PolishOptions options;
    options.jitter = jitter;
    return std::make_unique<Polisher>(
        samples_, dense_, NetworkShape::uniform(options_.depth, width_).widths, options);
  }

  FamilyFit family_start(int start) const {
    base::RandomStream random = stream(0, start);
    // The first start is close to the folding itself; the noise grows from .02 to .2.
    const double noise = 0.02 * std::pow(10.0, static_cast<double>(start) / effort_.starts);
    return fit_family(unit_.curve, samples_, options_.depth, fold_of(start), noise, random);
  }

  void hop(std::vector<PolishedWeights>& candidates, int hops, int purpose) {
    const auto count = static_cast<std::int64_t>(candidates.size());
    base::parallel_for(count, options_.threads, [&](std::int64_t index, int) {
      base::RandomStream random = stream(purpose, static_cast<int>(index));
      const auto polish = polisher();
      for (int h = 0; h < hops; ++h) {
        polish->hop(candidates[static_cast<std::size_t>(index)], 1, random);
        advance(1);
      }
    });
    sort(candidates);
  }

  void sort(std::vector<PolishedWeights>& candidates) const {
    const auto better = [](const PolishedWeights& a, const PolishedWeights& b) {
      return a.guarded != b.guarded ? a.guarded : a.error < b.error;
    };
    std::stable_sort(candidates.begin(), candidates.end(), better);
  }

  std::vector<PolishedWeights> polish_all(const std::vector<FamilyFit>& families) {
    std::vector<PolishedWeights> candidates(families.size());
    const auto count = static_cast<std::int64_t>(families.size());
    base::parallel_for(count, options_.threads, [&](std::int64_t index, int) {
      const auto at = static_cast<std::size_t>(index);
      base::RandomStream random = stream(1, static_cast<int>(index));
      // Functions that bend only in one corner need more noise to leave the kinks of the folding.
      const double jitter = index % 2 == 0 ? 3e-3 : 1e-2;
      candidates[at] = polisher(jitter)->polish(to_network(families[at].function), random);
      advance(3);
    });
    sort(candidates);
    if (candidates.size() > 3) candidates.resize(3);
    if (candidates.front().error > kHopeless * rival_) return candidates;
    hop(candidates, effort_.first_hops, 2);
    candidates.resize(1);
    hop(candidates, effort_.last_hops, 3);
    return candidates;
  }

  Fit clean() {
    std::vector<FamilyFit> families(static_cast<std::size_t>(effort_.starts));
    // Not in parallel: the guide may be a parser, which belongs to one thread.
    for (int start = 0; start < effort_.starts; ++start)
      families[static_cast<std::size_t>(start)] = family_start(start);
    const auto least =
        std::min_element(families.begin(), families.end(),
                         [](const FamilyFit& a, const FamilyFit& b) { return a.error < b.error; });
    if (options_.depth <= kDeepestPolish && least->error > kExact) {
      const PolishedWeights best = polish_all(families).front();
      if (best.guarded && best.error < least->error)
        return {polisher()->network(best), std::nullopt, "best, polished weights"};
    }
    drop_rounding(least->function);
    return {to_network(least->function, Ends::continued), least->function, "best, folded family"};
  }

  /// Mallows' C_p in units of y: the weighted sum of squares on the samples plus twice the noise
  /// that the parameters absorb.
  double penalised(double error, std::int64_t parameters) const {
    return error * samples_.total_weight() +
           2 * static_cast<double>(parameters) * unit_.noise_variance;
  }

  Fit noisy() {
    FamilyFit best;
    std::int64_t freedom = 0;
    double least = std::numeric_limits<double>::infinity();
    for (const int fold :
         options_.fold > 0 ? std::vector<int>{options_.fold} : std::vector<int>{2, 3}) {
      base::RandomStream random = stream(0, fold);
      FamilyFit fit = fit_family(unit_.curve, samples_, options_.depth, fold, 0, random);
      const std::int64_t parameters = 2 + 2 * std::int64_t{options_.depth} * (fold - 1);
      const double cost = penalised(fit.error, parameters);
      if (cost >= least) continue;
      freedom = parameters;
      least = cost;
      best = std::move(fit);
    }
    fit_linear_part(best.function, unit_.samples);
    const double bins = static_cast<double>(samples_.size());
    const double explained = unit_.noise_variance * (bins + 3 * std::sqrt(2 * bins));
    Fit fit{to_network(best.function, Ends::continued), best.function,
            "best, folded family fitted to noisy points", freedom};
    const double least_error = std::min(best.error, rival_) * samples_.total_weight();
    if (least_error <= explained || options_.depth > kDeepestPolish) return fit;
    const PolishedWeights polished = polish_all({best}).front();
    freedom = NetworkShape::uniform(options_.depth, width_).parameter_count() -
              std::int64_t{options_.depth} * width_;
    if (polished.guarded && penalised(polished.error, freedom) < least)
      fit = {polisher()->network(polished), std::nullopt, "best, weights polished on noisy points",
             freedom};
    return fit;
  }

  const Target& unit_;
  const FitOptions& options_;
  double rival_;
  std::int64_t width_;
  Effort effort_;
  Samples samples_, dense_;
  std::mutex mutex_;
  int done_ = 0, steps_ = 1;
};

}  // namespace

Fit unit_narrow_fit(const Target& unit, const FitOptions& options, double rival) {
  return NarrowFit(unit, options, rival).run();
}

Fit unit_narrow_fit_from(const ReluNetwork& start, const Target& unit, const FitOptions& options) {
  return NarrowFit(unit, options, kNoRival).from(start);
}

Fit narrow_fit(const Target& target, const FitOptions& options) {
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  Fit fit = unit_narrow_fit(unit, options);
  if (options.continue_ends) fit.network = with_continued_ends(fit.network, unit.interval);
  return scaling.unscaled(std::move(fit));
}

}  // namespace asap::region
