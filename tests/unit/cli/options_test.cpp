#include <filesystem>
#include <iostream>
#include <new>
#include <sstream>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/config.h"
#include "cli/main.h"
#include "cli/options.h"
#include "cli/version.h"

namespace {

using namespace asap::base;
using namespace asap::cli;
using namespace asap::config;
using namespace asap::io;

/// What a command left behind: exit code and both streams.
struct Outcome {
  int code;
  std::string out, error;
};

/// Redirects a stream for the time of its life.
class Capture {
 public:
  explicit Capture(std::ostream& stream) : stream_(stream), old_(stream.rdbuf(text_.rdbuf())) {}
  ~Capture() { stream_.rdbuf(old_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* old_;
};

Outcome run(std::vector<const char*> words, const std::function<void(const Arguments&)>& body) {
  words.insert(words.begin(), "/usr/bin/whatever");
  const Capture out(std::cout), error(std::cerr);
  const int code = run_main("tool", static_cast<int>(words.size()), words.data(), body);
  return {code, out.text(), error.text()};
}

Outcome run_throwing(const std::function<void()>& thrower) {
  return run({}, [&](const Arguments&) { thrower(); });
}

/// A command with the common options, one of its own, and nothing to do.
Outcome run_plain(const std::vector<const char*>& words, CommonOptions& options) {
  return run(words, [&](const Arguments& arguments) {
    CLI::App app("Does nothing");
    int steps = 0;
    app.add_option("--max-steps", steps, "Stop after this many steps");
    add_common_options(app, options, "tool", "tool --out DIR");
    arguments.parse(app);
  });
}

Outcome run_plain(const std::vector<const char*>& words) {
  CommonOptions options;
  return run_plain(words, options);
}

/// A command with two subcommands.
Outcome run_commands(const std::vector<const char*>& words) {
  return run(words, [](const Arguments& arguments) {
    CLI::App app("Has two commands");
    app.require_subcommand(1);
    CommonOptions options;
    add_common_options(*app.add_subcommand("compare", "Compares"), options, "tool", "tool compare");
    add_common_options(*app.add_subcommand("bench", "Measures"), options, "tool", "tool bench");
    arguments.parse(app);
  });
}

struct SmallConfig {
  int epochs = 2;
  double rate = 0.5;
  template <class Visitor>
  void visit(Visitor& v) {
    v.field("epochs", epochs, "passes over the training set", at_least(1));
    v.field("rate", rate, "learning rate");
  }
};

}  // namespace

TEST_CASE("a body that returns ends with exit code 0 and prints nothing") {
  const Outcome outcome = run_throwing([] {});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.error.empty());
}

TEST_CASE("each kind of error has its exit code and one line on stderr") {
  const Outcome usage = run_throwing([] { throw UsageError("no such layer", "there are 3"); });
  CHECK(usage.code == 2);
  CHECK(usage.error == "tool: error: no such layer (hint: there are 3)\n");

  const Outcome data = run_throwing([] { throw DataError("'a.idx' is cut short"); });
  CHECK(data.code == 3);
  CHECK(data.error == "tool: error: 'a.idx' is cut short\n");

  CHECK(run_throwing([] { throw NumericalError("loss is nan"); }).code == 4);
  CHECK(run_throwing([] { check(false, "broken"); }).code == 70);
}

TEST_CASE("errors of the standard library are reported in the same form") {
  const Outcome memory = run_throwing([] { throw std::bad_alloc(); });
  CHECK(memory.code == 3);
  CHECK(memory.error.starts_with("tool: error: out of memory (hint: "));

  const Outcome file = run_throwing([] { std::filesystem::rename("/nowhere/a", "/nowhere/b"); });
  CHECK(file.code == 3);
  CHECK(file.error.find("/nowhere/a") != std::string::npos);

  const Outcome other = run_throwing([] { throw std::logic_error("impossible"); });
  CHECK(other.code == 70);
  CHECK(other.error.find("impossible (hint: this is a defect") != std::string::npos);
}

TEST_CASE("a message of several lines is printed as one") {
  CHECK(run_throwing([] { throw DataError("first\nsecond"); }).error ==
        "tool: error: first second\n");
}

TEST_CASE("a mistyped option is refused with the nearest one") {
  for (const char* word : {"--theads", "--theads=2"}) {
    const Outcome outcome = run_plain({word});
    CHECK(outcome.code == 2);
    CHECK(outcome.error ==
          "tool: error: unknown option '--theads' (hint: did you mean '--threads'?)\n");
  }
}

TEST_CASE("an option like no other points to the help") {
  CHECK(run_plain({"--xyzzy-plugh"}).error ==
        "tool: error: unknown option '--xyzzy-plugh' (hint: see 'tool --help')\n");
  CHECK(run_plain({"stray"}).error ==
        "tool: error: unexpected argument 'stray' (hint: see 'tool --help')\n");
}

TEST_CASE("a value of the wrong type or out of range is refused with the option's purpose") {
  const Outcome word = run_plain({"--max-steps", "many"});
  CHECK(word.code == 2);
  CHECK(word.error.find("--max-steps") != std::string::npos);
  CHECK(word.error.find("many") != std::string::npos);
  CHECK(word.error.find("(hint: --max-steps: Stop after this many steps)") != std::string::npos);

  CHECK(run_plain({"--threads", "0"}).code == 2);
  CHECK(run_plain({"--seed", "-1"}).code == 2);
  CHECK(run_plain({"--out"}).code == 2);
  CHECK(run_plain({"--quiet", "--verbose"}).code == 2);
}

TEST_CASE("commands are required, and a mistyped one is refused with the nearest") {
  CHECK(run_commands({}).error ==
        "tool: error: a command is required (hint: one of: compare, bench)\n");
  CHECK(run_commands({"compar"}).error ==
        "tool: error: unknown command 'compar' (hint: did you mean 'compare'?)\n");
  CHECK(run_commands({"compare", "--jsn"}).error ==
        "tool: error: unknown option '--jsn' (hint: did you mean '--json'?)\n");
}

TEST_CASE("--help prints the groups and an example and ends with 0") {
  const Outcome outcome = run_plain({"--help"});
  CHECK(outcome.code == 0);
  CHECK(outcome.error.empty());
  for (const char* part : {"Run:", "Output:", "Information:", "--max-steps", "--dump-config",
                           "Example:\n  tool --out DIR"})
    CHECK_MESSAGE(outcome.out.find(part) != std::string::npos, part);
  CHECK(run_commands({"compare", "--help"}).out.find("tool compare") != std::string::npos);
}

TEST_CASE("--version names version, compiler and instruction set") {
  const Outcome outcome = run_plain({"--version"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == version_line("tool") + "\n");
  CHECK(outcome.out.find(simd_name()) != std::string::npos);
}

TEST_CASE("common options arrive in the struct") {
  CommonOptions options;
  const Outcome outcome = run_plain({"--out", "runs/a", "--set", "a.b=1", "--set", "c=2",
                                     "--threads", "3", "--seed", "18446744073709551615", "--json"},
                                    options);
  CHECK(outcome.code == 0);
  CHECK(options.required_out() == "runs/a");
  CHECK(options.assignments == std::vector<std::string>{"a.b=1", "c=2"});
  CHECK(options.threads == 3);
  CHECK(options.seed == 18446744073709551615ull);
  CHECK_FALSE(options.prints_text());
}

TEST_CASE("a command that needs a folder says so") {
  CHECK_THROWS_WITH_AS(CommonOptions{}.required_out(), "--out is required", UsageError);
}

TEST_CASE("--set overrides the file, which overrides the defaults") {
  const auto path = std::filesystem::temp_directory_path() / "asap_command_line_test.json";
  write_file_atomically(path, R"({"epochs": 5, "rate": 0.25})");
  CommonOptions options;
  options.config = path;
  options.assignments = {"epochs=7", "epochs=9"};
  const SmallConfig config = resolve_config(options, SmallConfig{});
  std::filesystem::remove(path);
  CHECK(config.epochs == 9);
  CHECK(config.rate == 0.25);
}

TEST_CASE("--dump-config prints what --config would read") {
  CommonOptions options;
  CHECK_FALSE(dump_config(options, SmallConfig{}));
  options.dump_config = ConfigDump::full;
  const Capture out(std::cout);
  CHECK(dump_config(options, SmallConfig{7, 0.1}));
  SmallConfig read;
  from_json(parse_json(out.text(), "dump"), read, "dump");
  CHECK(read.epochs == 7);
  CHECK(read.rate == 0.1);
}

TEST_CASE("a minimal dump holds what differs from the defaults and reads back the same") {
  CommonOptions options;
  options.dump_config = ConfigDump::minimal;
  const Capture out(std::cout);
  CHECK(dump_config(options, SmallConfig{7, 0.5}));
  CHECK(parse_json(out.text(), "dump") == Json{{"epochs", 7}});
  CHECK(changed_fields({{"a", {{"b", 1}, {"c", 2}}}, {"d", {{"e", 3}}}},
                       {{"a", {{"b", 1}, {"c", 4}}}, {"d", {{"e", 3}}}}) ==
        Json{{"a", {{"c", 2}}}});
}

TEST_CASE("--dump-config takes minimal or full or nothing, and suggests") {
  for (const auto& [words, expected] :
       {std::pair(std::vector<const char*>{"--dump-config"}, ConfigDump::full),
        {{"--dump-config", "full"}, ConfigDump::full},
        {{"--dump-config", "minimal"}, ConfigDump::minimal},
        {{"--dump-config=minimal", "--json"}, ConfigDump::minimal},
        {{"--dump-config", "--json"}, ConfigDump::full},
        {{"--json"}, ConfigDump::none}}) {
    CommonOptions options;
    const Outcome outcome = run_plain(words, options);
    CHECK_MESSAGE(outcome.code == 0, outcome.error);
    CHECK(options.dump_config == expected);
  }
  const Outcome mistyped = run_plain({"--dump-config", "minmal"});
  CHECK(mistyped.code == 2);
  CHECK(mistyped.error ==
        "tool: error: --dump-config must be one of minimal, full; got 'minmal' (hint: did you mean "
        "'minimal'?)\n");
}
