// No command loses results: those of other commands, and its own of other settings.
#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/idx.h"
#include "support/share.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Every file of a folder, by its path.
std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().string()] = read_file(entry.path());
  return files;
}

struct Invocation {
  std::string program;
  Words words;
  Words other = {};  ///< changes a setting
};

/// Every command that writes results, with a small task, without --out.
std::vector<Invocation> every_command(const Workspace& work) {
  const Words run = {"--run", work / "teacher"};
  const Words network = {"--network", work / "fit/network.json"};
  return {
      {"asap-compile", run + Words{"--calibration", "32", "--set", "held_out=16"}, {"--seed", "9"}},
      {"asap-eval",
       Words{"compare"} + run + Words{"--methods", "teacher", "--examples", "8"},
       {"--set", "shown_examples=1"}},
      {"asap-eval",
       Words{"predict"} + run + Words{"--input", work / "images-idx3-ubyte"},
       {"--top", "2"}},
      {"asap-eval", Words{"diagnose"} + run + Words{"--examples", "8"}, {"--iterations", "2"}},
      {"asap-eval",
       {"bench", "--sizes", "16", "--forms", "softmax", "--rounds", "1"},
       {"--seed", "9"}},
      {"relu-fit",
       {"fit", "--function", "x^2", "--method", "free", "--depth", "2", "--points", "50"},
       {"--seed", "9"}},
      {"relu-fit",
       {"bench", "--targets", "x3", "--methods", "free", "--seeds", "1", "--depth", "2"},
       {"--seed", "9"}},
      {"relu-fit", Words{"eval"} + network + Words{"--x", "0.5"}, {"--x", "0.6"}},
      {"relu-fit", Words{"regions"} + network, {"--interval", "0", "0.5"}},
      {"relu-fit", {"floor", "--function", "x3", "--pieces", "4"}, {"--interval", "0", "2"}},
      {"relu-fit", Words{"export"} + network, {"--name", "other"}}};
}

void prepare(const Workspace& work) {
  write_file_atomically(work / "images-idx3-ubyte",
                        serialise_idx({{2, 8, 8}, std::vector<std::uint8_t>(128, 100)}));
  REQUIRE(train(work / "teacher", {"--max-steps", "4"}).code == 0);
  REQUIRE(run("relu-fit", {"fit", "--function", "x^2", "--method", "free", "--depth", "2",
                           "--points", "50", "--out", work / "fit"})
              .code == 0);
}

/// Runs a command that must be refused and must change nothing in its --out folder.
void expect_refusal(const Invocation& command, const fs::path& out, const std::string& part) {
  const auto before = files_of(out);
  const Outcome outcome = run(command.program, command.words + Words{"--out", out.string()});
  CAPTURE(command.program + " " + command.words.front());
  CHECK(outcome.code == 2);
  CHECK_MESSAGE(last_line(outcome.error).find(part) != std::string::npos, outcome.error);
  CHECK(files_of(out) == before);
}

}  // namespace

TEST_CASE("no command replaces the results of another, not even with --overwrite") {
  const Workspace work;
  prepare(work);
  const Words overwrite = {"--overwrite"};
  for (const auto& [program, words, other] : every_command(work)) {
    expect_refusal({program, words}, work / "teacher", "holds a training run");
    expect_refusal({program, words + overwrite}, work / "teacher", "holds a training run");
    if (words.front() == "fit") continue;
    expect_refusal({program, words}, work / "fit", "holds the results of relu-fit fit");
    expect_refusal({program, words + overwrite}, work / "fit", "holds the results of relu-fit fit");
  }
  expect_refusal({"asap-train", tiny_training()}, work / "fit", "holds the results of relu-fit");
  expect_refusal({"asap-train", tiny_training()}, work / "teacher", "--resume");
}

TEST_CASE("a command replaces its own results: of the same settings, of others with --overwrite") {
  const Workspace work;
  prepare(work);
  std::int64_t index = 0;
  for (const auto& [program, words, other] : every_command(work)) {
    if (!in_share(index++)) continue;
    const std::string name = program + "-" + words.front();
    CAPTURE(name);
    const fs::path folder = work / name;
    const Words out = {"--out", folder.string()};
    REQUIRE(run(program, words + out).code == 0);
    CHECK(run(program, words + out + Words{"--threads", "1", "--quiet"}).code == 0);
    expect_refusal({program, words + other}, folder, "with other settings");
    CHECK(run(program, words + other + Words{"--overwrite"} + out).code == 0);
    expect_refusal({program, words}, folder, "--overwrite");
    CHECK(run(program, words + other + out).code == 0);
  }
}

TEST_CASE("the same settings are recognised however paths and configurations are written") {
  const Workspace work;
  prepare(work);
  const std::string out = work / "operator", teacher = work / "teacher";
  write_file_atomically(work / "a.json", R"({"calibration": 32, "held_out": 16})");
  write_file_atomically(work / "b.json", "{\"held_out\": 16,\n \"calibration\": 32}\n");
  write_file_atomically(work / "c.json", R"({"calibration": 33, "held_out": 16})");
  const auto compile_with = [&](const std::string& run_folder, const char* config) {
    return run("asap-compile", {"--run", run_folder, "--config", work / config, "--out", out}).code;
  };
  CHECK(compile_with(teacher, "a.json") == 0);
  CHECK(compile_with(teacher + "/../teacher/", "b.json") == 0);
  CHECK(compile_with(teacher, "c.json") == 2);
  CHECK(read_json(out + "/command.json")["command"] == "asap-compile");
}

TEST_CASE(
    "folders of earlier versions, which do not name their command, are not replaced unasked") {
  const Workspace work;
  prepare(work);
  const auto [program, words, other] = every_command(work)[4];
  fs::remove(work / "fit/command.json");
  expect_refusal({program, words}, work / "fit", "unknown command");
  expect_refusal({"asap-train", tiny_training()}, work / "fit", "unknown command");
  CHECK(run(program, words + Words{"--overwrite", "--out", work / "fit"}).code == 0);
  CHECK(run(program, words + Words{"--out", work / "fit"}).code == 0);
  const Invocation compiling = every_command(work)[0];
  REQUIRE(run("asap-compile", compiling.words + Words{"--out", work / "operator"}).code == 0);
  fs::remove(work / "operator/command.json");
  expect_refusal(compiling, work / "operator", "unknown settings");
  expect_refusal({program, words}, work / "operator", "holds the results of asap-compile");
  // Files that are no results are in nobody's way.
  fs::create_directory(work / "notes");
  write_file_atomically(work / "notes/config.json", "{}");
  CHECK(run(program, words + Words{"--out", work / "notes"}).code == 0);
}

TEST_CASE("--out is made before the work, and goes again when the work fails") {
  const Workspace work;
  prepare(work);
  write_file_atomically(work / "file", "x");
  // Before any data are read, so the missing run is not what is reported.
  for (const auto& [program, words, other] :
       {Invocation{"asap-compile", {"--run", "/nowhere-run"}},
        Invocation{"relu-fit", {"floor", "--function", "x", "--pieces", "4"}}}) {
    const Outcome outcome = run(program, words + Words{"--out", work / "file"});
    CHECK(outcome.code != 0);
    CHECK(run(program, words + Words{"--out", work / "file/deeper"}).code != 0);
  }
  CHECK(run("asap-eval", {"compare", "--run", work / "teacher", "--methods", "compiled", "--out",
                          work / "new/deep/compare/"})
            .code != 0);
  CHECK_FALSE(fs::exists(work / "new"));
  CHECK(run("relu-fit", {"fit", "--data", work / "missing.csv", "--out", work / "new/fit"}).code !=
        0);
  CHECK_FALSE(fs::exists(work / "new"));
  // Results that were there stay when their replacement fails.
  const auto before = files_of(work / "fit");
  CHECK(
      run("relu-fit", {"fit", "--data", work / "missing.csv", "--overwrite", "--out", work / "fit"})
          .code != 0);
  CHECK(files_of(work / "fit") == before);
}
