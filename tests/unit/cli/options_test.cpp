#include "cli/options.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "cli/config.h"
#include "cli/main.h"
#include "unit/cli/run_tool.h"

using namespace asap::base;
using namespace asap::cli;
using namespace asap::test;

namespace {

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

}  // namespace

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

TEST_CASE("an option of another command, or before its command, is told where it belongs") {
  const auto run_two = [](const std::vector<const char*>& words) {
    return run(words, [](const Arguments& arguments) {
      CLI::App app("Has two commands");
      app.require_subcommand(1);
      std::string run_folder;
      std::vector<std::string> names;
      app.add_subcommand("compare", "Compares")->add_option("--run", run_folder, "Folder");
      app.add_subcommand("bench", "Measures")
          ->add_option("--forms", names, "Names")
          ->delimiter(',')
          ->allow_extra_args(false);
      arguments.parse(app);
      CHECK(names == std::vector<std::string>{"a", "b c", "d"});
    });
  };
  CHECK(run_two({"--run", "x", "compare"})
            .error.find("unknown option '--run' before the command (hint: write it after: tool "
                        "compare --run") != std::string::npos);
  CHECK(run_two({"bench", "--run", "x"}).error ==
        "tool: error: unknown option '--run' (hint: it belongs to tool compare; see 'tool bench "
        "--help')\n");
  CHECK(run_two({"compare", "--forms=a"}).error.find("it belongs to tool bench") !=
        std::string::npos);
  CHECK(run_two({"--run", "x"}).error.find("it belongs to tool compare") != std::string::npos);
  CHECK(run_two({"bench", "--forms", "a, b c ,d "}).error.empty());
}

TEST_CASE("a configuration file without its flag is recognised") {
  for (const char* file : {"configs/train/x.json", "/proc/self/status"}) {
    const Outcome outcome = run_plain({file});
    CHECK(outcome.code == 2);
    CHECK(outcome.error.find("--config " + std::string(file)) != std::string::npos);
  }
  CHECK(run_plain({"my config.json"}).error.find("--config 'my config.json'") != std::string::npos);
  CHECK(run_commands({"x.json"}).error.find("COMMAND --config x.json") != std::string::npos);
  CHECK(run_commands({"compare", "x.json"})
            .error.find("(hint: a configuration file follows its "
                        "flag: --config x.json)") != std::string::npos);
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

TEST_CASE("a number outside its range, NaN, infinity and words are refused with the range") {
  const auto run_number = [](const std::vector<const char*>& words, double& share) {
    return run(words, [&](const Arguments& arguments) {
      CLI::App app("Takes numbers");
      std::vector<double> places;
      app.add_option("--share", share, "The share")
          ->check(number_in(asap::config::between(0, 1)))
          ->expected(0, 1);
      app.add_option("--at", places, "The places")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->check(number_in({}));
      arguments.parse(app);
    });
  };
  double share = 0.5;
  CHECK(run_number({"--share", "0.25", "--at", "1e300, -2"}, share).code == 0);
  CHECK(share == 0.25);
  CHECK(run_number({"--share"}, share).code == 0);
  for (const char* value : {"nan", "inf", "1.5", "-1", "1e999"}) {
    const Outcome outcome = run_number({"--share", value}, share);
    CHECK(outcome.code == 2);
    CHECK(outcome.error == "tool: error: --share: must be between 0 and 1, got '" +
                               std::string(value) + "' (hint: --share: The share)\n");
  }
  CHECK(run_number({"--share", "half"}, share)
            .error.find("--share: a number is expected, got 'half'") != std::string::npos);
  CHECK(run_number({"--at", "1,inf"}, share).error.find("--at: must be finite, got 'inf'") !=
        std::string::npos);
}
