#include "evaluate/bench/scaling_curves.h"

#include <algorithm>

#include "base/error.h"
#include "evaluate/bench/attention_forms.h"
#include "io/json.h"

namespace asap::evaluate {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw base::DataError(path.string() + ": " + what, "name the folder that asap-eval bench wrote");
}

double number_at(const io::Json& row, const std::string& key, const std::filesystem::path& path) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) refuse(path, "rows[]: no number '" + key + "'");
  return found->get<double>();
}

}  // namespace

ScalingCurves read_scaling_curves(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "summary.json";
  const io::Json summary = io::read_json(path);
  if (!summary.is_object() || !summary.contains("rows") || !summary["rows"].is_array())
    refuse(path, "no list 'rows'");
  ScalingCurves scaling;
  if (summary.contains("command") && summary["command"].is_string())
    scaling.command = summary["command"].get<std::string>();
  scaling.threads = static_cast<int>(number_at(summary, "threads", path));
  for (const io::Json& row : summary["rows"]) {
    if (!row.is_object()) refuse(path, "rows[]: expected objects");
    const double tokens = number_at(row, "n", path);
    scaling.head_width = static_cast<int>(number_at(row, "d", path));
    for (const AttentionForm& form : attention_forms()) {
      const std::string name = form.name;
      const std::string key = row.contains(name) ? name : form.former_name;
      if (!row.contains(key) || !row[key].is_number()) continue;
      auto curve = std::ranges::find(scaling.curves, name, &ScalingCurve::form);
      if (curve == scaling.curves.end()) {
        scaling.curves.push_back({name, {}, {}});
        curve = scaling.curves.end() - 1;
      }
      curve->tokens.push_back(tokens);
      curve->milliseconds.push_back(row[key].get<double>());
    }
  }
  if (scaling.empty()) refuse(path, "no form of attention was measured");
  return scaling;
}

}  // namespace asap::evaluate
