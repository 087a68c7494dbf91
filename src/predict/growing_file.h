#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

namespace asap::predict {

/// A file that is written piece by piece and appears under its name when it is complete.
class GrowingFile {
 public:
  /// DataError when it cannot be made.
  explicit GrowingFile(std::filesystem::path path);
  /// Removes what was written unless finish() was called.
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  /// DataError when the device takes no more.
  void append(std::string_view text);
  void finish();

 private:
  void check() const;

  std::filesystem::path path_, unfinished_;
  std::ofstream stream_;
  bool finished_ = false;
};

}  // namespace asap::predict
