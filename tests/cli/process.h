#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "io/json.h"

namespace asap::test {

/// A folder of its own for one test, removed at its end.
class Workspace {
 public:
  Workspace() {
    std::string pattern = (std::filesystem::temp_directory_path() / "asap-cli-XXXXXX").string();
    base::check(::mkdtemp(pattern.data()) != nullptr, "cannot make a temporary folder");
    path_ = pattern;
  }
  ~Workspace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What a finished process left.
struct Outcome {
  int code = -1;  ///< exit code; -1 when a signal ended it
  std::string out, error;
};

using Words = std::vector<std::string>;

/// Starts a command without a shell, its output in files: it sees no terminal.
inline pid_t start(const std::string& program, const Words& words, const std::string& out,
                   const std::string& error) {
  const std::string path = std::string(ASAP_BINARY_DIR) + "/" + program;
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  base::check(child >= 0, "cannot fork");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that fails leaves no training behind
    // Descriptors, not streams: the copy of this process must not write what the streams still
    // hold.
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    ::dup2(::open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    ::execv(path.c_str(), argv.data());
    ::_exit(126);
  }
  return child;
}

/// Runs a command to its end.
inline Outcome run(const std::string& program, const Words& words) {
  const Workspace scratch;
  const std::string out = scratch / "out", error = scratch / "error";
  const pid_t child = start(program, words, out, error);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, base::read_file(out),
          base::read_file(error)};
}

/// Runs a command whose standard output is a device or file that exists.
inline Outcome run_onto(const std::string& device, const std::string& program, const Words& words) {
  const Workspace scratch;
  const std::string error = scratch / "error";
  int status = 0;
  ::waitpid(start(program, words, device, error), &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, "", base::read_file(error)};
}

/// The last line of a text: where an error stands, after the run's header.
inline std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

/// That a command ended with `code` and an error that has these parts.
inline void check_refusal(const Outcome& outcome, int code, const std::vector<std::string>& parts) {
  const std::string line = last_line(outcome.error);
  CAPTURE(line);
  CHECK(outcome.code == code);
  for (const std::string& part : parts) CHECK_MESSAGE(line.find(part) != std::string::npos, part);
}

inline Words operator+(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Training of a tiny network on a few drawn shapes: 24 steps in a fraction of a second.
inline Words tiny_training() {
  Words words;
  for (const char* assignment :
       {"data.kind=shapes", "data.classes=4", "data.shapes.examples=192",
        "data.shapes.test_examples=64", "data.shapes.image_size=8", "model.patch=2",
        "model.width=16", "model.heads=2", "model.layers=2", "model.attention.iterations=4",
        "train.batch=16", "train.epochs=2", "train.learning_rate=0.01", "train.checkpoint_every=5"})
    words = words + Words{"--set", assignment};
  return words;
}

/// Trains the tiny network into `folder`.
inline Outcome train(const std::filesystem::path& folder, const Words& more = {}) {
  return run("asap-train", tiny_training() + Words{"--out", folder.string()} + more);
}

inline Outcome compile(const std::filesystem::path& run_folder, const std::filesystem::path& folder,
                       const Words& more = {}) {
  return run("asap-compile", Words{"--run", run_folder.string(), "--out", folder.string(),
                                   "--calibration", "64", "--set", "held_out=32"} +
                                 more);
}

/// Every file of the newest checkpoint of a run, by name.
inline std::map<std::string, std::string> newest_checkpoint(
    const std::filesystem::path& run_folder) {
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(run_folder / "checkpoint"))
    newest = std::max(newest, entry.path());
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(newest))
    files[newest.filename() / entry.path().filename()] = base::read_file(entry.path());
  return files;
}

}  // namespace asap::test
