// Runs of asap-train: the same bytes however they are stopped, resumed, configured and spread over
// threads.
#include <csignal>

#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Starts a training and sends it a signal once its first checkpoint stands, whatever it is doing
/// then. Returns how it ended, for the W... macros.
int signal_at_first_checkpoint(const Workspace& work, const fs::path& folder, const Words& more,
                               int signal) {
  const pid_t child = start("asap-train", tiny_training() + more + Words{"--out", folder.string()},
                            work / "out", work / "error");
  const fs::path checkpoints = folder / "checkpoint";
  int status = 0;
  bool ended = false;
  while (!ended && (!fs::exists(checkpoints) || fs::is_empty(checkpoints))) {
    ::usleep(200);
    ended = ::waitpid(child, &status, WNOHANG) == child;
  }
  if (ended) return status;
  ::kill(child, signal);
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("checkpoints and operators do not depend on the number of threads") {
  const Workspace work;
  const fs::path one = work / "one", two = work / "two";
  REQUIRE(train(one, {"--threads", "1"}).code == 0);
  REQUIRE(train(two, {"--threads", "2"}).code == 0);
  CHECK(newest_checkpoint(one) == newest_checkpoint(two));

  REQUIRE(compile(one, work / "op1", {"--threads", "1"}).code == 0);
  REQUIRE(compile(two, work / "op2", {"--threads", "2"}).code == 0);
  for (const char* name : {"operator.safetensors", "operator.json"})
    CHECK_MESSAGE(read_file(work / "op1" / name) == read_file(work / "op2" / name), name);
}

TEST_CASE("a run stopped and resumed, twice, ends like one that was never stopped") {
  const Workspace work;
  const fs::path whole = work / "whole", parts = work / "parts";
  REQUIRE(train(whole).code == 0);
  // Stops between two checkpoints, in the first epoch and in the second.
  REQUIRE(train(parts, {"--max-steps", "7"}).code == 0);
  CHECK(read_json(parts / "summary.json")["train"]["steps"] == 7);
  REQUIRE(train(parts, {"--resume", "--max-steps", "18", "--threads", "2"}).code == 0);
  REQUIRE(train(parts, {"--resume"}).code == 0);
  CHECK(newest_checkpoint(whole) == newest_checkpoint(parts));
}

TEST_CASE("a run killed without warning and resumed ends like one that was never stopped") {
  const Workspace work;
  const fs::path whole = work / "whole", killed = work / "killed";
  const Words longer = {"--set", "train.epochs=12"};
  REQUIRE(train(whole, longer).code == 0);

  const int status = signal_at_first_checkpoint(work, killed, longer, SIGKILL);
  REQUIRE(WIFSIGNALED(status));
  CHECK_FALSE(fs::exists(killed / "summary.json"));

  REQUIRE(train(killed, longer + Words{"--resume"}).code == 0);
  CHECK(newest_checkpoint(whole) == newest_checkpoint(killed));
}

TEST_CASE("a run asked to stop saves its work and ends as if it had never been, once resumed") {
  const Workspace work;
  const fs::path whole = work / "whole", stopped = work / "stopped";
  const Words longer = {"--set", "train.epochs=12"};
  REQUIRE(train(whole, longer).code == 0);
  const int status = signal_at_first_checkpoint(work, stopped, longer, SIGTERM);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + SIGTERM);
  CHECK_FALSE(fs::exists(stopped / "summary.json"));  // which says that a run has ended
  REQUIRE(train(stopped, longer + Words{"--resume"}).code == 0);
  CHECK(newest_checkpoint(whole) == newest_checkpoint(stopped));
}

TEST_CASE("resuming a run that never began says so and starts it") {
  const Workspace work;
  const Outcome outcome = train(work / "run", {"--resume"});
  CHECK(outcome.code == 0);
  CHECK(outcome.error.find("starting afresh") != std::string::npos);
  CHECK(fs::exists(work / "run" / "summary.json"));
}

TEST_CASE("a folder that holds a run is not overwritten without being asked") {
  const Workspace work;
  REQUIRE(train(work / "run", {"--max-steps", "6"}).code == 0);
  const auto before = newest_checkpoint(work / "run");
  const Outcome outcome = train(work / "run");
  CHECK(outcome.code == 2);
  CHECK(outcome.error.find("--resume") != std::string::npos);
  CHECK(newest_checkpoint(work / "run") == before);
}

TEST_CASE("--json prints the summary and nothing else, --quiet nothing at all") {
  const Workspace work;
  const Outcome json = train(work / "json", {"--json"});
  REQUIRE(json.code == 0);
  CHECK(json.error.empty());
  CHECK(parse_json(json.out, "stdout") == read_json(work / "json" / "summary.json"));

  const Outcome quiet = train(work / "quiet", {"--quiet"});
  REQUIRE(quiet.code == 0);
  CHECK(quiet.out.empty());
  CHECK(quiet.error.empty());
}

TEST_CASE("a dumped configuration trains the same network") {
  const Workspace work;
  const Outcome dumped = run("asap-train", tiny_training() + Words{"--dump-config"});
  REQUIRE(dumped.code == 0);
  write_file_atomically(work / "dumped.json", dumped.out);
  REQUIRE(run("asap-train",
              {"--config", (work / "dumped.json").string(), "--out", (work / "a").string()})
              .code == 0);
  REQUIRE(train(work / "b").code == 0);
  CHECK(newest_checkpoint(work / "a") == newest_checkpoint(work / "b"));
}

TEST_CASE("another seed gives another network, the same seed the same") {
  const Workspace work;
  REQUIRE(train(work / "a", {"--seed", "5"}).code == 0);
  REQUIRE(train(work / "b", {"--seed", "5"}).code == 0);
  REQUIRE(train(work / "c", {"--seed", "6"}).code == 0);
  const std::string model = "step-00000024/model.safetensors";
  CHECK(newest_checkpoint(work / "a").at(model) == newest_checkpoint(work / "b").at(model));
  CHECK(newest_checkpoint(work / "a").at(model) != newest_checkpoint(work / "c").at(model));
}
