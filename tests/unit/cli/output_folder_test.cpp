#include "cli/output_folder.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"
#include "unit/cli/run_tool.h"

using namespace asap::base;
using namespace asap::cli;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Runs "tool --out FOLDER WORDS", which writes FOLDER/result.
Outcome use(const fs::path& folder, std::vector<const char*> words, bool fails = false) {
  const std::string out = folder.string();
  words.insert(words.end(), {"--out", out.c_str(), "--quiet"});
  return run(words, [&](const Arguments& arguments) {
    CLI::App app("Writes a result");
    CommonOptions options;
    add_common_options(app, options, "tool", "tool --out DIR");
    arguments.parse(app);
    OutputFolder output(options);
    CHECK(fs::is_directory(folder));
    if (fails) throw DataError("nothing to compute");
    output.begin();
    CHECK_FALSE(fs::exists(folder / "summary.json"));
    write_file_atomically(folder / "result", "1");
    output.finish({{"result", 1}}, "one\n");
  });
}

}  // namespace

TEST_CASE("a folder of results names its command and its settings") {
  const TemporaryFolder folder;
  REQUIRE(use(folder / "a", {"--seed", "3", "--threads", "1"}).code == 0);
  const Json command = read_json(folder / "a/command.json");
  CHECK(command == Json{{"command", "tool"}, {"settings", {{"seed", {"3"}}}}});
  CHECK(fs::exists(folder / "a/summary.json"));
  CHECK(use(folder / "a", {"--threads", "2", "--seed", "3"}).code == 0);
  CHECK(use(folder / "a", {"--seed", "4"}).code == 2);
  CHECK(use(folder / "a", {"--seed", "4", "--overwrite"}).code == 0);
}

TEST_CASE("work that fails leaves no folder, and earlier results as they were") {
  const TemporaryFolder folder;
  CHECK(use(folder / "new/deep/", {}, true).code == 3);
  CHECK_FALSE(fs::exists(folder / "new"));
  fs::create_directory(folder / "mine");
  CHECK(use(folder / "mine/deep", {}, true).code == 3);
  CHECK(fs::is_empty(folder / "mine"));
  CHECK(use(folder / "mine", {}, true).code == 3);
  CHECK(fs::exists(folder / "mine"));
  REQUIRE(use(folder / "mine", {}).code == 0);
  CHECK(use(folder / "mine", {}, true).code == 3);
  CHECK(fs::exists(folder / "mine/summary.json"));
}

TEST_CASE("a damaged command.json keeps the results") {
  const TemporaryFolder folder;
  for (const char* damaged : {"[1]", R"({"command": 3})", R"({"command": "tool"})"}) {
    write_file_atomically(folder / "command.json", damaged);
    CAPTURE(damaged);
    CHECK(use(folder.path(), {}).code == 2);
  }
  write_file_atomically(folder / "command.json", "{");
  CHECK(use(folder.path(), {}).code == 3);
}
