#include "region/fit/methods.h"

#include <cmath>

#include "base/counted.h"
#include "base/error.h"
#include "base/text.h"
#include "region/family/family_model.h"
#include "region/fit/adam_fit.h"
#include "region/fit/best_fit.h"
#include "region/fit/unit_scaling.h"

namespace asap::region {
namespace {

constexpr std::pair<const char*, Method> kMethods[] = {
    {"kaiming", Method::kaiming}, {"raai", Method::raai},     {"skip", Method::skip},
    {"free", Method::free},       {"smooth", Method::smooth}, {"best", Method::best}};

constexpr std::int64_t kWidth = 4;
constexpr AdamOptions kPretraining{1500, 1e-2};
constexpr AdamOptions kTraining{5000, 1e-3};

/// The amplitude at which pretraining starts, in amplitudes of the target. Random peaks are wrong
/// at first. At the full amplitude, strongly bent targets push them into poor places before the
/// amplitude has shrunk.
constexpr double kFirstAmplitude = 1.0 / 3.0;

/// F'(0) - F'(1) on the unit interval, from the first and last two points; 1 when they are equal.
double slope_difference(const Samples& samples) {
  const std::size_t n = samples.x.size();
  const double length = samples.x.back() - samples.x.front();
  const double first = (samples.y[1] - samples.y[0]) / (samples.x[1] - samples.x[0]);
  const double last = (samples.y[n - 1] - samples.y[n - 2]) / (samples.x[n - 1] - samples.x[n - 2]);
  const double difference = (first - last) * length;
  return std::abs(difference) > 1e-6 ? difference : 1;
}

/// The paper's first two stages: random peaks in (1/4, 3/4), then Adam on the parameterisation
/// unless the method skips it.
FoldedFunction pretrained(const Target& target, const FitOptions& options,
                          base::RandomStream& random) {
  const bool free = options.method == Method::free;
  const double amplitude = slope_difference(target.samples);
  FamilyModel smooth(target.samples, target.interval, options.depth, 2, ScaleRule::smooth,
                     amplitude);
  std::vector<double> peaks;
  for (int i = 0; i <= options.depth; ++i) peaks.push_back(random.uniform(0.25, 0.75));
  const double first = options.method == Method::smooth ? kFirstAmplitude * amplitude : amplitude;
  std::vector<double> parameters =
      smooth.parameters_of(peaks, first, target.samples.y.front(), target.samples.y.back());
  if (options.method == Method::smooth) adam_fit(smooth, parameters, kPretraining);
  FoldedFunction function = smooth.function(parameters);
  if (!free) return function;
  FamilyModel model(target.samples, target.interval, options.depth, 2, ScaleRule::free);
  parameters = model.parameters_of(function);
  adam_fit(model, parameters, kPretraining);
  return model.function(parameters);
}

Fit adam_method(const Target& target, const FitOptions& options) {
  base::RandomStream random(options.seed, base::RandomPurpose::region,
                            static_cast<std::uint32_t>(options.method));
  // In units in which x and y have range one.
  const UnitScaling scaling(target);
  const Target unit = scaling.scaled(target);
  const NetworkShape shape = NetworkShape::uniform(options.depth, kWidth);
  WeightsModel model(unit.samples, shape.widths);
  std::vector<double> parameters =
      options.method == Method::kaiming ? kaiming_parameters(shape, random)
      : options.method == Method::raai
          ? asymmetric_parameters(shape, random)
          : WeightsModel::parameters_of(to_network(pretrained(unit, options, random)));
  adam_fit(model, parameters, kTraining);
  Fit fit;
  fit.network = scaling.unscaled(model.network(parameters));
  fit.description = std::string(method_name(options.method)) + ", Adam";
  return fit;
}

}  // namespace

const char* method_name(Method method) {
  for (const auto& [name, value] : kMethods)
    if (value == method) return name;
  throw base::InternalError("method_name: unknown method");
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : kMethods) names.emplace_back(name);
  return names;
}

Method method_from_name(const std::string& name) {
  for (const auto& [known, value] : kMethods)
    if (name == known) return value;
  throw base::UsageError("unknown method '" + name + "'", base::suggestion(name, method_names()));
}

std::int64_t family_width(int fold, int windows) {
  return windows > 1 ? std::int64_t{fold} * windows + 1 : std::max(fold + 1, 4);
}

void check_size(int depth, int fold, int windows) {
  if (depth < 1)
    throw base::UsageError("`depth` " + std::to_string(depth) + ": at least 1 is needed");
  if (fold < 2 || fold > 16)
    throw base::UsageError("`fold` " + std::to_string(fold) + ": expected 2 to 16 pieces");
  if (windows < 1)
    throw base::UsageError("`windows` " + std::to_string(windows) + ": at least 1 is needed");
  // A level adds about fold^-2 of the one before it: below 2^-52 it is lost in float64.
  const int deepest = static_cast<int>(26 / std::log2(fold));
  if (depth > deepest)
    throw base::UsageError("`depth` " + std::to_string(depth) + " with " +
                               base::counted(fold, "piece") + " per level: levels beyond " +
                               std::to_string(deepest) + " are smaller than float64 can hold",
                           "use a smaller `depth`; more `windows` give more pieces, too");
  const double pieces = windows * std::pow(fold, depth);
  constexpr double kMostPieces = 1 << 22;
  if (pieces > kMostPieces)
    throw base::UsageError(base::format_number(pieces) +
                               " pieces (windows times fold to the power of depth) are " +
                               "more than " + base::format_number(kMostPieces),
                           "use a smaller `depth`, `fold` or `windows`");
  constexpr double kMostParameters = 5e7;
  const auto width = static_cast<double>(family_width(fold, windows));
  if (3 * width + (depth - 1) * width * (width + 1) > kMostParameters)
    throw base::UsageError("a network of width " + base::format_number(width) + " and depth " +
                               std::to_string(depth) + " has too many weights",
                           "use fewer `windows`");
}

Fit fit_network(const Target& target, const FitOptions& options) {
  check_size(options.depth, std::max(options.fold, 2), 1);
  if (options.method == Method::best) return best_fit(target, options);
  if (options.fold > 2)
    throw base::UsageError("`fold` " + std::to_string(options.fold) + " with `method` " +
                               method_name(options.method) + ": the paper's methods fold in two",
                           "use `method` best");
  Fit fit = adam_method(target, options);
  if (options.progress) options.progress(1);
  return fit;
}

}  // namespace asap::region
