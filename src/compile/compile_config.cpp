#include "compile/compile_config.h"

#include <array>

#include "base/text.h"

namespace asap::compile {
namespace {

struct NamedFeature {
  const char* name;
  bool attention::DualFeatures::*flag;
};

constexpr std::array<NamedFeature, 7> kFeatures = {{{"pot", &attention::DualFeatures::potential},
                                                    {"gau", &attention::DualFeatures::gaussian},
                                                    {"lin", &attention::DualFeatures::linear},
                                                    {"tilt", &attention::DualFeatures::tilt},
                                                    {"lse", &attention::DualFeatures::log_sum_exp},
                                                    {"lse0", &attention::DualFeatures::first_dual},
                                                    {"start", &attention::DualFeatures::start}}};

/// Features with a number: "it:2".
struct CountedFeature {
  const char* name;
  int attention::DualFeatures::*count;
  int most;
};

constexpr std::array<CountedFeature, 2> kCounted = {
    {{"landmarks", &attention::DualFeatures::landmarks, 256},
     {"it", &attention::DualFeatures::corrections, 64}}};

constexpr const char* kAutomatic = "auto";

constexpr std::string_view kSinkhorn = "sinkhorn:";
constexpr int kMostIterations = 10000;

}  // namespace

std::optional<int> CompileConfig::imitated_iterations(const std::string& source) const {
  if (teacher == "own") return std::nullopt;
  if (teacher == "softmax")
    throw base::UsageError(source +
                               ": teacher: softmax cannot be imitated: the operator normalises the "
                               "columns of its plan, and softmax does not",
                           "imitate Sinkhorn on the network's scores: `teacher` sinkhorn:10");
  if (teacher.starts_with(kSinkhorn)) {
    const auto iterations =
        base::parse_number<int>(std::string_view(teacher).substr(kSinkhorn.size()));
    if (iterations && *iterations >= 1 && *iterations <= kMostIterations) return iterations;
  }
  throw base::UsageError(source + ": teacher: expected own or sinkhorn:T with T from 1 to " +
                             std::to_string(kMostIterations) + ", got '" + io::excerpt(teacher) +
                             "'",
                         "for example sinkhorn:10");
}

std::vector<std::string> feature_names(const attention::DualFeatures& features) {
  std::vector<std::string> names;
  for (const NamedFeature& known : kFeatures)
    if (features.*known.flag) names.emplace_back(known.name);
  for (const CountedFeature& known : kCounted)
    if (features.*known.count > 0)
      names.push_back(std::string(known.name) + ":" + std::to_string(features.*known.count));
  return names;
}

namespace {

[[noreturn]] void refuse_twice(const std::string& name, const std::string& source) {
  throw base::UsageError(source + ": features: '" + name + "' is named twice");
}

/// True if `name` is a plain feature, whose flag it sets.
bool set_plain(const std::string& name, attention::DualFeatures& features,
               const std::string& source) {
  for (const NamedFeature& known : kFeatures) {
    if (name != known.name) continue;
    if (features.*known.flag) refuse_twice(name, source);
    features.*known.flag = true;
    return true;
  }
  return false;
}

/// The same for a feature with a number.
bool set_counted(const std::string& name, attention::DualFeatures& features,
                 const std::string& source) {
  const std::size_t colon = name.find(':');
  for (const CountedFeature& known : kCounted) {
    if (name.substr(0, colon) != known.name) continue;
    const std::string number = colon == std::string::npos ? "" : name.substr(colon + 1);
    const auto count = base::parse_number<int>(number);
    if (!count || *count < 1 || *count > known.most)
      throw base::UsageError(source + ": features: expected " + known.name +
                                 ":N with N from 1 to " + std::to_string(known.most) + ", got '" +
                                 io::excerpt(name) + "'",
                             "for example " + std::string(known.name) + ":2");
    if (features.*known.count > 0) refuse_twice(known.name, source);
    features.*known.count = *count;
    return true;
  }
  return false;
}

}  // namespace

attention::DualFeatures parse_features(const std::vector<std::string>& names,
                                       const std::string& source) {
  attention::DualFeatures features = attention::DualFeatures::none();
  for (const std::string& name : names) {
    if (set_plain(name, features, source) || set_counted(name, features, source)) continue;
    if (name == kAutomatic)
      throw base::UsageError(source + ": features: auto stands among others",
                             "auto alone, or the features by name");
    std::vector<std::string> known = {kAutomatic};
    for (const NamedFeature& feature : kFeatures) known.emplace_back(feature.name);
    known.insert(known.end(), {"landmarks:16", "it:2"});
    throw base::UsageError(source + ": features: unknown feature '" + io::excerpt(name) + "'",
                           base::suggestion(name, known));
  }
  if (features.start && (features.count(1) > 0 || features.corrections == 0))
    throw base::UsageError(source + ": features: `start` goes with it:K and nothing else",
                           "for example start,it:3");
  return features;
}

void CompileConfig::validate(const std::string& source) const {
  config::check_field_ranges(*this, source);
  if (features.empty())
    throw base::UsageError(source + ": features: at least one feature is needed",
                           "choose from pot, gau, lin, tilt, lse, lse0, start, landmarks:M, it:K; "
                           "the closure alone is "
                           "asap-eval's f0");
  if (!chooses_features()) {
    const attention::DualFeatures parsed = parse_features(features, source);
    if (parsed.corrections > 0 && objective != DualObjective::ridge)
      throw base::UsageError(source +
                                 ": features: corrected iterations (it:K) are fitted by ridge "
                                 "regression, not by the objective that was chosen",
                             "leave it:K out, or use objective=ridge");
    if (parsed.count(1) == 0 && !parsed.start)
      throw base::UsageError(source + ": features: it:K needs a feature to start from",
                             "for example start,it:3");
  }
  validate_limits(source);
  if (mode == attention::CompiledMode::key_bias) validate_key_bias(source);
  imitated_iterations(source);
}

void CompileConfig::validate_limits(const std::string& source) const {
  const bool given = error != CompileConfig().error, chooses = chooses_operator() || chooses_bias();
  if ((given || budget > 0) && !chooses)
    throw base::UsageError(source + ": " + (budget > 0 ? "`budget`" : "`error`") +
                               " chooses among operators, and `features` or `objective` leave no "
                               "choice",
                           "leave it out, or leave `features` auto and `objective` ridge");
  if (given && budget > 0)
    throw base::UsageError(source + ": `budget` and `error` exclude each other",
                           "`budget` takes the most exact operator that it pays for");
}

void CompileConfig::validate_key_bias(const std::string& source) const {
  if (objective != DualObjective::ridge)
    throw base::UsageError(source + ": objective: a key bias is fitted by ridge regression only",
                           "use objective=ridge, or mode=row_dual");
  if (chooses_features()) return;
  if (!parse_features(features, source).known_before_scores())
    throw base::UsageError(
        source +
            ": features: a key bias is known before the scores, so lse, lse0, start and "
            "it:K are not offered",
        "choose from pot, gau, lin, tilt, landmarks:M, or use mode=row_dual");
}

bool CompileConfig::chooses_features() const {
  return features.size() == 1 && features[0] == kAutomatic;
}

bool CompileConfig::chooses_operator() const {
  return chooses_features() && mode == attention::CompiledMode::row_dual &&
         objective == DualObjective::ridge;
}

bool CompileConfig::chooses_bias() const {
  return chooses_features() && mode == attention::CompiledMode::key_bias;
}

std::vector<CompileConfig> CompileConfig::maps() const {
  if (!chooses_features()) return {*this};
  std::vector<std::vector<std::string>> choices;
  if (mode == attention::CompiledMode::key_bias)
    choices = {{"gau", "lin", "tilt"},
               {"landmarks:8"},
               {"landmarks:16"},
               {"gau", "lin", "tilt", "landmarks:16"},
               {"gau", "lin", "tilt", "landmarks:32"}};
  else if (objective == DualObjective::ridge)
    choices = {{"gau", "lin", "tilt"},
               {"landmarks:16"},
               {"gau", "lin", "tilt", "landmarks:16"},
               {"start", "it:5"},
               {"lse", "lse0", "it:2"},
               {"lse", "lse0", "landmarks:16", "it:2"},
               {"gau", "lin", "tilt", "landmarks:32", "it:2"}};
  else
    choices = {{"pot", "gau", "lin", "tilt", "lse"}};
  std::vector<CompileConfig> all;
  for (std::vector<std::string>& names : choices) {
    all.push_back(*this);
    all.back().features = std::move(names);
  }
  return all;
}

attention::DualFeatures CompileConfig::dual_features() const {
  return parse_features(features, "features");
}

io::Json fit_json(const CompileConfig& config) {
  io::Json json = config::to_json(config);
  json.erase("activations");
  json.erase("data");
  json.erase("profile");
  return json;
}

void set_from_text(CompileConfig& config, const std::string& key, const std::string& text,
                   const std::string& source) {
  io::Json value = text;
  for (const config::FieldDescription& field : config::list_fields(config)) {
    if (field.path != key) continue;
    if (field.value.is_array()) value = base::split(text, ',');
    if (field.value.is_number()) value = config::detail::json_of_text(text);
  }
  if (value.is_discarded()) value = text;  // from_json says what was expected instead
  config::from_json(io::Json{{key, value}}, config, source);
}

}  // namespace asap::compile
