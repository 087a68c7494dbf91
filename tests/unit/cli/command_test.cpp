#include "cli/command.h"

#include <csignal>
#include <iostream>
#include <sstream>

#include <doctest/doctest.h>

#include "cli/interrupt.h"
#include "cli/options.h"

using namespace asap::cli;

namespace {

std::string ran;  // what the commands below did

/// A program that is one command.
class OnlyCommand : public Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    program.add_option("--steps", steps_, "Number of steps");
    add_common_options(program, common_, "tool", "tool --steps 3");
    return &program;
  }
  void run() override {
    if (steps_ < 0) throw Interrupted{SIGINT, "stopped", "--resume"};
    ran += "steps " + std::to_string(steps_);
  }

 private:
  CommonOptions common_;
  int steps_ = 0;
};

/// The same with a configuration.
class ConfiguredCommand : public OnlyCommand {
 public:
  std::vector<asap::config::FieldDescription> keys() const override {
    return {asap::config::FieldDescription{"x", "integer", "how many", 1, false}};
  }
};

/// The same with random numbers.
class DrawingCommand : public OnlyCommand {
 public:
  bool draws_random_numbers() const override { return true; }
};

/// One command of several.
template <char Letter>
class LetterCommand : public Command {
 public:
  CLI::App* add_to(CLI::App& program) override {
    CLI::App* command = program.add_subcommand(std::string(1, Letter), "Appends its letter.");
    add_common_options(*command, common_, "tool", std::string("tool ") + Letter);
    return command;
  }
  void run() override { ran += Letter; }

 private:
  CommonOptions common_;
};

template <class C>
std::unique_ptr<Command> make() {
  return std::make_unique<C>();
}

struct Ending {
  int code;
  std::string error;
};

Ending start(const Program& program, std::vector<const char*> words) {
  words.insert(words.begin(), "tool");
  ran.clear();
  std::ostringstream error;
  std::streambuf* const old = std::cerr.rdbuf(error.rdbuf());
  const int code = run_program(program, static_cast<int>(words.size()), words.data());
  std::cerr.rdbuf(old);
  return {code, error.str()};
}

const Program kOne{"tool", "Has one command.", "", {&make<OnlyCommand>}};
const Program kConfigured{"tool", "Has a configuration.", "", {&make<ConfiguredCommand>}};
const Program kDrawing{"tool", "Draws numbers.", "", {&make<DrawingCommand>}};
const Program kTwo{
    "tool", "Has two commands.", "", {&make<LetterCommand<'a'>>, &make<LetterCommand<'b'>>}};

}  // namespace

TEST_CASE("a program of one command takes its options and runs it") {
  CHECK(start(kOne, {"--steps", "3"}).code == 0);
  CHECK(ran == "steps 3");
  CHECK(start(kOne, {"--step", "3"}).error.find("did you mean '--steps'?") != std::string::npos);
  CHECK(ran.empty());
}

TEST_CASE("a command without a configuration refuses settings, which it would not read") {
  for (const char* flag : {"--set", "--config", "--dump-config"}) {
    CAPTURE(flag);
    const Ending outcome = start(kOne, {"--steps", "3", flag, "steps=4"});
    CHECK(outcome.code == 2);
    CHECK(outcome.error.find(flag) != std::string::npos);
    CHECK(ran.empty());
    CHECK(start(kConfigured, {"--steps", "3", flag, flag[2] == 'd' ? "full" : "x=1"}).code == 0);
    CHECK(ran == "steps 3");
  }
}

TEST_CASE("a command that draws no random numbers refuses a seed") {
  CHECK(start(kDrawing, {"--steps", "3", "--seed", "4"}).code == 0);
  CHECK(ran == "steps 3");
  const Ending outcome = start(kOne, {"--steps", "3", "--seed", "4"});
  CHECK(outcome.code == 2);
  CHECK(outcome.error.find("unknown option '--seed'") != std::string::npos);
  CHECK(ran.empty());
}

TEST_CASE("a program of several commands runs the one that is named") {
  CHECK(start(kTwo, {"b"}).code == 0);
  CHECK(ran == "b");
  const Ending none = start(kTwo, {});
  CHECK(none.code == 2);
  CHECK(none.error.find("a command is required (hint: one of: a, b)") != std::string::npos);
}

TEST_CASE("a stopped command shows the command line that continues it") {
  const Ending outcome = start(kOne, {"--steps", "-1"});
  CHECK(outcome.code == 128 + SIGINT);
  CHECK(outcome.error == "tool: stopped. Continue with: tool --steps -1 --resume\n");
}
