// The commands meet a thousand damaged configurations and a thousand damaged files of every kind
// they read. They may do their work or refuse it with exit code 2, 3 or 4 and one line that says
// why; a defect (70), a signal or silence is a failure.
#include <csignal>
#include <functional>
#include <set>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "base/timing.h"
#include "cli/process.h"
#include "support/damage.h"
#include "support/share.h"

using namespace asap::base;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Memory a command may take here: enough for everything the undamaged files ask for.
constexpr rlim_t kMemory = rlim_t{3} << 30;
/// A damaged number may ask for years of work, which is not wrong: those are stopped, and counted.
constexpr double kPatience = 5;

/// How one damaged run ended.
struct Ending {
  bool stopped = false;  ///< by our patience
  int status = 0;
  std::string error;
};

/// Runs a command with little memory, for a short time.
Ending run_limited(const Workspace& work, const std::string& program, const Words& words) {
  const pid_t child = start(program, words, work / "out", work / "error");
  const rlimit limit{kMemory, kMemory};
  if (!ASAP_SANITIZED)
    ::prlimit(child, RLIMIT_AS, &limit, nullptr);  // sanitizers reserve terabytes of addresses
  const Stopwatch watch;
  Ending ending;
  while (::waitpid(child, &ending.status, WNOHANG) == 0) {
    if (watch.seconds() > kPatience && !ending.stopped) {
      ::kill(child, SIGKILL);
      ending.stopped = true;
    }
    ::usleep(300);
  }
  ending.error = read_file(work / "error");
  return ending;
}

/// How all damaged runs of one kind ended.
class Tally {
 public:
  void add(const Ending& ending, const std::string& what) {
    ++runs_;
    if (ending.stopped) {
      ++stopped_;
      return;
    }
    const bool exited = WIFEXITED(ending.status);
    const int code = exited ? WEXITSTATUS(ending.status) : -1;
    const std::string line = last_line(ending.error);
    CHECK_MESSAGE(exited, what, " ended by signal ", WTERMSIG(ending.status), ": ", line);
    CHECK_MESSAGE((!exited || std::set{0, 2, 3, 4}.contains(code)), what, ": exit code ", code,
                  ": ", line);
    if (code == 0) {
      ++accepted_;
      return;
    }
    CHECK_MESSAGE(line.find(": error: ") != std::string::npos, what, " says nothing: ", line);
  }

  /// Most damage must be noticed, hardly any may keep a command busy.
  void check_and_report(const std::string& kind) const {
    MESSAGE(kind, ": ", runs_, " runs, ", accepted_, " accepted, ", stopped_, " stopped");
    CHECK(accepted_ < runs_ / 2);
    CHECK(stopped_ <= runs_ / 50);
  }

 private:
  int runs_ = 0, accepted_ = 0, stopped_ = 0;
};

/// Runs `count` damaged versions of `valid`, each put at `path`, through a command.
void run_damaged(const Workspace& work, const fs::path& path, int count, const std::string& program,
                 const Words& words, Tally& tally) {
  const std::string valid = read_file(path);
  for (int i = 0; i < count; ++i) {
    RandomStream random(2, RandomPurpose::test, static_cast<std::uint32_t>(i),
                        static_cast<std::uint32_t>(valid.size()));
    write_file_atomically(path, damage(valid, random));
    const fs::path out = work / "result";
    tally.add(run_limited(work, program, words + Words{"--out", out.string(), "--quiet"}),
              path.filename().string() + ", damage " + std::to_string(i));
    fs::remove_all(out);
  }
  write_file_atomically(path, valid);
}

/// A tiny trained network and its compiled operator.
struct Artefacts {
  Workspace work;
  fs::path teacher = work / "teacher", compiled = work / "operator";

  Artefacts() {
    REQUIRE(train(teacher, {"--max-steps", "5"}).code == 0);
    REQUIRE(compile(teacher, compiled).code == 0);
  }
  fs::path checkpoint(const char* file) const {
    return teacher / "checkpoint" / "step-00000005" / file;
  }
};

}  // namespace

TEST_CASE("1000 damaged configurations are trained, compiled, compared and fitted, or refused") {
  const Artefacts a;
  Tally tally;
  const fs::path config = a.work / "config.json";
  const auto dump = [&](const std::string& program, const Words& words) {
    const Outcome outcome = run(program, words + Words{"--dump-config"});
    REQUIRE(outcome.code == 0);
    write_file_atomically(config, outcome.out);
  };
  dump("asap-train", tiny_training());
  run_damaged(a.work, config, share_of(700), "asap-train",
              {"--config", config.string(), "--max-steps", "1"}, tally);
  dump("asap-compile", {"--set", "calibration=64", "--set", "held_out=32"});
  run_damaged(a.work, config, share_of(100), "asap-compile",
              {"--config", config.string(), "--run", a.teacher.string()}, tally);
  dump("asap-eval", {"compare", "--run", a.teacher.string(), "--examples", "16"});
  run_damaged(a.work, config, share_of(100), "asap-eval",
              {"compare", "--config", config.string(), "--run", a.teacher.string()}, tally);
  dump("relu-fit", {"fit", "--function", "x^2", "--interval", "0", "1", "--method", "kaiming",
                    "--depth", "2", "--points", "50"});
  run_damaged(a.work, config, share_of(100), "relu-fit", {"fit", "--config", config.string()},
              tally);
  tally.check_and_report("configurations");
}

TEST_CASE("1000 damaged checkpoints, operators, networks and points are used or refused") {
  const Artefacts a;
  Tally tally;
  const Words compare = {
      "compare",   "--run",    a.teacher.string(), "--compiled", a.compiled.string(),
      "--methods", "compiled", "--examples",       "16"};
  for (const fs::path& file : {a.compiled / "operator.json", a.compiled / "operator.safetensors",
                               a.teacher / "config.json", a.checkpoint("model.safetensors")})
    run_damaged(a.work, file, share_of(100), "asap-eval", compare, tally);

  // A resumed training works in the folder itself: it meets the damaged file in a fresh copy.
  for (const char* file : {"state.json", "optimizer.safetensors", "model.safetensors"}) {
    const std::string valid = read_file(a.checkpoint(file));
    for (int i = 0; i < share_of(100); ++i) {
      RandomStream random(3, RandomPurpose::test, static_cast<std::uint32_t>(i));
      const fs::path copy = a.work / "copy";
      fs::copy(a.teacher, copy, fs::copy_options::recursive);
      write_file_atomically(copy / "checkpoint" / "step-00000005" / file, damage(valid, random));
      tally.add(run_limited(a.work, "asap-train",
                            tiny_training() + Words{"--out", copy.string(), "--resume",
                                                    "--max-steps", "6", "--quiet"}),
                std::string(file) + ", damage " + std::to_string(i));
      fs::remove_all(copy);
    }
  }

  const fs::path network = a.work / "network";
  REQUIRE(run("relu-fit", {"fit", "--function", "x^2", "--interval", "0", "1", "--method", "skip",
                           "--depth", "2", "--points", "50", "--out", network.string()})
              .code == 0);
  for (const char* file : {"network.json", "network.safetensors"})
    run_damaged(a.work, network / file, share_of(100), "relu-fit",
                {"regions", "--network", (network / file).string()}, tally);
  const fs::path points = a.work / "points.csv";
  write_file_atomically(points, "x,y\n0,0\n0.25,0.1\n0.5,0.2\n0.75,0.6\n1,1\n");
  run_damaged(a.work, points, share_of(100), "relu-fit",
              {"floor", "--data", points.string(), "--pieces", "3"}, tally);
  tally.check_and_report("artefacts");
}
