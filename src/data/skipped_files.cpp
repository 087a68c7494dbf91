#include "data/skipped_files.h"

#include "base/format.h"
#include "data/data_folder.h"

namespace asap::data {

bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

void SkippedFiles::add(const std::filesystem::path& path) {
  std::error_code ignored;
  std::string kind = lower_case(path.extension().string());
  if (kind.empty()) kind = "without an ending";
  if (std::filesystem::is_directory(path, ignored)) kind = "folder";
  ++counts_[is_hidden(path) ? "hidden" : kind];
  ++total_;
}

void SkippedFiles::add(const SkippedFiles& others) {
  for (const auto& [kind, count] : others.counts_) counts_[kind] += count;
  total_ += others.total_;
}

std::string SkippedFiles::describe() const {
  if (empty()) return "";
  std::string kinds;
  for (const auto& [kind, count] : counts_)
    kinds += (kinds.empty() ? "" : ", ") + base::format_count(count) + " " + kind;
  return base::format_count(total_) + " (" + kinds + ")";
}

}  // namespace asap::data
