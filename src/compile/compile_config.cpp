#include "compile/compile_config.h"

#include <array>

#include "base/text.h"

namespace asap::compile {
namespace {

struct NamedFeature {
  const char* name;
  bool attention::DualFeatures::*flag;
};

constexpr std::array<NamedFeature, 5> kFeatures = {
    {{"pot", &attention::DualFeatures::potential},
     {"gau", &attention::DualFeatures::gaussian},
     {"lin", &attention::DualFeatures::linear},
     {"tilt", &attention::DualFeatures::tilt},
     {"lse", &attention::DualFeatures::log_sum_exp}}};

constexpr std::string_view kSinkhorn = "sinkhorn:";
constexpr int kMostIterations = 10000;

}  // namespace

std::optional<int> CompileConfig::imitated_iterations(const std::string& source) const {
  if (teacher == "own") return std::nullopt;
  if (teacher == "softmax")
    throw base::UsageError(source +
                               ": teacher: softmax cannot be imitated: the operator normalises the "
                               "columns of its plan, and softmax does not",
                           "imitate Sinkhorn on the network's scores: teacher sinkhorn:10");
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
  return names;
}

attention::DualFeatures parse_features(const std::vector<std::string>& names,
                                       const std::string& source) {
  attention::DualFeatures features = attention::DualFeatures::none();
  for (const std::string& name : names) {
    bool found = false;
    for (const NamedFeature& known : kFeatures) {
      if (name != known.name) continue;
      if (features.*known.flag)
        throw base::UsageError(source + ": features: '" + name + "' is named twice");
      features.*known.flag = found = true;
    }
    if (!found)
      throw base::UsageError(source + ": features: unknown feature '" + io::excerpt(name) + "'",
                             base::suggestion(name, feature_names(attention::DualFeatures{})));
  }
  return features;
}

void CompileConfig::validate(const std::string& source) const {
  config::check_field_ranges(*this, source);
  if (features.empty())
    throw base::UsageError(
        source + ": features: at least one feature is needed",
        "choose from pot, gau, lin, tilt, lse; the closure alone is asap-eval's f0");
  parse_features(features, source);
  imitated_iterations(source);
}

attention::DualFeatures CompileConfig::dual_features() const {
  return parse_features(features, "features");
}

io::Json fit_json(const CompileConfig& config) {
  io::Json json = config::to_json(config);
  json.erase("activations");
  json.erase("data");
  return json;
}

void set_from_text(CompileConfig& config, const std::string& key, const std::string& text,
                   const std::string& source) {
  io::Json value = text;
  for (const config::FieldDescription& field : config::list_fields(config)) {
    if (field.path != key) continue;
    if (field.value.is_array()) value = base::split(text, ',');
    if (field.value.is_number()) value = io::Json::parse(text, nullptr, false);
  }
  if (value.is_discarded()) value = text;  // from_json says what was expected instead
  config::from_json(io::Json{{key, value}}, config, source);
}

}  // namespace asap::compile
