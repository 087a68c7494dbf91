#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "io/json.h"

namespace asap::io {

/// Writes what is measured during a run as JSON lines, one object with an integer "step" per line,
/// each on disk (as far as the process is concerned) when `write` returns.
class MetricsWriter {
 public:
  /// Starts an empty file.
  explicit MetricsWriter(const std::filesystem::path& path) : MetricsWriter(path, -1) {}

  /// Goes on with the file of an interrupted run: lines of steps up to `resumed_step` stay, later
  /// ones (which the resumed run writes again) and a last line cut off by a crash are dropped.
  MetricsWriter(const std::filesystem::path& path, std::int64_t resumed_step);

  /// Appends one line. InternalError when it has no integer "step".
  void write(const Json& line);

  /// Makes sure that all lines survive even a power failure.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace asap::io
