#include "data/data_origin.h"

#include <optional>

#include "base/error.h"
#include "io/json.h"

namespace asap::data {
namespace fs = std::filesystem;
namespace {

/// Where one part of a run's data was, and what it was.
struct RememberedPart {
  std::string folder, fingerprint;
};

std::optional<RememberedPart> remembered_part(const config::RunFolder& run, Split split) {
  std::error_code ignored;
  if (!fs::is_regular_file(run.data(), ignored)) return std::nullopt;  // drawn, or an older run
  const io::Json json = io::read_json(run.data());
  const auto text = [](const io::Json& part, const char* key) {
    const auto found = part.find(key);
    return found != part.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object() || !json.contains(split_name(split))) return std::nullopt;
  const io::Json& part = json[split_name(split)];
  if (!part.is_object()) return std::nullopt;
  return RememberedPart{text(part, "folder"), text(part, "fingerprint")};
}

bool is_same_folder(const std::string& one, const std::string& other) {
  std::error_code ignored;
  return fs::equivalent(one, other, ignored);
}

std::string where_it_was(const RememberedPart& part) {
  std::error_code ignored;
  const std::string trained = "the run was trained on '" + part.folder + "'";
  return fs::is_directory(part.folder, ignored)
             ? trained + ": --set data.path=" + part.folder
             : trained +
                   ", which is not there now; name the same data by --set data.path=DIR or "
                   "ASAP_DATA_DIR";
}

void require_remembered(const Dataset& dataset, const RememberedPart& part,
                        const config::RunFolder& run, Split split) {
  if (part.fingerprint.empty() || dataset.fingerprint == part.fingerprint) return;
  const std::string found =
      "the " + std::string(split_name(split)) + " data in '" + dataset.place + "'";
  if (is_same_folder(dataset.place, part.folder))
    throw base::DataError(
        found + " have changed since the run '" + run.path().string() + "' was trained on them",
        "restore the files, or delete '" + run.data().string() + "' to use them as they are");
  throw base::DataError(found + " are not those of the run '" + run.path().string() + "'",
                        where_it_was(part) + "; or set data.path to use other data");
}

}  // namespace

void remember_data(const config::RunFolder& run, const Dataset& train, const Dataset& test) {
  io::Json json = io::Json::object();
  const auto add = [&](Split split, const Dataset& part) {
    std::error_code ignored;
    const fs::path folder = fs::weakly_canonical(fs::absolute(part.place, ignored), ignored);
    if (!part.place.empty())
      json[split_name(split)] = {{"folder", folder.string()}, {"fingerprint", part.fingerprint}};
  };
  add(Split::train, train);
  add(Split::test, test);
  if (json.empty()) return;
  json["class_names"] = train.class_names;
  io::write_json(run.data(), json);
}

std::string remembered_folder(const config::RunFolder& run, Split split) {
  const std::optional<RememberedPart> part = remembered_part(run, split);
  return part ? part->folder : "";
}

std::vector<std::string> remembered_class_names(const config::RunFolder& run) {
  std::error_code ignored;
  std::vector<std::string> names;
  if (!fs::is_regular_file(run.data(), ignored)) return names;
  const io::Json json = io::read_json(run.data());
  if (!json.is_object() || !json.contains("class_names") || !json["class_names"].is_array())
    return names;
  for (const io::Json& name : json["class_names"]) {
    if (!name.is_string()) return {};
    names.push_back(name.get<std::string>());
  }
  return names;
}

Dataset load_as_remembered(const config::RunFolder& run, const config::DataConfig& config,
                           Split split, const std::function<Dataset()>& load) {
  const std::optional<RememberedPart> part = remembered_part(run, split);
  if (!part || part->folder.empty()) return load();
  std::optional<Dataset> dataset;
  try {
    dataset = load();
  } catch (const base::DataError& error) {
    if (is_same_folder(config.path, part->folder)) throw;  // the files are there, but damaged
    const std::string hint = error.hint().empty() ? "" : "; " + error.hint();
    throw base::DataError(error.what(), where_it_was(*part) + hint);
  }
  if (config::to_json(config) == config::to_json(run.read_config().data))
    require_remembered(*dataset, *part, run, split);
  return *std::move(dataset);
}

}  // namespace asap::data
