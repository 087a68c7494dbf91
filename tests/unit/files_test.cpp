#include "base/files.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_lock.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

void write_folder(const fs::path& path, const char* content) {
  StagedDirectory staged(path);
  write_file_atomically(staged.path() / "file", content);
  staged.commit();
}

int count_entries(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a staged folder replaces the one that stood there and leaves nothing else") {
  const TemporaryFolder folder;
  write_folder(folder / "final", "old");
  write_folder(folder / "final", "new");
  CHECK(read_file(folder / "final" / "file") == "new");
  CHECK(count_entries(folder.path()) == 1);
}

TEST_CASE("a staged folder that is not committed leaves the old one alone") {
  const TemporaryFolder folder;
  write_folder(folder / "final", "old");
  {
    StagedDirectory staged(folder / "final");
    write_file_atomically(staged.path() / "file", "half");
  }
  CHECK(read_file(folder / "final" / "file") == "old");
  CHECK(count_entries(folder.path()) == 1);
}

TEST_CASE("what killed processes left is removed, a folder that was being replaced comes back") {
  const TemporaryFolder folder;
  fs::create_directories(folder / ".final.tmp-12345");
  write_file_atomically(folder / ".final.tmp-12345" / "file", "half");
  write_file_atomically(folder / ".summary.json.tmp-99", "half");
  write_folder(folder / ".final.replaced", "old");
  write_folder(folder / ".other.replaced", "old");
  write_folder(folder / "other", "new");
  write_file_atomically(folder / ".hidden", "the user's own");
  remove_leftovers(folder.path());
  CHECK(count_entries(folder.path()) == 3);
  CHECK(read_file(folder / "final" / "file") == "old");
  CHECK(read_file(folder / "other" / "file") == "new");
  CHECK(fs::exists(folder / ".hidden"));
  remove_leftovers(folder / "not there");
}

TEST_CASE("a folder is removed with all that is in it") {
  const TemporaryFolder folder;
  write_folder(folder / "final", "old");
  remove_folder(folder / "final");
  CHECK(count_entries(folder.path()) == 0);
}

TEST_CASE("a lock is refused while another holds it, with that one's process number") {
  const TemporaryFolder folder;
  const fs::path path = folder / ".lock";
  {
    const FileLock lock(path);
    CHECK_FALSE(lock.stale_owner());
    const std::string own = "process " + std::to_string(::getpid());
    expect_error<UsageError>([&] { const FileLock second(path); },
                             {"in use by", own.c_str(), "another folder"});
  }
  CHECK_FALSE(fs::exists(path));
  const FileLock again(path);
}

TEST_CASE("the lock of a process that died is taken over and its number named") {
  const TemporaryFolder folder;
  const fs::path path = folder / ".lock";
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(path);
    ::_exit(0);  // without destructors, as if killed
  }
  ::waitpid(child, nullptr, 0);
  REQUIRE(fs::exists(path));
  const FileLock lock(path);
  CHECK(lock.stale_owner() == child);
}

TEST_CASE("a lock in a folder that is not there is a data error") {
  expect_error<DataError>([] { const FileLock lock("/nowhere/.lock"); }, {"/nowhere/.lock"});
}
