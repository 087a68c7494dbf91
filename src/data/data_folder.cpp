#include "data/data_folder.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "io/text_lines.h"

namespace asap::data {
namespace fs = std::filesystem;

std::optional<fs::path> data_directory() {
  const char* variable = std::getenv("ASAP_DATA_DIR");
  if (!variable || !*variable) return std::nullopt;
  return variable;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string lower_case(std::string name) {
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name;
}

std::optional<fs::path> find_entry(std::span<const fs::path> entries, const std::string& name) {
  const auto exact = std::ranges::find(
      entries, name, [](const fs::path& path) { return path.filename().string(); });
  if (exact != entries.end()) return *exact;
  const auto similar = std::ranges::find(entries, lower_case(name), [](const fs::path& path) {
    return lower_case(path.filename().string());
  });
  return similar == entries.end() ? std::nullopt : std::optional(*similar);
}

std::optional<fs::path> find_plain_or_packed(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  const std::vector<fs::path> entries = sorted_entries(folder);
  for (const char* ending : {"", ".gz"})
    if (auto path = find_entry(entries, name + ending); path && fs::is_regular_file(*path, ignored))
      return path;
  return std::nullopt;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code ignored;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (!entry.path().filename().string().starts_with('.')) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

fs::path find_data_folder(const config::DataConfig& config, const std::string& hint) {
  std::error_code ignored;
  if (!config.path.empty()) {
    if (fs::is_directory(config.path, ignored)) return config.path;
    throw base::DataError("'" + config.path + "' is not a folder", hint);
  }
  if (const auto directory = data_directory())
    if (fs::path folder = *directory / config.name; fs::is_directory(folder, ignored))
      return folder;
  throw base::DataError("the data set '" + config.name + "' was not found", hint);
}

fs::path find_split_binary(const fs::path& folder, Split split) {
  for (const fs::path& path : sorted_entries(folder)) {
    const std::string name = lower_case(path.filename().string());
    if (name.find(split_name(split)) == std::string::npos) continue;
    if (name.ends_with(".bin") || name.ends_with(".bin.gz")) return path;
  }
  return {};
}

std::vector<std::string> numbered_classes(int classes) {
  std::vector<std::string> names;
  for (int label = 0; label < classes; ++label) names.push_back(std::to_string(label));
  return names;
}

std::vector<std::string> read_class_lines(const fs::path& path) {
  const std::string bytes = base::read_file(path);
  const io::DecodedText decoded(bytes, path.string());
  std::vector<std::string> names;
  for (io::TextLines lines(decoded.text()); lines.next();)
    if (std::string name = io::unquoted(base::trim(lines.line())); !name.empty())
      names.push_back(std::move(name));
  return names;
}

std::vector<std::string> class_names_or_numbers(const fs::path& path, int classes) {
  std::error_code ignored;
  std::vector<std::string> names;
  if (fs::is_regular_file(path, ignored)) names = read_class_lines(path);
  return std::ssize(names) == classes ? names : numbered_classes(classes);
}

}  // namespace asap::data
