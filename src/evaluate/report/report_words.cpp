#include "evaluate/report/report_words.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/format.h"
#include "base/text.h"
#include "evaluate/draw/svg_chart.h"

namespace asap::evaluate {
namespace {

constexpr double kSameTime = 0.05;  // relative; below, timings do not differ

std::string percent(double fraction) { return base::format_fixed(100 * fraction, 2) + "\u00a0%"; }

/// Two standard errors, at most, of the difference of two accuracies on these examples: smaller
/// differences mean nothing.
double noise(const Comparison& comparison, double accuracy) {
  return 2 * std::sqrt(2 * accuracy * (1 - accuracy) /
                       static_cast<double>(std::max<std::int64_t>(comparison.examples, 1)));
}

/// "10,000 images"
std::string examples_text(const Comparison& comparison) {
  return base::counted_plural(comparison.examples, comparison.examples_name);
}

/// "a, b and c"
std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return base::join(names, "");
  return base::join(std::span(names).first(names.size() - 1), ", ") + " and " + names.back();
}

/// A method on the Pareto front that beats `loser`: of several the one that agrees most often; null
/// when there is none. Points that are not finite beat nothing.
const ChartPoint* winner_over(const ChartPoint& loser, const std::vector<ChartPoint>& points,
                              const std::vector<bool>& front) {
  const ChartPoint* winner = nullptr;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (front[i] && points[i].x <= loser.x && points[i].y >= loser.y &&
        (!winner || points[i].y > winner->y))
      winner = &points[i];
  return winner;
}

/// Which methods are the best trade-offs of speed and agreement, and what beats the others.
std::string tradeoff_words(const Comparison& comparison) {
  std::vector<ChartPoint> points;
  for (const MethodResult& method : comparison.methods)
    points.push_back({method.name, method.attention_milliseconds, method.agreement});
  const std::vector<bool> front = pareto_front(points);
  std::vector<std::string> best;
  std::vector<std::pair<std::string, std::vector<std::string>>> beaten;  // by what beats them
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (front[i]) {
      best.push_back(points[i].label);
      continue;
    }
    const ChartPoint* winner = winner_over(points[i], points, front);
    if (!winner) continue;
    const std::string reason =
        winner->label + (winner->y > points[i].y ? " takes no longer and agrees more often"
                                                 : " is faster and agrees as often");
    auto group = std::ranges::find(beaten, reason, &decltype(beaten)::value_type::first);
    if (group == beaten.end()) group = beaten.insert(beaten.end(), {reason, {}});
    group->second.push_back(points[i].label);
  }
  if (best.empty() || points.size() < 2) return "";
  std::string words =
      best.size() == 1
          ? best[0] +
                " is the best trade-off: no other method is faster or agrees more often with "
                "the teacher."
          : listed(best) +
                " are the best trade-offs of speed and agreement with the teacher: no method beats "
                "one of them in one without losing in the other.";
  for (const auto& [reason, names] : beaten)
    words += " " + listed(names) + (names.size() == 1 ? " is not: " : " are not: ") + reason + ".";
  return words;
}

std::string accuracy_words(const Comparison& comparison, const MethodResult& compiled,
                           const MethodResult& teacher) {
  const double change = compiled.accuracy - teacher.accuracy;
  const std::string from_to =
      " (" + percent(teacher.accuracy) + " to " + percent(compiled.accuracy) + ")";
  std::string words = "Accuracy ";
  if (std::abs(change) <= noise(comparison, teacher.accuracy))
    words += "stays the same" + from_to + ": " + examples_text(comparison) +
             " cannot show a difference this small.";
  else
    words += (change > 0 ? "rises by " : "falls by ") +
             base::format_fixed(100 * std::abs(change), 2) + " points" + from_to + ".";
  return words + " The compiled operator makes the teacher's prediction in " +
         percent(compiled.agreement) + " of the cases.";
}

/// The same against the loop as others run it, if that was measured.
std::string published_words(const Comparison& comparison, const MethodResult& compiled) {
  const MethodResult* published = comparison.find("teacher_log");
  if (!published) return "";
  return "Against Sinkhorn's loop as it is published, in the log domain, it is " +
         base::format_fixed(published->attention_milliseconds / compiled.attention_milliseconds,
                            1) +
         " times as fast.";
}

std::string time_words(const MethodResult& compiled, const MethodResult& teacher) {
  const double ratio = teacher.attention_milliseconds / compiled.attention_milliseconds;
  if (ratio > 1 + kSameTime)
    return "Compiled attention is " + base::format_fixed(ratio, 2) +
           " times as fast as the teacher's.";
  if (ratio > 1 - kSameTime) return "Compiled attention takes about as long as the teacher's.";
  return "Compiling does not pay at this length on this machine: compiled attention takes " +
         base::format_fixed(1 / ratio, 2) + " times as long as the teacher's.";
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
    return "A truncated Sinkhorn is at least as good as compiled: " + listed(better) +
           (better.size() == 1 ? " takes" : " take") + " no longer (within 5 %) and " +
           (better.size() == 1 ? "agrees" : "agree") + " at least as often.";
  if (!best) return "";
  return "Compiled agrees more often than every truncated Sinkhorn that takes no longer (within 5 "
         "%): "
         "the best of them, " +
         best->name + ", agrees in " + percent(best->agreement) + " of the cases.";
}

/// How another attention in all layers does without the fit.
std::string other_words(const Comparison& comparison, const MethodResult& compiled,
                        const std::string& name, const std::string& what) {
  const MethodResult* other = comparison.find(name);
  if (!other) return "";
  const double margin = noise(comparison, compiled.accuracy);
  const std::string verdict =
      other->accuracy > compiled.accuracy + margin ? " is more accurate than compiled"
      : other->accuracy < compiled.accuracy - margin
          ? " is less accurate than compiled"
          : " is as accurate as compiled, as far as " + examples_text(comparison) + " can tell";
  return what + verdict + ": accuracy " + percent(other->accuracy) + " against " +
         percent(compiled.accuracy) + ", agreement " + percent(other->agreement) + " against " +
         percent(compiled.agreement) + ", plan L1 " + base::format_fixed(other->plan_l1, 3) +
         " against " + base::format_fixed(compiled.plan_l1, 3) + ".";
}

}  // namespace

std::vector<std::string> comparison_words(const Comparison& comparison) {
  const MethodResult* compiled = comparison.find("compiled");
  if (!compiled) return {};
  std::vector<std::string> words = {tradeoff_words(comparison)};
  if (const MethodResult* teacher = comparison.find("teacher")) {
    words.push_back(accuracy_words(comparison, *compiled, *teacher));
    words.push_back(time_words(*compiled, *teacher));
    words.push_back(published_words(comparison, *compiled));
  }
  words.push_back(truncation_words(comparison, *compiled));
  words.push_back(other_words(comparison, *compiled, "softmax", "Softmax attention"));
  words.push_back(
      other_words(comparison, *compiled, "f0", "The closure without a predicted dual (f0)"));
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
  // The least length such that compiled is faster there and at every greater length.
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
  if (!any)
    return "Compiled attention is not faster than our Sinkhorn loop (sinkhorn_exp) at the largest "
           "length measured.";
  return "Compiled attention is faster than our Sinkhorn loop (sinkhorn_exp) at every measured "
         "length "
         "from " +
         base::counted(static_cast<std::int64_t>(from), "token") + " on.";
}

}  // namespace asap::evaluate
