#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

TEST_CASE("drift says first whether inputs have shifted, and guarded methods count what they do") {
  const Workspace work;
  const fs::path teacher = work / "run", compiled = work / "operator";
  REQUIRE(train(teacher).code == 0);
  REQUIRE(compile(teacher, compiled).code == 0);
  const Words both = {"--run", teacher.string(), "--compiled", compiled.string()};
  const auto drift = [&](const std::string& name, const Words& more) {
    return run("asap-eval", Words{"drift"} + both + Words{"--out", (work / name).string()} + more);
  };
  const Outcome same = drift("same", {});
  REQUIRE(same.code == 0);
  CHECK(same.out.starts_with("Inputs look like those of the calibration.\n"));
  const Json summary = read_json(work / "same/summary.json");
  CHECK(summary["shifted"] == false);
  CHECK(summary["calibration_examples"] == 96);
  CHECK(summary["heads"].size() == 4);

  const Outcome shifted = drift("shifted", {"--set", "data.shift.negative=true"});
  REQUIRE(shifted.code == 0);  // a measurement that succeeded
  CHECK(shifted.out.starts_with("Shifted: layer "));
  CHECK(read_json(work / "shifted/summary.json")["shifted"] == true);
  for (const char* name : {"report.html", "column_errors.svg"})
    CHECK_MESSAGE(fs::exists(work / "shifted" / name), name);

  const Outcome few = drift("few", {"--examples", "2", "--seed", "3"});
  REQUIRE(few.code == 0);
  CHECK(few.out.starts_with("Too few examples to tell"));
  CHECK(drift("", {"--seed", "3", "--dump-config", "minimal"}).out == "{\n  \"seed\": 3\n}\n");

  const Outcome compared =
      run("asap-eval", Words{"compare"} + both +
                           Words{"--methods", "compiled,guarded,warm", "--guard-quantile", ".9",
                                 "--out", (work / "compare").string()});
  REQUIRE(compared.code == 0);
  CHECK(compared.out.find("iterations per head on average") != std::string::npos);
  const Json methods = read_json(work / "compare/summary.json")["methods"];
  CHECK(!methods[0].contains("guard"));
  CHECK(methods[1]["guard"]["iterated"].get<int>() < methods[1]["guard"]["heads"].get<int>());
  CHECK(methods[2]["guard"].contains("attention_overhead"));
}

TEST_CASE("an operator without column errors is refused a guard, with what to do") {
  const Workspace work;
  const fs::path teacher = work / "run", compiled = work / "operator";
  REQUIRE(train(teacher, {"--max-steps", "4"}).code == 0);
  REQUIRE(compile(teacher, compiled).code == 0);
  Json description = read_json(compiled / "operator.json");
  description.erase("column_error_examples");
  description.erase("column_error_bound_examples");
  write_json(compiled / "operator.json", description);
  const Words both = {"--run", teacher.string(), "--compiled", compiled.string()};
  for (const Words& command :
       {Words{"drift"} + both, Words{"compare"} + both + Words{"--methods", "guarded"}}) {
    const Outcome refused = run("asap-eval", command + Words{"--out", (work / "refused").string()});
    CHECK(refused.code == 2);
    CHECK(refused.error.find("compile it again") != std::string::npos);
  }
}

TEST_CASE("the commands that a report shows repeat what was done, in folders of any name") {
  const Workspace work;
  const fs::path teacher = work / "it's a run", compiled = work / "an operator";
  REQUIRE(train(teacher).code == 0);
  REQUIRE(compile(teacher, compiled,
                  {"--seed", "4", "--set", "ridge=0.01", "--set", "data.shapes.noise=0.3"})
              .code == 0);
  CHECK(read_json(compiled / "operator.json")["calibration_data"] ==
        Json{{"shapes", {{"noise", 0.3}}}});
  REQUIRE(run("asap-eval",
              {"drift", "--run", teacher.string(), "--compiled", compiled.string(), "--set",
               "data.shift.noise=0.5", "--set", "level=0.01", "--out", work / "drift"})
              .code == 0);
  const Json commands = read_json(work / "drift/summary.json")["commands"];
  REQUIRE(commands.size() == 3);
  const std::string drift = commands[2];
  CHECK(drift.find(" --set data.shift.noise=0.5") != std::string::npos);
  CHECK(drift.find(" --seed 1 --set level=0.01") != std::string::npos);
  const std::string before = asap::base::read_file(compiled / "operator.safetensors");
  fs::remove_all(compiled);
  const std::string shell = std::string("PATH=") + ASAP_BINARY_DIR + ":$PATH; exec 2> /dev/null; " +
                            commands[1].get<std::string>() + " --quiet";
  REQUIRE_MESSAGE(std::system(shell.c_str()) == 0, shell);
  CHECK(asap::base::read_file(compiled / "operator.safetensors") == before);
}
