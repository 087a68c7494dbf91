#include "base/files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"

namespace asap::base {
namespace fs = std::filesystem;
namespace {

std::string system_message() { return std::strerror(errno); }

/// Closes a file descriptor at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

void sync_path(const fs::path& path, int flags) {
  const Descriptor descriptor(::open(path.c_str(), flags));
  if (descriptor.value() < 0 || ::fsync(descriptor.value()) != 0)
    throw DataError("cannot sync '" + path.string() + "': " + system_message());
}

void sync_parent(const fs::path& path) {
  const fs::path parent = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  sync_path(parent, O_RDONLY | O_DIRECTORY);
}

constexpr std::string_view kTemporaryMark = ".tmp-";
constexpr std::string_view kAsideMark = ".replaced";

fs::path temporary_name(const fs::path& path) {
  return path.parent_path() / ("." + path.filename().string() + std::string(kTemporaryMark) +
                               std::to_string(::getpid()));
}

/// Gives the folder `fresh` the name `final_path`; a folder that had this name is called `fresh`
/// afterwards.
void replace_folder(const fs::path& fresh, const fs::path& final_path) {
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, final_path.c_str(), RENAME_EXCHANGE) == 0)
    return;
  if (errno != EINVAL && errno != ENOSYS)
    throw DataError("cannot rename '" + fresh.string() + "' to '" + final_path.string() +
                    "': " + system_message());
  // File systems that cannot exchange two names: after a crash in between remove_leftovers puts the
  // old folder back.
  const fs::path aside =
      final_path.parent_path() / ("." + final_path.filename().string() + std::string(kAsideMark));
  fs::remove_all(aside);
  fs::rename(final_path, aside);
  fs::rename(fresh, final_path);
  fs::rename(aside, fresh);
}

void write_and_sync(const fs::path& path, std::string_view content) {
  const Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (descriptor.value() < 0)
    throw DataError("cannot write '" + path.string() + "': " + system_message(),
                    "check that the folder exists and may be written");
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::write(descriptor.value(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw DataError("cannot write '" + path.string() + "': " + system_message(),
                      "free some space on the disk or choose another folder");
    done += static_cast<std::size_t>(count);
  }
  if (::fsync(descriptor.value()) != 0)
    throw DataError("cannot sync '" + path.string() + "': " + system_message());
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    throw DataError("'" + path.string() + "' is a folder, a file was expected");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw DataError("cannot open '" + path.string() + "': " + system_message());
  std::string content;
  char buffer[1 << 16];
  while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0)
    content.append(buffer, static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) throw DataError("cannot read '" + path.string() + "': " + system_message());
  return content;
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  const fs::path temporary = temporary_name(path);
  try {
    write_and_sync(temporary, content);
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      throw DataError("cannot rename '" + temporary.string() + "' to '" + path.string() +
                      "': " + system_message());
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_parent(path);
}

StagedDirectory::StagedDirectory(fs::path final_path)
    : final_(std::move(final_path)), staging_(temporary_name(final_)) {
  if (final_.has_parent_path()) make_directories(final_.parent_path());
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
  make_directories(staging_);
}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(staging_, ignored);
}

void StagedDirectory::commit() {
  sync_path(staging_, O_RDONLY | O_DIRECTORY);
  std::error_code error;
  if (fs::exists(final_)) {
    replace_folder(staging_, final_);
  } else {
    fs::rename(staging_, final_, error);
    if (error)
      throw DataError("cannot rename '" + staging_.string() + "' to '" + final_.string() +
                      "': " + error.message());
  }
  committed_ = true;
  sync_parent(final_);
  fs::remove_all(staging_, error);  // what stood there before
}

void remove_folder(const fs::path& path) {
  const fs::path temporary = temporary_name(path);
  fs::rename(path, temporary);
  fs::remove_all(temporary);
}

void remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> temporary;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.')) continue;
    if (name.find(kTemporaryMark) != std::string::npos) temporary.push_back(it->path());
    if (!name.ends_with(kAsideMark)) continue;
    const fs::path original = folder / name.substr(1, name.size() - 1 - kAsideMark.size());
    if (fs::exists(original))
      temporary.push_back(it->path());
    else
      fs::rename(it->path(), original);
  }
  for (const fs::path& path : temporary) fs::remove_all(path);
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path))
    throw UsageError("cannot create the folder '" + path.string() + "'" +
                         (error ? ": " + error.message() : ": a file is in the way"),
                     "choose another folder");
}

std::string content_fingerprint(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

}  // namespace asap::base
