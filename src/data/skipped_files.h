#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace asap::data {

/// Files whose names begin with a dot (.ipynb_checkpoints, ._1.txt).
bool is_hidden(const std::filesystem::path& path);

/// Counts what lies in the folders of a data set and is not read.
class SkippedFiles {
 public:
  void add(const std::filesystem::path& path);
  void add(const SkippedFiles& others);
  bool empty() const { return total_ == 0; }
  /// "3 (2 .webp, 1 hidden)"; empty when nothing was skipped.
  std::string describe() const;

 private:
  std::map<std::string, std::int64_t> counts_;
  std::int64_t total_ = 0;
};

}  // namespace asap::data
