#pragma once

#include <filesystem>
#include <optional>

namespace asap::base {

/// Keeps other processes out of a folder during its lifetime: creates `path` with this process's
/// number in it, locks it (flock), and removes it at the end. The kernel drops the lock of a
/// process that dies, so that a stale file is recognised and taken over.
class FileLock {
 public:
  /// UsageError names the file and the process that holds the lock; DataError when the file cannot
  /// be created. The folder must exist.
  explicit FileLock(std::filesystem::path path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// Number of the dead process whose lock was taken over, if there was one.
  std::optional<int> stale_owner() const { return stale_owner_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::optional<int> stale_owner_;
};

}  // namespace asap::base
