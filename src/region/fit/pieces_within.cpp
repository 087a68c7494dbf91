#include "region/fit/pieces_within.h"

#include <algorithm>
#include <cmath>

#include "region/certify/error_bounds.h"
#include "region/pieces/stabbing.h"

namespace asap::region {
namespace {

constexpr double kRounding = 1e-6;  // share of the tolerance that fewest_pieces() may lose
constexpr int kRounds = 8;          // of exchange
constexpr int kMostSamples = 1 << 21;

void add_place(Samples& samples, double x, double y) {
  const auto after = std::lower_bound(samples.x.begin(), samples.x.end(), x);
  if (after != samples.x.end() && *after == x) return;
  samples.y.insert(samples.y.begin() + (after - samples.x.begin()), y);
  samples.x.insert(after, x);
}

class FunctionPieces {
 public:
  FunctionPieces(const Target& target, const Expression& formula, double tolerance)
      : f_(target.truth), formula_(formula), tolerance_(tolerance) {
    const auto samples =
        following_samples(f_, target.interval, 1e-3 * tolerance, 2048, kMostSamples);
    if (samples) samples_ = *samples;
  }

  std::optional<PiecesWithin> run(int most_pieces) {
    if (samples_.x.empty()) return std::nullopt;
    const auto relaxed =
        fewest_pieces(samples_, (1 + kRounding) * tolerance_, most_pieces, Within::samples);
    if (!relaxed) return std::nullopt;
    for (const double margin : {2e-3, 1e-2, 0.1}) {
      auto found = exchange((1 - margin) * tolerance_, most_pieces);
      if (!found) continue;
      found->fewest = static_cast<int>(relaxed->pieces());
      return found;
    }
    return std::nullopt;
  }

 private:
  std::optional<PiecesWithin> exchange(double inner, int most_pieces) {
    Samples samples = samples_;
    for (int round = 0; round < kRounds; ++round) {
      const auto trial = fewest_pieces(samples, inner, most_pieces, Within::chords);
      if (!trial) return std::nullopt;
      const MaximumErrorBounds bounds =
          bound_maximum_error(formula_, *trial, {.gap = 1e-9, .tolerance = tolerance_});
      if (bounds.within(tolerance_)) return PiecesWithin{*trial, bounds.upper, 0};
      if (!(bounds.lower > tolerance_)) return std::nullopt;  // not proved
      add_place(samples, bounds.x, f_(bounds.x));
    }
    return std::nullopt;
  }

  const numerics::Curve& f_;
  const Expression& formula_;
  double tolerance_;
  Samples samples_;
};

}  // namespace

std::optional<PiecesWithin> pieces_within(const Target& target, const Expression* formula,
                                          double tolerance, int most_pieces, double margin) {
  if (formula) return FunctionPieces(target, *formula, tolerance).run(most_pieces);
  const Samples& samples = target.samples;
  Samples middles{samples.x, samples.y, {}};
  std::vector<double> half_range(target.spread.size());
  for (std::size_t i = 0; i < half_range.size(); ++i) {
    middles.y[i] = target.spread.middle(i);
    half_range[i] = target.spread.half_range(i);
  }
  const auto line = fewest_pieces(middles, half_range, (1 - margin) * tolerance, most_pieces);
  if (!line) return std::nullopt;
  std::vector<double> values(samples.x.size());
  std::ranges::transform(samples.x, values.begin(), [&](double x) { return (*line)(x); });
  return PiecesWithin{*line, max_error(samples, target.spread, values),
                      static_cast<int>(line->pieces())};
}

}  // namespace asap::region
