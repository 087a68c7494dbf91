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

/// A field whose value is not that of the checkpoint.
struct ChangedField {
  std::string name;
  std::string words;  ///< "seed is 2, but the run was started with 1"
  bool permitted = false;
  bool other_data = false;  ///< the training data are others, and the field may be why

  /// The field may not change, whatever is permitted.
  bool must_stay() const { return is_fixed(name) || other_data; }
};

/// All of them in the order of declaration.
std::vector<ChangedField> changed_fields(const std::vector<config::FieldDescription>& before,
                                         const std::vector<config::FieldDescription>& now,
                                         std::span<const std::string> allowed, bool same_data) {
  std::vector<ChangedField> changed;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (before[i].value == now[i].value) continue;
    ChangedField field{now[i].path, now[i].path + " is " + now[i].value.dump() +
                                        ", but the run was started with " + before[i].value.dump()};
    field.permitted = std::ranges::any_of(
        allowed, [&](const std::string& entry) { return covers(entry, field.name); });
    field.other_data = !same_data && field.name.starts_with("data.") &&
                       !(field.permitted && names_files(field.name));
    changed.push_back(std::move(field));
  }
  return changed;
}

/// UsageError names the fields of the list, at least one of which must stay.
[[noreturn]] void refuse_lasting(const std::vector<ChangedField>& refused, std::string what) {
  std::vector<std::string> fixed;
  for (const ChangedField& field : refused)
    if (is_fixed(field.name)) fixed.push_back(field.name);
  if (!fixed.empty())
    what += "; " + (refused.size() == 1 ? "it" : base::join(fixed, ", ")) +
            " cannot change in the middle of a run";
  if (std::ranges::any_of(refused, &ChangedField::other_data))
    what += "; the training data are not those the run was started with";
  throw base::UsageError(what, "resume with the same value" +
                                   std::string(refused.size() == 1 ? "" : "s") +
                                   ", or train into another `out`");
}

template <class Config>
void check_same(const io::Json& saved, const Config& config, std::span<const std::string> allowed,
                const std::string& source, bool same_data) {
  const std::vector<config::FieldDescription> now = config::list_fields(config);
  check_names(allowed, now);
  std::vector<ChangedField> refused = changed_fields(
      config::list_fields(read_saved<Config>(saved, source)), now, allowed, same_data);
  std::erase_if(refused,
                [](const ChangedField& field) { return field.permitted && !field.must_stay(); });
  if (refused.empty()) return;
  std::vector<std::string> words, names;
  for (const ChangedField& field : refused) {
    words.push_back(field.words);
    names.push_back("`allow` " + field.name);
  }
  const std::string what = base::join(words, "; ") + " (" + source + ")";
  if (std::ranges::any_of(refused, &ChangedField::must_stay)) refuse_lasting(refused, what);
  throw base::UsageError(what, std::string("resume with the same configuration, permit the ") +
                                   (names.size() == 1 ? "change" : "changes") + " with " +
                                   base::join(names, " ") + ", or train into another `out`");
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
