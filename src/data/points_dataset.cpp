#include "data/points_dataset.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/point_files.h"
#include "data/point_set.h"
#include "io/npy.h"

namespace asap {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHint =
    "--set data.path=DIR or ASAP_DATA_DIR=DIR for files elsewhere, or --set data.kind=solids to "
    "run "
    "without files";

fs::path find_folder(const DataConfig& config) {
  std::error_code ignored;
  if (!config.path.empty()) return config.path;
  if (const char* variable = std::getenv("ASAP_DATA_DIR"); variable && *variable)
    if (const fs::path folder = fs::path(variable) / config.name; fs::is_directory(folder, ignored))
      return folder;
  throw DataError("the data set '" + config.name + "' was not found", kHint);
}

/// The first file, in the order of names, whose name has these parts.
std::optional<fs::path> find_binary(const fs::path& folder, const std::string& split) {
  std::error_code ignored;
  std::set<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.find(split) != std::string::npos &&
        (name.ends_with(".bin") || name.ends_with(".bin.gz")))
      found.insert(entry.path());
  }
  return found.empty() ? std::nullopt : std::optional(*found.begin());
}

/// Sets and the file they came from.
struct Found {
  PointSets sets;
  std::string source;
};

Found read_sets(const fs::path& folder, const std::string& split) {
  for (const char* ending : {".csv", ".csv.gz"})
    if (const fs::path path = folder / (split + ending); fs::exists(path))
      return {parse_point_table(read_file(path), path.string()), path.string()};
  if (const fs::path path = folder / (split + "_points.npy"); fs::exists(path))
    return {point_sets_from_arrays(read_npy(path), read_npy(folder / (split + "_labels.npy")),
                                   path.string()),
            path.string()};
  if (const auto path = find_binary(folder, split))
    return {parse_modelnet(read_file(*path), path->string()), path->string()};
  throw DataError("'" + folder.string() + "' has no " + split + ".csv, " + split +
                      "_points.npy or file named *" + split + "*.bin",
                  kHint);
}

std::vector<std::string> class_names(const fs::path& folder, int classes) {
  std::vector<std::string> names;
  if (const fs::path path = folder / "classes.txt"; fs::exists(path))
    for (const std::string_view line : split(read_file(path), '\n'))
      if (!line.empty()) names.emplace_back(line);
  if (std::ssize(names) == classes) return names;
  names.clear();
  for (int label = 0; label < classes; ++label) names.push_back(std::to_string(label));
  return names;
}

}  // namespace

Dataset load_points_dataset(const DataConfig& config, Split split) {
  const fs::path folder = find_folder(config);
  Found found = read_sets(folder, split_name(split));
  for (std::size_t i = 0; i < found.sets.labels.size(); ++i)
    if (found.sets.labels[i] >= config.classes)
      throw DataError(found.source + ": label " + std::to_string(found.sets.labels[i]) +
                          " of set " + std::to_string(i) + " is outside 0 to " +
                          std::to_string(config.classes - 1),
                      "set data.classes to the number of classes in the file");
  Dataset dataset;
  dataset.name = found.source;
  dataset.kind = ModelKind::set;
  dataset.point_width = found.sets.width;
  dataset.offsets = std::move(found.sets.offsets);
  dataset.points = std::move(found.sets.points);
  dataset.labels = std::move(found.sets.labels);
  dataset.class_names = class_names(folder, config.classes);
  return finish_point_sets(std::move(dataset), config.points);
}

}  // namespace asap
