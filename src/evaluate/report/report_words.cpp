#include "evaluate/report/report_words.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/text.h"
#include "evaluate/draw/svg_chart.h"

namespace asap::evaluate {
namespace {

constexpr double kSameTime = 0.05;  // relative; below, timings do not differ

std::string percent(double fraction) { return base::format_fixed(100 * fraction, 2) + "\u00a0%"; }

/// Two standard errors of a difference of two fractions of so many examples, at its most: what a
/// smaller difference says is nothing.
double noise(const Comparison& comparison, double accuracy) {
  return 2 * std::sqrt(2 * accuracy * (1 - accuracy) /
                       static_cast<double>(std::max<std::int64_t>(comparison.examples, 1)));
}

/// "a, b and c"
std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return base::join(names, "");
  return base::join(std::span(names).first(names.size() - 1), ", ") + " and " + names.back();
}

std::string accuracy_words(const Comparison& comparison, const MethodResult& compiled,
                           const MethodResult& teacher) {
  const double change = compiled.accuracy - teacher.accuracy;
  const std::string from_to =
      " (" + percent(teacher.accuracy) + " to " + percent(compiled.accuracy) + ")";
  std::string words = "The compiled operator predicts what the teacher predicts in " +
                      percent(compiled.agreement) + " of the cases; accuracy ";
  if (std::abs(change) < noise(comparison, teacher.accuracy))
    words += "stays the same" + from_to + " within what " +
             base::format_count(comparison.examples) + " " + comparison.examples_name +
             " can tell.";
  else
    words += (change > 0 ? "rises by " : "falls by ") +
             base::format_fixed(100 * std::abs(change), 2) + " points" + from_to + ".";
  return words;
}

std::string time_words(const MethodResult& compiled, const MethodResult& teacher) {
  const double ratio = teacher.attention_milliseconds / compiled.attention_milliseconds;
  if (ratio > 1 + kSameTime)
    return "Its attention is " + base::format_fixed(ratio, 2) + " times as fast as the teacher's.";
  if (ratio > 1 - kSameTime) return "Its attention takes the time of the teacher's.";
  return "Its attention is slower than the teacher's, " + base::format_fixed(1 / ratio, 2) +
         " times its time: at this length and on this machine compiling does not pay.";
}

/// Truncations that take no longer and agree as often or more often; or the best of those that take
/// no longer.
std::string truncation_words(const Comparison& comparison, const MethodResult& compiled) {
  std::vector<std::string> better;
  const MethodResult* best = nullptr;
  for (const MethodResult& method : comparison.methods) {
    if (family_of(method.name) != Family::truncated || !method.in_all_layers() ||
        method.attention_milliseconds > (1 + kSameTime) * compiled.attention_milliseconds)
      continue;
    if (method.agreement >= compiled.agreement) better.push_back(method.name);
    if (!best || method.agreement > best->agreement) best = &method;
  }
  if (!better.empty())
    return "Sinkhorn cut short does as well or better in no more time: " +
           base::join(better, ", ") + ".";
  if (!best) return "";
  return "Of the truncated Sinkhorns that take no longer, the best, " + best->name +
         ", agrees in " + percent(best->agreement) + " of the cases.";
}

/// How another attention in all layers does without the fit.
std::string other_words(const Comparison& comparison, const MethodResult& compiled,
                        const std::string& name, const std::string& what) {
  const MethodResult* other = comparison.find(name);
  if (!other) return "";
  const std::string verb =
      other->accuracy > compiled.accuracy + noise(comparison, compiled.accuracy)
          ? " is better than compiled: accuracy "
      : other->accuracy < compiled.accuracy - noise(comparison, compiled.accuracy)
          ? " is worse than compiled: accuracy "
          : " is as accurate as compiled, as far as so many examples can tell: ";
  return what + verb + percent(other->accuracy) + ", agreement " + percent(other->agreement) +
         ", plan L1 " + base::format_fixed(other->plan_l1, 3) + " against " +
         base::format_fixed(compiled.plan_l1, 3) + ".";
}

std::string front_words(const Comparison& comparison) {
  std::vector<ChartPoint> points;
  for (const MethodResult& method : comparison.methods)
    points.push_back({method.name, method.attention_milliseconds, method.agreement});
  const std::vector<bool> front = pareto_front(points);
  std::vector<std::string> best, beaten;
  for (std::size_t i = 0; i < points.size(); ++i)
    (front[i] ? best : beaten).push_back(points[i].label);
  std::string words =
      "Nothing that takes no longer agrees more often with the teacher than " + listed(best) + ".";
  if (!beaten.empty()) words += " Of " + listed(beaten) + " this cannot be said.";
  return words;
}

}  // namespace

std::vector<std::string> comparison_words(const Comparison& comparison) {
  const MethodResult* compiled = comparison.find("compiled");
  if (!compiled) return {};
  std::vector<std::string> words;
  if (const MethodResult* teacher = comparison.find("teacher")) {
    words.push_back(accuracy_words(comparison, *compiled, *teacher));
    words.push_back(time_words(*compiled, *teacher));
  }
  words.push_back(truncation_words(comparison, *compiled));
  words.push_back(other_words(comparison, *compiled, "softmax",
                              "Softmax in the place of the teacher's attention"));
  words.push_back(
      other_words(comparison, *compiled, "f0", "The same closure without a predicted dual (f0)"));
  words.push_back(front_words(comparison));
  std::erase(words, "");
  return words;
}

std::string scaling_words(const ScalingCurves& scaling) {
  const auto curve_of = [&](const std::string& form) {
    const auto found = std::ranges::find(scaling.curves, form, &ScalingCurve::form);
    return found == scaling.curves.end() ? nullptr : &*found;
  };
  const ScalingCurve* compiled = curve_of("compiled");
  const ScalingCurve* loop = curve_of("sinkhorn_exp");
  if (!compiled || !loop) return "";
  // The size from which on compiled is faster at all larger ones.
  double from = 0;
  bool any = false;
  for (std::size_t i = compiled->tokens.size(); i-- > 0;) {
    const auto same = std::ranges::find(loop->tokens, compiled->tokens[i]);
    if (same == loop->tokens.end()) continue;
    const double other = loop->milliseconds[static_cast<std::size_t>(same - loop->tokens.begin())];
    if (compiled->milliseconds[i] >= other) break;
    from = compiled->tokens[i];
    any = true;
  }
  if (!any) return "At the largest length measured compiled is not faster than our Sinkhorn loop.";
  return "Compiled is faster than our Sinkhorn loop (sinkhorn_exp) from " +
         base::format_count(static_cast<std::int64_t>(from)) +
         " tokens on, of the lengths measured.";
}

}  // namespace asap::evaluate
