#include "train/resume_check.h"

#include <algorithm>

#include "base/text.h"

namespace asap::train {
namespace {

/// Whether `entry` is the field or a group it belongs to.
bool covers(const std::string& entry, const std::string& field) {
  return field == entry || field.starts_with(entry + ".");
}

/// Fields that decide the order of the examples or the shapes of the parameters.
bool is_fixed(const std::string& field) {
  if (field == "seed" || field == "train.batch" || field == "train.length_pool" ||
      field == "model.attention.learn_epsilon")
    return true;
  return field.starts_with("model.") && !field.starts_with("model.attention.") &&
         field != "model.dropout" && field != "model.embedding_dropout";
}

/// Fields that say where the data lie; moved files are the same data.
bool names_files(const std::string& field) {
  return field == "data.path" || field == "data.name" || field.ends_with("_file");
}

void check_names(std::span<const std::string> allowed,
                 const std::vector<config::FieldDescription>& fields) {
  for (const std::string& entry : allowed) {
    const bool known = std::ranges::any_of(
        fields, [&](const config::FieldDescription& field) { return covers(entry, field.path); });
    if (known) continue;
    std::vector<std::string> names;
    for (const config::FieldDescription& field : fields) names.push_back(field.path);
    const std::string nearest = base::nearest_name(entry, names);
    throw base::UsageError("`allow`: there is no field '" + io::excerpt(entry) + "'",
                           nearest.empty() ? "asap-train --dump-config shows all fields"
                                           : "did you mean '" + nearest + "'?");
  }
}

/// The saved configuration, with defaults for newer fields.
template <class Config>
Config read_saved(const io::Json& saved, const std::string& source) {
  Config config;
  try {
    config::from_json(saved, config, source);
  } catch (const base::UsageError& error) {  // a checkpoint needs another hint
    throw base::DataError(error.what(), "the checkpoint is damaged or of a newer asap-train");
  }
  return config;
}

template <class Config>
void check_same(const io::Json& saved, const Config& config, std::span<const std::string> allowed,
                const std::string& source, bool same_data) {
  const std::vector<config::FieldDescription> before =
      config::list_fields(read_saved<Config>(saved, source));
  const std::vector<config::FieldDescription> now = config::list_fields(config);
  check_names(allowed, now);
  std::string fixed;  // a field that changed and may not, perhaps because another one decides it
  for (std::size_t i = 0; i < now.size() && fixed.empty(); ++i)
    if (before[i].value != now[i].value && is_fixed(now[i].path)) fixed = now[i].path;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (before[i].value == now[i].value) continue;
    const std::string& field = now[i].path;
    const std::string what = field + " is " + now[i].value.dump() +
                             ", but the run was started with " + before[i].value.dump() + " (" +
                             source + ")";
    if (is_fixed(field))
      throw base::UsageError(what + "; it cannot change in the middle of a run",
                             "resume with the same value, or train into another `out`");
    const bool may_change = std::ranges::any_of(
        allowed, [&](const std::string& entry) { return covers(entry, field); });
    if (!same_data && field.starts_with("data.") && !(may_change && names_files(field)))
      throw base::UsageError(what + "; the training data are not those the run was started with",
                             "resume with the same value, or train into another `out`");
    if (!may_change && !fixed.empty())
      throw base::UsageError(
          what + "; with it " + fixed + " differs, which cannot change in the middle of a run",
          "resume with the same values, or train into another `out`");
    if (!may_change)
      throw base::UsageError(
          what, "resume with the same configuration, permit the change with `allow` " + field +
                    ", or train into another `out`");
  }
}

}  // namespace

void check_same_configuration(const io::Json& saved, const config::TrainConfig& config,
                              std::span<const std::string> allowed, const std::string& source,
                              bool same_data) {
  check_same(saved, config, allowed, source, same_data);
}

void check_same_configuration(const io::Json& saved, const config::MatcherTrainConfig& config,
                              std::span<const std::string> allowed, const std::string& source,
                              bool same_data) {
  check_same(saved, config, allowed, source, same_data);
}

}  // namespace asap::train
