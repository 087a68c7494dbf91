#include <atomic>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "base/files.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/text.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::test;
namespace fs = std::filesystem;

TEST_CASE(
    "a random stream is a pure function of its key, and keys that differ give other numbers") {
  RandomStream a(1, RandomPurpose::test, 2, 3), b(1, RandomPurpose::test, 2, 3);
  std::set<std::uint32_t> first;
  for (int i = 0; i < 100; ++i) CHECK(a.next() == b.next());
  for (const auto& [seed, x, y] :
       std::vector<std::tuple<int, int, int>>{{1, 2, 3}, {2, 2, 3}, {1, 3, 3}, {1, 2, 4}})
    first.insert(RandomStream(seed, RandomPurpose::test, x, y).next());
  first.insert(RandomStream(1, RandomPurpose::dropout, 2, 3).next());
  CHECK(first.size() == 5);
}

TEST_CASE("uniform, normal and below have the moments they should") {
  RandomStream random(1, RandomPurpose::test);
  constexpr int kDraws = 200000;
  double uniform = 0, normal = 0, square = 0;
  std::vector<int> counts(7);
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    uniform += u;
    const double z = random.normal();
    normal += z;
    square += z * z;
    ++counts[random.below(7)];
  }
  // Five standard errors: .29, 1 and 1.41 over sqrt(200000), and sqrt(p (1 - p) n) = 156 for the
  // counts.
  CHECK(std::abs(uniform / kDraws - 0.5) < 5 * 0.29 / std::sqrt(kDraws));
  CHECK(std::abs(normal / kDraws) < 5 / std::sqrt(kDraws));
  CHECK(std::abs(square / kDraws - 1) < 5 * 1.42 / std::sqrt(kDraws));
  for (const int count : counts) CHECK(std::abs(count - kDraws / 7.0) < 5 * 157);
}

TEST_CASE("parallel_for visits every index once and rethrows what a body throws") {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> visits(100);
    parallel_for(100, threads, [&](std::int64_t index, int worker) {
      CHECK(worker < threads);
      ++visits[static_cast<std::size_t>(index)];
    });
    for (const auto& count : visits) CHECK(count == 1);
    CHECK_THROWS_AS(parallel_for(10, threads,
                                 [](std::int64_t index, int) {
                                   if (index == 7) throw DataError("seven");
                                 }),
                    DataError);
  }
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

TEST_CASE("the nearest name is found for typing errors only") {
  const std::vector<std::string> names = {"width", "heads", "layers"};
  CHECK(nearest_name("widht", names) == "width");
  CHECK(nearest_name("layer", names) == "layers");
  CHECK(nearest_name("temperature", names).empty());
  CHECK(suggestion("head", names) == "did you mean 'heads'?");
  CHECK(suggestion("temperature", names) == "expected one of: width, heads, layers");
}

TEST_CASE("split and join are inverse, and numbers read back exactly") {
  CHECK(split("a,b,,c", ',') == std::vector<std::string>{"a", "b", "", "c"});
  CHECK(split("a,", ',') == std::vector<std::string>{"a", ""});
  CHECK(split("", ',').empty());
  CHECK(join(split("x y z", ' '), "-") == "x-y-z");
  for (const double value : {0.1, 1e-300, 1.0 / 3, 12345.678, -0.0})
    CHECK(std::stod(format_number(value)) == value);
}
