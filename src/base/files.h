#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace asap::base {

/// Whole content of a file. DataError names the path when it is missing or cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` by `content` so that a crash at any moment leaves either the old file or the new
/// one: written beside it under a temporary name, synced, renamed, and the folder synced.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// A folder that appears under its name only when complete. Files are written into `path()`;
/// `commit()` renames it to the final name and replaces a folder of that name in one step.
/// Without commit the destructor removes what was written.
class StagedDirectory {
 public:
  explicit StagedDirectory(std::filesystem::path final_path);
  ~StagedDirectory();
  StagedDirectory(const StagedDirectory&) = delete;
  StagedDirectory& operator=(const StagedDirectory&) = delete;

  const std::filesystem::path& path() const { return staging_; }
  void commit();

 private:
  std::filesystem::path final_;
  std::filesystem::path staging_;
  bool committed_ = false;
};

/// Removes a folder and its content; a crash at any moment leaves it whole or under a
/// temporary name.
void remove_folder(const std::filesystem::path& path);

/// Removes what the functions above left in `folder` when their process was killed, and puts back a
/// folder that was being replaced. Only for a folder that no other process writes to.
void remove_leftovers(const std::filesystem::path& folder);

/// Creates the folder and its parents; UsageError when a file is in the way or the folder cannot
/// be created.
void make_directories(const std::filesystem::path& path);

/// XXH3-128 of the bytes in hexadecimal, which identifies files, data sets and models.
std::string content_fingerprint(std::string_view bytes);

}  // namespace asap::base
