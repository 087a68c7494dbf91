#include "base/file_lock.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::test;
namespace fs = std::filesystem;

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
