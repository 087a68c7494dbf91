#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "io/json.h"

namespace asap::io {

/// Writes the measurements of a run as JSON lines, one object with an integer "step" per line. A
/// line is in the file, though not synced to disk, when `write` returns.
class MetricsWriter {
 public:
  /// Begins an empty file.
  explicit MetricsWriter(const std::filesystem::path& path) : MetricsWriter(path, -1) {}

  /// Continues the file of an interrupted run: lines of steps up to `resumed_step` stay; later
  /// lines, which the resumed run writes again, and a last line cut off by a crash are dropped.
  MetricsWriter(const std::filesystem::path& path, std::int64_t resumed_step);

  /// Appends one line. InternalError when it has no integer "step".
  void write(const Json& line);

  /// Syncs the file to disk, so that all lines survive a power failure.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace asap::io
