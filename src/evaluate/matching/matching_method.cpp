#include "evaluate/matching/matching_method.h"

#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace asap::evaluate {
namespace {

constexpr std::string_view kCompiled = "compiled", kSparse = "+sparse:";

[[noreturn]] void fail(const std::string& name, const std::string& hint) {
  throw base::UsageError("`methods`: a matcher has no method '" + name + "'", hint);
}

/// The number after the colon, or the default without one.
double limit_of(const std::string& name, const std::string& word, double fallback) {
  if (name == word) return fallback;
  const auto number = base::parse_number<double>(std::string_view(name).substr(word.size() + 1));
  if (!number || !(*number > 0 && *number <= 1))
    fail(name, "the number after '" + word + ":' is above 0 and at most 1");
  return *number;
}

std::optional<int> iterations_of(std::string_view text) {
  const auto count = base::parse_number<int>(text);
  return count && *count >= 0 && *count <= 10000 ? count : std::nullopt;
}

/// "compiled", "compiled+K" or "compiled+sparse:K".
MatchingMethod parse_compiled(const std::string& name) {
  using Kind = MatchingMethod::Kind;
  const std::string_view rest = std::string_view(name).substr(kCompiled.size());
  if (rest.empty()) return {.kind = Kind::compiled};
  const bool sparse = rest.starts_with(kSparse);
  const auto count = iterations_of(rest.substr(sparse ? kSparse.size() : 1));
  if (!count || rest[0] != '+')
    fail(name, "write compiled, compiled+K or compiled+sparse:K with K iterations, 0 to 10000");
  return {.kind = sparse ? Kind::sparse : Kind::compiled, .iterations = *count};
}

}  // namespace

MatchingMethod MatchingMethod::parse(const std::string& name) {
  static const std::vector<std::string> kWords{"network", "teacher", "sinkhorn",  "compiled",
                                               "mutual",  "ratio",   "assignment"};
  const std::string word = name.substr(0, name.find(':'));
  if (name == "network") return {};
  if (name == "teacher") return {.kind = Kind::teacher};
  if (name.starts_with(kCompiled)) return parse_compiled(name);
  if (name == "mutual") return {.kind = Kind::mutual};
  if (word == "ratio") return {.kind = Kind::ratio, .limit = limit_of(name, word, kDefaultRatio)};
  if (word == "assignment")
    return {.kind = Kind::assignment, .limit = limit_of(name, word, kDefaultSimilarity)};
  if (word == "sinkhorn" && name.size() > word.size()) {
    const auto count = iterations_of(std::string_view(name).substr(word.size() + 1));
    if (count) return {.kind = Kind::sinkhorn, .iterations = *count};
  }
  fail(name, word == "sinkhorn" ? "write sinkhorn:K with K iterations, 0 to 10000"
                                : base::suggestion(word, kWords));
}

std::string MatchingMethod::name() const {
  switch (kind) {
    case Kind::network:
      return "network";
    case Kind::teacher:
      return "teacher";
    case Kind::sinkhorn:
      return "sinkhorn:" + std::to_string(iterations);
    case Kind::compiled:
      return iterations == 0 ? "compiled" : "compiled+" + std::to_string(iterations);
    case Kind::sparse:
      return "compiled+sparse:" + std::to_string(iterations);
    case Kind::mutual:
      return "mutual";
    case Kind::ratio:
      return "ratio:" + base::format_number(limit);
    case Kind::assignment:
      return "assignment:" + base::format_number(limit);
  }
  throw base::InternalError("MatchingMethod::name: unknown kind");
}

std::vector<std::string> default_matching_methods(const config::MatcherConfig& matcher,
                                                  bool with_operator) {
  std::vector<std::string> methods{"network", "mutual", "ratio:0.8", "assignment:0.91"};
  if (with_operator) methods.insert(methods.begin() + 1, "teacher");
  if (matcher.output == config::MatcherOutput::dustbin)
    methods.insert(methods.end(), {"sinkhorn:1", "sinkhorn:2", "sinkhorn:5", "sinkhorn:100"});
  if (with_operator)
    methods.insert(methods.end(), {"compiled", "compiled+1", "compiled+sparse:100"});
  return methods;
}

}  // namespace asap::evaluate
