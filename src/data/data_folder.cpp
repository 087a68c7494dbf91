#include "data/data_folder.h"

#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace asap {
namespace fs = std::filesystem;

fs::path find_data_folder(const DataConfig& config, const std::string& hint) {
  std::error_code ignored;
  if (!config.path.empty()) {
    if (fs::is_directory(config.path, ignored)) return config.path;
    throw DataError("'" + config.path + "' is not a folder", hint);
  }
  if (const char* variable = std::getenv("ASAP_DATA_DIR"); variable && *variable)
    if (const fs::path folder = fs::path(variable) / config.name; fs::is_directory(folder, ignored))
      return folder;
  throw DataError("the data set '" + config.name + "' was not found", hint);
}

fs::path find_split_binary(const fs::path& folder, Split split) {
  std::error_code ignored;
  fs::path first;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.find(split_name(split)) == std::string::npos) continue;
    if (!name.ends_with(".bin") && !name.ends_with(".bin.gz")) continue;
    if (first.empty() || entry.path() < first) first = entry.path();
  }
  return first;
}

std::vector<std::string> read_class_names(const fs::path& path, int classes) {
  std::error_code ignored;
  std::vector<std::string> names;
  if (fs::is_regular_file(path, ignored))
    for (std::string line : split(read_file(path), '\n')) {
      while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
      if (!line.empty()) names.push_back(std::move(line));
    }
  if (std::ssize(names) == classes) return names;
  names.clear();
  for (int label = 0; label < classes; ++label) names.push_back(std::to_string(label));
  return names;
}

}  // namespace asap
