#include "base/files.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

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

TEST_CASE("an atomic write replaces the file and leaves nothing beside it") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  write_file_atomically(path, "old");
  write_file_atomically(path, "new");
  CHECK(read_file(path) == "new");
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
  expect_error<DataError>([&] { write_file_atomically(folder.path() / "no" / "file", "x"); },
                          {"cannot write"});
  expect_error<DataError>([&] { read_file(folder.path() / "absent"); }, {"absent"});
  expect_error<DataError>([&] { read_file(folder.path()); }, {"is a folder"});
}

TEST_CASE("a staged folder appears only when committed, and replaces an older one") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "result";
  {
    const StagedDirectory abandoned(path);
    write_file_atomically(abandoned.path() / "a", "1");
  }
  CHECK(fs::is_empty(folder.path()));
  for (const char* content : {"first", "second"}) {
    StagedDirectory staged(path);
    write_file_atomically(staged.path() / "a", content);
    staged.commit();
    CHECK(read_file(path / "a") == content);
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}
