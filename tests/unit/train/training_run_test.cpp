#include "train/training_run.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap;
using namespace asap::test;

TEST_CASE("a folder is taken once, and a training that died there is mentioned") {
  const TemporaryFolder folder;
  const config::RunFolder run(folder / "run");
  const pid_t child = ::fork();
  if (child == 0) {  // dies with the lock
    train::TrainerOptions options;
    const auto lock = train::occupy_run(run, options);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  base::write_file_atomically(run.config(), "{}");

  train::TrainerOptions options;
  std::vector<std::string> notes;
  options.on_note = [&](const std::string& note) { notes.push_back(note); };
  expect_error<base::UsageError>([&] { (void)train::occupy_run(run, options); },
                                 {"already holds a training run", "resume"});
  CHECK(notes ==
        std::vector<std::string>{"process " + std::to_string(child) +
                                 ", which trained here before, ended without cleaning up"});
  options.resume = true;
  const auto lock = train::occupy_run(run, options);
  REQUIRE(lock);
  CHECK_FALSE(lock->stale_owner());
  expect_error<base::UsageError>([&] { (void)train::occupy_run(run, options); },
                                 {"is in use by process"});
}

TEST_CASE(
    "checkpoints too many are removed, unless those after the one that was read are damaged") {
  const TemporaryFolder folder;
  const config::RunFolder run(folder / "run");
  for (const int step : {5, 10, 15, 20}) {
    base::make_directories(run.checkpoint(step));
    base::write_file_atomically(run.checkpoint(step) / config::kStateFile, "{}");
  }
  train::tidy_checkpoints(run, 15, 2);
  CHECK(run.checkpoint_steps().size() == 4);
  train::tidy_checkpoints(run, 20, 2);
  CHECK(run.checkpoint_steps() == std::vector<std::int64_t>{15, 20});
}
