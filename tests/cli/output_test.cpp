// What commands print, and where: --json one document, --quiet nothing, the header before the data.
#include <cmath>

#include <doctest/doctest.h>

#include "base/text.h"
#include "cli/process.h"
#include "support/share.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

struct Invocation {
  std::string program;
  Words words;
};

/// Every command on a tiny network; `out` is theirs to make folders in.
std::vector<Invocation> every_command(const Workspace& work, const std::string& out) {
  const std::string teacher = work / "teacher", compiled = work / "operator";
  const std::string network = work / "fit/network.json";
  const auto folder = [&](const std::string& name) { return (work / (out + name)).string(); };
  const Words run = {"--run", teacher}, both = run + Words{"--compiled", compiled};
  return {
      {"asap-train", tiny_training() + Words{"--max-steps", "4", "--out", folder("t")}},
      {"asap-compile",
       run + Words{"--calibration", "32", "--set", "held_out=16", "--out", folder("o")}},
      {"asap-eval",
       Words{"compare"} + both + Words{"--methods", "teacher,compiled", "--out", folder("c")}},
      {"asap-eval", Words{"diagnose"} + both + Words{"--examples", "8", "--out", folder("d")}},
      {"asap-eval", Words{"drift"} + both + Words{"--examples", "8", "--out", folder("h")}},
      {"asap-eval",
       {"bench", "--sizes", "16", "--forms", "softmax,sinkhorn_exp", "--rounds", "1", "--out",
        folder("b")}},
      {"relu-fit",
       {"fit", "--function", "x^2", "--method", "free", "--depth", "2", "--points", "50", "--out",
        folder("f")}},
      {"relu-fit",
       {"bench", "--targets", "x3", "--methods", "free", "--seeds", "1", "--depth", "2", "--out",
        folder("s")}},
      {"relu-fit", {"regions", "--network", network}},
      {"relu-fit", {"floor", "--function", "x3", "--pieces", "4"}},
      {"relu-fit", {"eval", "--network", network, "--x", "0.5"}},
      {"relu-fit", {"export", "--network", network, "--formats", "json", "--out", folder("e")}}};
}

/// What the commands above need to be there.
void prepare(const Workspace& work) {
  REQUIRE(train(work / "teacher").code == 0);
  REQUIRE(compile(work / "teacher", work / "operator").code == 0);
  REQUIRE(run("relu-fit", {"fit", "--function", "x^2", "--method", "free", "--depth", "2",
                           "--points", "50", "--out", work / "fit"})
              .code == 0);
}

}  // namespace

TEST_CASE(
    "--json prints one JSON document and nothing else, --quiet nothing, whatever the command") {
  const Workspace work;
  prepare(work);
  for (const Invocation& command : every_command(work, "json-")) {
    CAPTURE(command.program + " " + command.words.front());
    const Outcome outcome = run(command.program, command.words + Words{"--json"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
    CHECK(outcome.error.empty());
    CHECK(parse_json(outcome.out, "stdout").is_object());
  }
  std::int64_t index = 0;
  for (const Invocation& command : every_command(work, "quiet-")) {
    if (!in_share(index++)) continue;
    CAPTURE(command.program + " " + command.words.front());
    const Outcome outcome = run(command.program, command.words + Words{"--quiet"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
    CHECK(outcome.out.empty());
    CHECK(outcome.error.empty());
  }
}

TEST_CASE(
    "a standard output that takes nothing is an error with exit code 3, whatever is printed") {
  const Workspace work;
  prepare(work);
  const auto expect_failure = [](const std::string& program, const Words& words) {
    const Outcome outcome = run_onto("/dev/full", program, words);
    CAPTURE(program + " " + (words.empty() ? "" : words.front()));
    CHECK(outcome.code == 3);
    CHECK_MESSAGE(
        last_line(outcome.error).find("error: cannot write to standard output: No space left") !=
            std::string::npos,
        outcome.error);
  };
  std::int64_t index = 0;
  for (const Invocation& command : every_command(work, "text-"))
    if (in_share(index++)) expect_failure(command.program, command.words);
  for (const Invocation& command : every_command(work, "json-"))
    if (in_share(index++)) expect_failure(command.program, command.words + Words{"--json"});
  for (const Invocation& command : every_command(work, "help-")) {
    const bool has_commands = !command.words.front().starts_with("-");
    const Words name = has_commands ? Words{command.words.front()} : Words{};
    for (const char* flag : {"--help", "--version"})
      expect_failure(command.program, name + Words{flag});
  }
  for (const Words& words : {Words{"--help-keys"}, Words{"--dump-config"}, Words{"--dry-run"},
                             Words{"--help-format", "man"}, Words{"--help-format", "zsh"}})
    expect_failure("asap-train", words.front() == "--dry-run" ? tiny_training() + words : words);
  expect_failure("asap-compile", {"--dump-config", "minimal", "--set", "slices=3"});
  expect_failure("asap-eval", {"bench", "--dump-config"});
  expect_failure("relu-fit", {"fit", "--function", "x", "--dump-config", "full"});
  // What --quiet does not print cannot fail, and the results were complete before the error.
  CHECK(run_onto("/dev/full", "relu-fit", {"floor", "--function", "x3", "--quiet"}).code == 0);
  if (in_full()) CHECK(std::filesystem::exists(work / "text-f/summary.json"));
}

TEST_CASE("a header says what runs before any data are read") {
  const Workspace work;
  const Outcome outcome = run("asap-train", {"--set", "data.path=/nowhere", "--out", work / "run"});
  CHECK(outcome.code == 3);
  CHECK(outcome.error.starts_with("asap-train "));
  for (const char* part : {"  threads ", "  seed ", "  SIMD "})
    CHECK_MESSAGE(outcome.error.find(part) != std::string::npos, part);

  // With nothing but a folder, what will be trained is said, whether or not the data are there.
  const Outcome plain = run("asap-train", {"--init-from", "/nowhere", "--out", work / "plain"});
  CHECK(plain.error.find("  config      none was given; trains the defaults: ") !=
        std::string::npos);
  CHECK(plain.error.find(" on fashion-mnist (hint: --config FILE") != std::string::npos);
  CHECK(outcome.error.find("none was given") == std::string::npos);

  const Outcome trained = train(work / "teacher");
  for (const char* part : {"  data ", "  model ", "  parameters ", "  memory ", "  training "})
    CHECK_MESSAGE(trained.error.find(part) != std::string::npos, part);
  const Outcome compiled = compile(work / "teacher", work / "operator");
  CHECK(compiled.error.starts_with("asap-compile "));
  CHECK(compiled.error.find("  parameters ") != std::string::npos);
}

TEST_CASE("every command and subcommand has an example in its help, and every option a purpose") {
  const std::vector<std::pair<std::string, Words>> commands = {
      {"asap-train", {}},         {"asap-compile", {}},     {"asap-eval", {}},
      {"asap-eval", {"compare"}}, {"asap-eval", {"bench"}}, {"asap-eval", {"diagnose"}},
      {"relu-fit", {}},           {"relu-fit", {"fit"}},    {"relu-fit", {"bench"}},
      {"relu-fit", {"regions"}},  {"relu-fit", {"floor"}},  {"relu-fit", {"eval"}},
      {"relu-fit", {"export"}}};
  for (const auto& [program, words] : commands) {
    const Outcome help = run(program, words + Words{"--help"});
    CAPTURE(help.out);
    CHECK(help.code == 0);
    CHECK(help.out.find("\nExample") != std::string::npos);
    CHECK(help.out.find("\n  " + program + " ") != std::string::npos);
    for (const std::string& line : split(help.out, '\n')) CHECK_MESSAGE(line.size() <= 90, line);
  }
}

TEST_CASE("a minimal dump trains the same network as the full one") {
  const Workspace work;
  const Outcome minimal = run("asap-train", tiny_training() + Words{"--dump-config", "minimal"});
  REQUIRE(minimal.code == 0);
  const Json changed = parse_json(minimal.out, "stdout");
  CHECK(changed["data"]["shapes"]["image_size"] == 8);
  CHECK_FALSE(changed["data"]["shapes"].contains("noise"));
  CHECK_FALSE(changed.contains("seed"));
  write_file_atomically(work / "minimal.json", minimal.out);
  const Outcome again =
      run("asap-train", {"--config", work / "minimal.json", "--dump-config", "full"});
  CHECK(again.out == run("asap-train", tiny_training() + Words{"--dump-config"}).out);
}

TEST_CASE("mistyped words are answered with the nearest one") {
  const auto hint = [](const std::string& program, const Words& words) {
    const Outcome outcome = run(program, words);
    CHECK(outcome.code == 2);
    return last_line(outcome.error);
  };
  for (const auto& [words, nearest] : {std::pair(Words{"--max-step", "3"}, "--max-steps"),
                                       {{"--set", "train.epoch=3"}, "train.epochs"},
                                       {{"--set", "epoch=3"}, "train.epochs"},
                                       {{"--set", "modle.width=3"}, "model"},
                                       {{"--set", "model.attention.kind=sinkhron"}, "sinkhorn"},
                                       {{"--dump-config", "ful"}, "full"}})
    CHECK(hint("asap-train", words).find("did you mean '" + std::string(nearest) + "'?") !=
          std::string::npos);
  CHECK(hint("relu-fit", {"fti"}).find("did you mean 'fit'?") != std::string::npos);
  CHECK(hint("relu-fit", {"fit", "--method", "smoth"}).find("did you mean 'smooth'?") !=
        std::string::npos);
  CHECK(hint("asap-compile", {"--objective", "rigde"}).find("did you mean 'ridge'?") !=
        std::string::npos);
  CHECK(hint("asap-eval", {"bench", "--forms", "sofmax", "--out", "/nowhere"})
            .find("did you mean 'softmax'?") != std::string::npos);
}

TEST_CASE("--dry-run and --overfit-one-batch answer without writing anything") {
  const Workspace work;
  const Outcome estimate =
      run("asap-train", tiny_training() + Words{"--dry-run", "--out", work / "run"});
  CHECK(estimate.code == 0);
  for (const char* part : {"steps ", "time ", "memory "})
    CHECK_MESSAGE(estimate.out.find(part) != std::string::npos, part);
  const Outcome json =
      run("asap-train", tiny_training() + Words{"--dry-run", "--json", "--threads", "1"});
  const Json estimated = parse_json(json.out, "stdout")["estimate"];
  CHECK(estimated["seconds"].get<double>() > 0);
  REQUIRE(train(work / "real", {"--threads", "1"}).code == 0);
  const Json real = read_json(work / "real/summary.json");
  CHECK(estimated["step_peak_bytes"] == real["train"]["step_peak_bytes"]);
  const double peak = real["memory"]["peak_bytes"].get<double>();
  CHECK(std::abs(estimated["peak_bytes"].get<double>() - peak) < 0.25 * peak);
  const Outcome learned = run("asap-train", tiny_training() + Words{"--overfit-one-batch", "--set",
                                                                    "train.learning_rate=0.003"});
  CHECK(learned.code == 0);
  CHECK(learned.out.find("memorised one batch") != std::string::npos);
  const Outcome stuck = run("asap-train", tiny_training() + Words{"--overfit-one-batch", "--set",
                                                                  "train.learning_rate=1e-9"});
  CHECK(stuck.code == 4);
  CHECK(last_line(stuck.error).find("did not memorise one batch") != std::string::npos);
  CHECK(run("asap-train", {"--dry-run", "--overfit-one-batch"}).code == 2);
  CHECK_FALSE(std::filesystem::exists(work / "run"));
}
