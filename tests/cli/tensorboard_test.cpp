// asap-train --tensorboard: event files that are a function of the metrics alone.
#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::base;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

std::string events_of(const fs::path& run_folder) {
  std::string content;
  for (const auto& entry : fs::directory_iterator(run_folder / "tensorboard")) {
    CHECK(entry.path().filename().string().find("tfevents") != std::string::npos);
    content += read_file(entry.path());
  }
  return content;
}

}  // namespace

TEST_CASE("a run that lost its last steps and was resumed has the event file of one that did not") {
  const Workspace work;
  REQUIRE(train(work / "whole", {"--tensorboard"}).code == 0);
  const std::string whole = events_of(work / "whole");
  CHECK(whole.find("train/loss") != std::string::npos);
  CHECK(whole.find("train/learning_rate") != std::string::npos);
  CHECK(whole.find("train/gradient_norm") != std::string::npos);
  CHECK(whole.find("test/accuracy") != std::string::npos);

  REQUIRE(train(work / "killed", {"--tensorboard", "--max-steps", "14"}).code == 0);
  const std::string before = events_of(work / "killed");
  CHECK(whole.starts_with(before));
  // As after a kill: the newest checkpoint is older than the last lines of metrics and events.
  fs::remove_all(work / "killed/checkpoint/step-00000014");
  REQUIRE(train(work / "killed", {"--tensorboard", "--resume"}).code == 0);
  CHECK(read_file(work / "killed/metrics.jsonl") == read_file(work / "whole/metrics.jsonl"));
  CHECK(events_of(work / "killed") == whole);

  // A finished run gets one afterwards, with any number of threads.
  REQUIRE(train(work / "late", {"--threads", "1"}).code == 0);
  CHECK_FALSE(fs::exists(work / "late/tensorboard"));
  REQUIRE(train(work / "late", {"--resume", "--tensorboard"}).code == 0);
  CHECK(events_of(work / "late") == whole);
}

TEST_CASE("--tensorboard is refused where nothing is written, and does not touch another's run") {
  const Workspace work;
  check_refusal(train(work / "run", {"--tensorboard", "--dry-run"}), 2, {"--tensorboard"});
  REQUIRE(train(work / "run", {"--max-steps", "1"}).code == 0);
  check_refusal(train(work / "run", {"--tensorboard"}), 2, {"already holds a training run"});
  CHECK_FALSE(fs::exists(work / "run/tensorboard"));
}
