#include "region/target/target.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "base/text.h"
#include "region/family/spline.h"
#include "region/target/formula.h"

namespace asap::region {
namespace {

/// Whether float64 numbers tell pieces of the interval apart.
bool has_room(numerics::Interval interval) {
  const double size = std::max(std::abs(interval.low), std::abs(interval.high));
  return interval.length() >= 1e-9 * size;
}

void check_domain(numerics::Interval interval) {
  check_interval(interval);
  if (!has_room(interval))
    throw base::UsageError("`interval` is too short for float64 at its distance from zero",
                           "subtract an offset from x");
}

void check_finite(const std::string& name, const numerics::Curve& f, numerics::Interval interval) {
  for (int i = 0; i < kDensePoints; ++i) {
    const double x = interval.at(static_cast<double>(i) / (kDensePoints - 1)), y = f(x);
    if (!std::isfinite(y))
      throw base::NumericalError("'" + name + "' is " +
                                     (std::isnan(y) ? "not a number" : "infinite") +
                                     " at x = " + base::format_number(x),
                                 "choose an `interval` on which the function is finite");
  }
}

/// The formula of a built-in name; other texts are formulas themselves.
std::string formula_of(const std::string& text) {
  for (const PaperTarget& paper : paper_targets())
    if (text == paper.name) return paper.formula;
  return text;
}

/// Leaves out the points outside the interval.
void keep_inside(numerics::Interval interval, PointsFile& file) {
  PointsFile kept;
  const Samples& all = file.samples;
  for (std::size_t at = 0; at < all.x.size(); ++at) {
    if (all.x[at] < interval.low || all.x[at] > interval.high) continue;
    kept.samples.x.push_back(all.x[at]);
    kept.samples.y.push_back(all.y[at]);
    if (!all.weight.empty()) kept.samples.weight.push_back(all.weight[at]);
    if (file.spread.empty()) continue;
    kept.spread.low.push_back(file.spread.low[at]);
    kept.spread.high.push_back(file.spread.high[at]);
    kept.spread.variance.push_back(file.spread.variance[at]);
  }
  file.samples = std::move(kept.samples);
  file.spread = std::move(kept.spread);
}

}  // namespace

void check_interval(numerics::Interval interval) {
  if (interval.low < interval.high && std::isfinite(interval.length())) return;
  throw base::UsageError("`interval` " + base::format_number(interval.low) + " " +
                             base::format_number(interval.high) +
                             ": the first number must be the smaller one",
                         "for example `interval` 0 1");
}

Samples even_samples(const numerics::Curve& f, numerics::Interval interval, int count) {
  Samples samples;
  for (int i = 0; i < count; ++i) {
    samples.x.push_back(interval.at(static_cast<double>(i) / (count - 1)));
    samples.y.push_back(f(samples.x.back()));
  }
  return samples;
}

Samples midpoints(const numerics::Curve& f, numerics::Interval interval, int count) {
  Samples samples;
  for (int i = 0; i < count; ++i) {
    samples.x.push_back(interval.at((i + 0.5) / count));
    samples.y.push_back(f(samples.x.back()));
  }
  return samples;
}

Target function_target(const std::string& formula, numerics::Interval interval, int points) {
  check_domain(interval);
  if (points < 4)
    throw base::UsageError("`points` " + std::to_string(points) + ": at least four are needed");
  Target target;
  target.name = formula;
  target.interval = interval;
  target.formula = formula_of(formula);
  target.truth = target.curve = compile_formula(target.formula);
  check_finite(formula, target.truth, interval);
  target.samples = even_samples(target.truth, interval, points);
  require_moderate(target.samples, formula);
  return target;
}

Target points_target(std::string name, Samples samples) {
  Target target;
  target.name = std::move(name);
  target.interval = {samples.x.front(), samples.x.back()};
  require_moderate(samples, target.name);
  if (!has_room(target.interval))
    throw base::DataError(target.name + ": x from " + base::format_number(samples.x.front()) +
                              " to " + base::format_number(samples.x.back()) +
                              " is too short for float64 at its distance from zero",
                          "subtract an offset from x");
  target.noise_variance = noise_variance(samples);
  if (target.noise_variance > 0) {
    target.curve = smoothing_curve(samples, target.noise_variance);
    target.notes.push_back("the points are noisy, standard deviation about " +
                           base::format_significant(std::sqrt(target.noise_variance)) +
                           (samples.weight.empty() ? "" : " at weight one"));
  } else {
    const Samples binned = bin_samples(samples, kDensePoints - 1);
    target.curve = CubicSpline(binned.x, binned.y);
  }
  target.samples = std::move(samples);
  return target;
}

Target noted_target(std::string name, PointsFile file) {
  Target target = points_target(std::move(name), std::move(file.samples));
  target.spread = std::move(file.spread);
  target.notes.insert(target.notes.begin(), file.notes.begin(), file.notes.end());
  return target;
}

PointsFile data_points(std::string_view bytes, const std::string& source,
                       const std::optional<numerics::Interval>& interval,
                       const ChosenColumns& chosen, int fewest) {
  PointsFile file = parse_points(bytes, source, chosen, fewest);
  if (interval) {
    check_domain(*interval);
    const std::int64_t all = file.samples.size();
    keep_inside(*interval, file);
    require_points(
        file.samples, fewest,
        source + ": " + base::counted(file.samples.size(), "point") + " inside `interval`",
        "leave `interval` out to use all points");
    if (file.samples.size() < all)
      file.notes.push_back(base::counted(all - file.samples.size(), "point") +
                           " outside the interval left out");
    if (file.samples.x.front() > interval->low || file.samples.x.back() < interval->high)
      file.notes.push_back("the interval reaches beyond the points: the fit ends where they do");
  }
  return file;
}

Target data_target(const std::filesystem::path& path,
                   const std::optional<numerics::Interval>& interval, const ChosenColumns& chosen) {
  const std::string source = path.string();
  PointsFile file = data_points(base::read_file(path), source, interval, chosen, kFewestPoints);
  require_moderate(file.samples, source, chosen);
  return noted_target(source, std::move(file));
}

Target data_target(std::string name, Samples points) {
  PointsFile file = prepare_points(std::move(points), name);
  return noted_target(std::move(name), std::move(file));
}

const std::vector<PaperTarget>& paper_targets() {
  static const std::vector<PaperTarget> targets = {
      {"x3", "x^3", {0, 1}, 500, false},
      {"x11", "x^11", {0, 1}, 500, false},
      {"x3-10", "x^3", {0, 1}, 10, true},
      {"x11-10", "x^11", {0, 1}, 10, true},
      {"sin-10", "sin(x)", {0, std::numbers::pi / 2}, 10, true},
      {"tanh-10", "tanh(3*x)", {0, 1}, 10, true},
  };
  return targets;
}

const PaperTarget& paper_target(const std::string& name) {
  std::vector<std::string> names;
  for (const PaperTarget& paper : paper_targets()) {
    if (paper.name == name) return paper;
    names.emplace_back(paper.name);
  }
  throw base::UsageError("unknown target '" + name + "'", base::suggestion(name, names));
}

Target paper_points(const PaperTarget& paper) {
  const numerics::Curve f = compile_formula(paper.formula);
  Target target = points_target(paper.name, even_samples(f, paper.interval, paper.points));
  return target;
}

}  // namespace asap::region
