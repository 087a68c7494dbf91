// What a training may change when it resumes, which checkpoint is the best, and what follows a
// divergence.
#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

TEST_CASE("resuming refuses a changed field by name unless it is allowed") {
  const Workspace work;
  const fs::path folder = work / "run";
  REQUIRE(train(folder, {"--max-steps", "5"}).code == 0);
  const Words changed = {"--resume", "--set", "train.learning_rate=0.02"};
  const Outcome refused = train(folder, changed);
  CHECK(refused.code == 2);
  CHECK(refused.error.find("train.learning_rate is 0.02, but the run was started with 0.01") !=
        std::string::npos);
  CHECK(refused.error.find("--allow train.learning_rate") != std::string::npos);
  CHECK(train(folder, changed + Words{"--allow", "train.epochs"}).code == 2);
  const Outcome misspelt = train(folder, changed + Words{"--allow", "train.learning_rat"});
  CHECK(misspelt.code == 2);
  CHECK(misspelt.error.find("did you mean 'train.learning_rate'?") != std::string::npos);
  CHECK(train(folder, {"--set", "train.learning_rate=0.02", "--allow", "train"}).code == 2);

  CHECK(train(folder, {"--resume", "--allow", "seed", "--seed", "9"}).code == 2);
  CHECK(train(folder, {"--resume", "--allow", "model", "--set", "model.width=8"}).code == 2);

  REQUIRE(train(folder, changed + Words{"--allow", "train.learning_rate"}).code == 0);
  CHECK(read_json(folder / "config.json")["train"]["learning_rate"] == 0.02);
}

TEST_CASE("resuming suggests no --allow for a field that changes the training data") {
  const Workspace work;
  const fs::path folder = work / "run";
  REQUIRE(train(folder, {"--max-steps", "5"}).code == 0);
  for (const char* change :
       {"data.shapes.noise=0.2", "data.shapes.seed=7", "data.train_examples=100"}) {
    const std::string field = std::string(change).substr(0, std::string(change).find('='));
    for (const Words& allowed : {Words{}, Words{"--allow", field}, Words{"--allow", "data"}}) {
      const Outcome refused = train(folder, Words{"--resume", "--set", change} + allowed);
      CHECK(refused.code == 2);
      const std::string error = last_line(refused.error);
      CHECK_MESSAGE(error.find(field + " is ") != std::string::npos, error);
      CHECK_MESSAGE(error.find("the training data are not those") != std::string::npos, error);
      CHECK_MESSAGE(error.find("--allow") == std::string::npos, error);
    }
  }
  // The same training data with fewer test images: permitted, as the hint says.
  const Words fewer = {"--resume", "--set", "data.test_examples=32"};
  CHECK(last_line(train(folder, fewer).error).find("--allow data.test_examples") !=
        std::string::npos);
  CHECK(train(folder, fewer + Words{"--allow", "data.test_examples"}).code == 0);
}

TEST_CASE("the best checkpoint is that of the highest test accuracy") {
  const Workspace work;
  const fs::path folder = work / "run";
  REQUIRE(train(folder, {"--set", "train.keep_best=true", "--set", "train.epochs=6"}).code == 0);
  double best = -1;
  std::int64_t step = 0;
  std::string metrics = read_file(folder / "metrics.jsonl");
  for (std::size_t end; (end = metrics.find('\n')) != std::string::npos;
       metrics.erase(0, end + 1)) {
    const Json line = parse_json(metrics.substr(0, end), "metrics");
    if (!line.contains("test_accuracy") || line["test_accuracy"] <= best) continue;
    best = line["test_accuracy"];
    step = line["step"];
  }
  const Json state = read_json(folder / "checkpoint" / "best" / "state.json");
  CHECK(state["step"] == step);
  CHECK(read_json(folder / "summary.json")["best"]["accuracy"] == best);
}

TEST_CASE("a divergence can be rolled back, with the learning rate halved until it holds") {
  const Workspace work;
  const fs::path folder = work / "run", stopped = work / "stopped";
  // Every step at this rate multiplies the weights by -99.
  const Words wild = {"--set", "train.learning_rate=10",
                      "--set", "train.weight_decay=10",
                      "--set", "train.clip_norm=0",
                      "--set", "train.warmup_fraction=0",
                      "--set", "train.epochs=4",
                      "--set", "train.checkpoint_every=1000",
                      "--set", "train.on_divergence=rollback"};
  const Outcome outcome = train(folder, wild);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.error.find("back to step 0, learning rate times 0.5") != std::string::npos);
  const Json summary = read_json(folder / "summary.json");
  CHECK(summary["train"]["rollbacks"] > 0);
  CHECK(summary["train"]["finished"] == true);
  // Stopped after the rollbacks and resumed, it is the same training.
  REQUIRE(train(stopped, wild + Words{"--max-steps", "30"}).code == 0);
  REQUIRE(train(stopped, wild + Words{"--resume"}).code == 0);
  CHECK(newest_checkpoint(folder) == newest_checkpoint(stopped));
  CHECK(read_file(folder / "metrics.jsonl") == read_file(stopped / "metrics.jsonl"));

  CHECK(train(work / "limit", wild + Words{"--set", "train.divergence_limit=1"}).code == 4);
}

TEST_CASE("a divergence can be skipped, counted, as long as not too many come in a row") {
  const Workspace work;
  const fs::path folder = work / "run";
  // Scores reach the end of float32: the batches with the largest ones overflow, others do not.
  const Words wild = {"--set",       "model.attention.kind=softmax",
                      "--set",       "model.attention.epsilon=5e-39",
                      "--set",       "train.on_divergence=skip",
                      "--set",       "train.divergence_limit=50",
                      "--set",       "train.batch=2",
                      "--set",       "train.shard=2",
                      "--max-steps", "40"};
  const Outcome outcome = train(folder, wild);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.error.find("the step is skipped") != std::string::npos);
  const Json summary = read_json(folder / "summary.json");
  const auto skipped = summary["train"]["skipped_steps"].get<int>();
  CHECK(skipped > 0);
  CHECK(skipped < 40);
  CHECK(summary["train"]["steps"] == 40);
  const auto lines = read_file(folder / "metrics.jsonl");
  CHECK(lines.find("\"skipped_steps\":" + std::to_string(skipped)) != std::string::npos);

  const Outcome limit = train(work / "limit", wild + Words{"--set", "train.divergence_limit=1"});
  CHECK(limit.code == 4);
  CHECK(limit.error.find("train.divergence_limit is reached") != std::string::npos);
}

TEST_CASE("a training that its epochs end before train.max_steps says so") {
  const Workspace work;
  const auto header = [&](const char* folder, const char* steps) {
    const Outcome outcome =
        train(work / folder, {"--set", std::string("train.max_steps=") + steps, "--dry-run"});
    CHECK(outcome.code == 0);
    return outcome.error;
  };
  const std::string note = "train.epochs 2 ends the training before train.max_steps 1,000";
  CHECK(header("more", "1000").find(note) != std::string::npos);
  for (const char* steps : {"0", "10", "24"})
    CHECK(header(steps, steps).find("train.max_steps") == std::string::npos);
}
