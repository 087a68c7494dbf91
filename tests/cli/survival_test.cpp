// Trainings that are killed, interrupted, run out of disk, or meet each other.
#include <csignal>
#include <set>

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/random.h"
#include "base/timing.h"
#include "cli/process.h"
#include "support/share.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A training that writes as often as it can: a checkpoint every third step, two kept, and the
/// best.
Words busy_training(const fs::path& folder) {
  return tiny_training() + Words{"--set", "train.epochs=3",
                                 "--set", "train.checkpoint_every=3",
                                 "--set", "train.keep_checkpoints=2",
                                 "--set", "train.keep_best=true",
                                 "--out", folder.string()};
}

/// A training with steps of half a second or more, one an epoch; of far fewer examples where the
/// commands are slow.
Words slow_training(const fs::path& folder) {
  Words words = tiny_training();
  const std::string batch = std::to_string(std::max(8, share_of(share_of(256))));
  for (const std::string& assignment :
       {"data.shapes.examples=" + batch, "train.batch=" + batch,
        std::string("data.shapes.test_examples=4"), std::string("data.shapes.image_size=32"),
        std::string("model.width=64"), std::string("model.layers=6"),
        std::string("train.epochs=100")})
    words = words + Words{"--set", assignment};
  return words + Words{"--out", folder.string(), "--threads", "1"};
}

/// Every file under a folder by its path, except the summary, which holds times.
std::map<std::string, std::string> all_files(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != "summary.json")
      files[fs::relative(entry.path(), folder)] = read_file(entry.path());
  return files;
}

/// Names of the files under a folder, for messages that can be read.
std::set<std::string> names(const std::map<std::string, std::string>& files) {
  std::set<std::string> out;
  for (const auto& [name, content] : files) out.insert(name);
  return out;
}

void check_same_files(const fs::path& a, const fs::path& b) {
  const auto first = all_files(a), second = all_files(b);
  CHECK(names(first) == names(second));
  for (const auto& file : first)  // by its parts: clang 14 cannot capture a structured binding
    if (second.contains(file.first))
      CHECK_MESSAGE(file.second == second.at(file.first), file.first);
}

/// Waits for a process; its status for the W... macros.
int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Waits until a file is there, at most 60 s.
bool appears(const fs::path& path) {
  const Stopwatch watch;
  while (!fs::exists(path) && watch.seconds() < 60) ::usleep(500);
  return fs::exists(path);
}

/// A file system of its own for this process and its children, so small that it can be filled.
/// Returns false where the system does not permit it.
bool mount_small_disk(const fs::path& folder, const char* options) {
  fs::create_directories(folder);
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
}

}  // namespace

TEST_CASE(
    "killed at 50 random moments and resumed each time, trainings end as if never disturbed") {
  const Workspace work;
  const fs::path whole = work / "whole", killed = work / "killed";
  const Stopwatch watch;
  REQUIRE(run("asap-train", busy_training(whole)).code == 0);
  const double duration = watch.seconds();

  // Kills come at any moment of a training that is not slowed down by other work on the machine.
  constexpr double kLatest = 1;
  RandomStream random(1, RandomPurpose::test);
  const int wanted = share_of(50);
  int kills = 0, finished = 0;
  while (kills < wanted || finished == 0) {
    const pid_t child = start("asap-train", busy_training(killed) + Words{"--resume"}, work / "out",
                              work / "error");
    if (kills < wanted) {
      ::usleep(static_cast<useconds_t>(1e6 * random.uniform(0, std::min(duration, kLatest))));
      ::kill(child, SIGKILL);
    }
    const int status = wait_for(child);
    if (WIFSIGNALED(status)) {
      ++kills;
      continue;
    }
    INFO(read_file(work / "error"));
    REQUIRE(WEXITSTATUS(status) == 0);
    check_same_files(whole, killed);
    fs::remove_all(killed);
    ++finished;
  }
  MESSAGE(kills, " kills, ", finished, " trainings finished");
}

TEST_CASE(
    "a training that was killed before it removed an old checkpoint removes it when resumed") {
  const Workspace work;
  const fs::path whole = work / "whole", killed = work / "killed";
  REQUIRE(run("asap-train", busy_training(whole)).code == 0);
  REQUIRE(run("asap-train", busy_training(killed)).code == 0);
  const fs::path checkpoints = killed / "checkpoint";
  REQUIRE_FALSE(fs::exists(checkpoints / "step-00000030"));
  fs::copy(checkpoints / "step-00000033", checkpoints / "step-00000030",
           fs::copy_options::recursive);
  REQUIRE(run("asap-train", busy_training(killed) + Words{"--resume"}).code == 0);
  check_same_files(whole, killed);

  // When the newest is damaged, an older one is all there is to go on from.
  write_file_atomically(checkpoints / "step-00000036" / "state.json", "{");
  REQUIRE(run("asap-train", busy_training(killed) + Words{"--resume"}).code == 0);
  check_same_files(whole, killed);
}

TEST_CASE("a file that cannot grow is reported, and the run goes on where it was") {
  const Workspace work;
  const fs::path whole = work / "whole", limited = work / "limited";
  REQUIRE(train(whole).code == 0);
  REQUIRE(train(limited, {"--max-steps", "5"}).code == 0);
  const auto before = newest_checkpoint(limited);
  const auto size =
      fs::file_size(limited / "checkpoint" / "step-00000005" / "optimizer.safetensors");

  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit{static_cast<rlim_t>(size - 1), old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const Outcome outcome = train(limited, {"--resume"});
  ::setrlimit(RLIMIT_FSIZE, &old);
  CHECK(outcome.code == 3);
  CHECK(outcome.error.find("optimizer.safetensors") != std::string::npos);
  CHECK(outcome.error.find("hint: free some space") != std::string::npos);
  CHECK(newest_checkpoint(limited) == before);

  REQUIRE(train(limited, {"--resume"}).code == 0);
  check_same_files(whole, limited);
}

TEST_CASE("a full disk is reported, and the run goes on once there is room") {
  const Workspace work;
  const fs::path whole = work / "whole", disk = work / "disk", run_folder = disk / "run";
  REQUIRE(train(whole).code == 0);
  if (!mount_small_disk(disk, "size=1m")) {
    MESSAGE(
        "no small file system can be mounted here; the limit on file sizes above is all that is "
        "tested");
    return;
  }
  REQUIRE(train(run_folder, {"--max-steps", "5"}).code == 0);
  const auto before = newest_checkpoint(run_folder);
  const std::string filler(fs::space(disk).available - 20'000, 'x');
  write_file_atomically(disk / "filler", filler);
  const Outcome outcome = train(run_folder, {"--resume"});
  CHECK(outcome.code == 3);
  CHECK(outcome.error.find("No space left") != std::string::npos);
  CHECK(outcome.error.find("hint: free some space") != std::string::npos);
  CHECK(newest_checkpoint(run_folder) == before);

  fs::remove(disk / "filler");
  REQUIRE(train(run_folder, {"--resume"}).code == 0);
  check_same_files(whole, run_folder);
  ::umount(disk.c_str());
}

TEST_CASE("SIGINT and SIGTERM end with 130 and 143, everything saved and the way on named") {
  for (const auto& [signal, code] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    const Workspace work;
    const fs::path stopped = work / "a run";
    const pid_t child = start("asap-train", slow_training(stopped), work / "out", work / "error");
    REQUIRE(appears(stopped / "metrics.jsonl"));
    ::kill(child, signal);
    const int status = wait_for(child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == code);
    const std::string line = last_line(read_file(work / "error"));
    CHECK(line.find("interrupted after step 1 of 100; everything is saved") != std::string::npos);
    CHECK(line.find("--out '" + stopped.string() + "'") != std::string::npos);
    CHECK(line.ends_with("--resume"));
    CHECK(fs::exists(stopped / "checkpoint" / "step-00000001" / "state.json"));
    CHECK_FALSE(fs::exists(stopped / ".lock"));
  }
}

TEST_CASE("a second signal, even of the other kind, stops at once") {
  const Workspace work;
  const fs::path stopped = work / "run";
  const pid_t child = start("asap-train", slow_training(stopped), work / "out", work / "error");
  REQUIRE(appears(stopped / "metrics.jsonl"));
  ::kill(child, SIGINT);
  ::usleep(50'000);
  ::kill(child, SIGTERM);
  const int status = wait_for(child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  CHECK_FALSE(fs::exists(stopped / "checkpoint" / "step-00000001"));
}

TEST_CASE("two trainings in one folder are refused, a dead one's lock is not in the way") {
  const Workspace work;
  const fs::path folder = work / "run";
  const pid_t child = start("asap-train", slow_training(folder), work / "out", work / "error");
  REQUIRE(appears(folder / "metrics.jsonl"));
  const Outcome second = train(folder, {"--resume"});
  CHECK(second.code == 2);
  CHECK(second.error.find("in use by process " + std::to_string(child)) != std::string::npos);
  ::kill(child, SIGKILL);
  wait_for(child);
  CHECK(fs::exists(folder / ".lock"));

  const Outcome after =
      run("asap-train", slow_training(folder) + Words{"--resume", "--max-steps", "1"});
  CHECK(after.code == 0);
  CHECK(after.error.find("process " + std::to_string(child)) != std::string::npos);
  CHECK_FALSE(fs::exists(folder / ".lock"));
}

TEST_CASE(
    "a damaged newest checkpoint is passed over, and a run with none left says what is wrong") {
  const Workspace work;
  const fs::path folder = work / "run", whole = work / "whole";
  const Words two = {"--set", "train.keep_checkpoints=2"};
  REQUIRE(train(whole, two).code == 0);
  REQUIRE(train(folder, two + Words{"--max-steps", "12"}).code == 0);
  const auto damage = [&](const char* step) {
    const fs::path file = folder / "checkpoint" / step / "model.safetensors";
    std::string bytes = read_file(file);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    write_file_atomically(file, bytes);
  };
  damage("step-00000012");
  const Outcome resumed = train(folder, two + Words{"--resume", "--max-steps", "14"});
  CHECK(resumed.code == 0);
  CHECK(resumed.error.find("damaged") != std::string::npos);
  CHECK(resumed.error.find("resuming after step 10") != std::string::npos);
  REQUIRE(train(folder, two + Words{"--resume"}).code == 0);
  check_same_files(whole, folder);

  damage("step-00000020");
  damage("step-00000024");
  const Outcome lost = train(folder, two + Words{"--resume"});
  CHECK(lost.code == 3);
  CHECK(last_line(lost.error).find("step-00000024/model.safetensors: damaged") !=
        std::string::npos);
}

TEST_CASE("training gives the same bytes at 1, 2, 3 and 5 threads and when repeated") {
  const Workspace work;
  const Words words = {"--set", "model.dropout=0.1", "--set", "train.keep_best=true"};
  REQUIRE(train(work / "first", words + Words{"--threads", "1"}).code == 0);
  for (const char* threads : {"1", "2", "3", "5"}) {
    CAPTURE(threads);
    const fs::path again = work / (std::string("threads-") + threads);
    REQUIRE(train(again, words + Words{"--threads", threads}).code == 0);
    check_same_files(work / "first", again);
  }
}
