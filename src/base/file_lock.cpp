#include "base/file_lock.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace asap::base {
namespace {

/// The process number in a lock file.
std::optional<int> read_owner(int descriptor) {
  char text[32];
  const ssize_t count = ::pread(descriptor, text, sizeof text, 0);
  int owner = 0;
  if (count <= 0 || std::from_chars(text, text + count, owner).ec != std::errc()) return {};
  return owner;
}

/// Whether the open file still has its name: the previous owner may have removed it.
bool still_named(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {
  }, named_file{};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named_file) == 0 &&
         open_file.st_ino == named_file.st_ino && open_file.st_dev == named_file.st_dev;
}

void write_owner(int descriptor) {
  const std::string text = std::to_string(::getpid()) + "\n";
  // The number is for people; the lock also holds without it, for example on a full disk.
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return;
}

}  // namespace

FileLock::FileLock(std::filesystem::path path) : path_(std::move(path)) {
  while (descriptor_ < 0) {
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0)
      throw DataError("cannot make the lock '" + path_.string() + "': " + std::strerror(errno),
                      "check that the folder may be written");
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      const std::optional<int> owner = read_owner(descriptor);
      ::close(descriptor);
      if (reason == EINTR) continue;
      if (reason != EWOULDBLOCK)
        throw DataError("cannot lock '" + path_.string() + "': " + std::strerror(reason),
                        "the file system must support locks; choose another folder");
      throw UsageError("'" + path_.parent_path().string() + "' is in use by process " +
                           (owner ? std::to_string(*owner) : "unknown") + " (" + path_.string() +
                           ")",
                       "wait for it to end, or choose another folder");
    }
    if (still_named(descriptor, path_))
      descriptor_ = descriptor;
    else
      ::close(descriptor);
  }
  stale_owner_ = read_owner(descriptor_);
  write_owner(descriptor_);
}

FileLock::~FileLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace asap::base
