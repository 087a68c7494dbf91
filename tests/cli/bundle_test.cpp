// A bundle in the place of a run: compare, diagnose, drift and export give the same numbers.
#include <doctest/doctest.h>

#include "cli/process.h"
#include "support/text_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A summary without what depends on the clock and on whether a run or a bundle was named.
Json numbers_of(Json summary) {
  summary.erase("commands");
  for (Json& method : summary["methods"]) {
    for (const char* key : {"examples_per_second", "examples_per_second_interval",
                            "attention_milliseconds", "attention_milliseconds_interval"})
      method.erase(key);
    if (method.contains("guard")) method["guard"].erase("attention_overhead");
  }
  return summary;
}

/// What a command says about a model, which `model` names.
Json evaluated(const Workspace& work, const std::string& command, const Words& model,
               const Words& more) {
  const fs::path out = work / (command + std::to_string(model.size()));
  const Outcome outcome =
      run("asap-eval", Words{command} + model + Words{"--out", out.string()} + more);
  REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
  return numbers_of(read_json(out / "summary.json"));
}

}  // namespace

TEST_CASE("compare, diagnose and drift give the numbers of the run for its bundle") {
  const Workspace work;
  const fs::path teacher = work / "run", compiled = work / "operator";
  REQUIRE(train(teacher).code == 0);
  REQUIRE(compile(teacher, compiled).code == 0);
  const Words of_run = {"--run", teacher.string(), "--compiled", compiled.string()};
  const fs::path file = work / "m.safetensors";
  const Words of_bundle = {"--model", file.string()};
  const Outcome made = run(
      "asap-eval", Words{"bundle"} + of_run + Words{"--cascade", "0.2", "--out", file.string()});
  REQUIRE_MESSAGE(made.code == 0, made.error);
  CHECK(made.out.find(", compiled operator, cascade, ") != std::string::npos);

  const Words methods = {"--methods", "teacher,sinkhorn:1,compiled,guarded,compiled:cascade",
                         "--set", "shown_examples=2"};
  const Json of_both =
      evaluated(work, "compare", of_run, methods + Words{"--set", "cascade.share=0.2"});
  // The bundle's share is the default.
  CHECK(evaluated(work, "compare", of_bundle, methods) == of_both);
  REQUIRE(of_both["methods"].size() == 5);
  CHECK(of_both["methods"][4]["cascade"]["calibration"]["rerun_share"].get<double>() > 0);
  CHECK(read_file(work / "compare2/report.html").find("--model " + file.string()) !=
        std::string::npos);

  const Words few = {"--examples", "16"};
  CHECK(evaluated(work, "diagnose", of_bundle, few) == evaluated(work, "diagnose", of_run, few));
  CHECK(evaluated(work, "drift", of_bundle, few) == evaluated(work, "drift", of_run, few));

  const auto refused = [&](const Words& words, int code, const char* part) {
    const Outcome outcome = run("asap-eval", words + Words{"--out", (work / "no").string()});
    CHECK(outcome.code == code);
    CHECK_MESSAGE(last_line(outcome.error).find(part) != std::string::npos, outcome.error);
    CHECK_FALSE(fs::exists(work / "no"));
  };
  refused(Words{"compare"} + of_bundle + Words{"--cascade", "0.1"}, 2, "at most 0.2");
  refused(Words{"compare"} + of_bundle + Words{"--methods", "guarded:cascade"}, 2, "'guarded'");
  // Another operator has another threshold.
  refused(Words{"compare", "--compiled", compiled.string()} + of_bundle + Words{"--cascade"}, 2,
          "no cascade");
  refused(Words{"compare", "--model", teacher.string()}, 2, "--run DIR");
  refused(Words{"compare", "--model", (work / "nothing").string()}, 3, "nothing");
  refused(Words{"compare"} + of_bundle + Words{"--run", teacher.string()}, 2, "--model");
  refused(Words{"compare"} + of_bundle + Words{"--set", "data.classes=3"}, 3, "the classes of");
  refused(Words{"bundle", "--run", teacher.string(), "--cascade"}, 2, "--compiled");
}

TEST_CASE("a bundle of texts is compared on data that are named anew") {
  const Workspace work;
  write_text_folder(work / "data");
  Words words;
  for (const char* assignment :
       {"data.kind=text", "model.kind=text", "data.text.min_count=1", "data.text.max_tokens=16",
        "model.width=16", "model.heads=2", "model.layers=1", "model.attention.iterations=4",
        "train.batch=16", "train.epochs=1"})
    words = words + Words{"--set", assignment};
  const Words data = {"--set", "data.path=" + (work / "data").string()};
  REQUIRE(run("asap-train", words + data + Words{"--out", (work / "run").string()}).code == 0);
  const Words of_run = {"--run", (work / "run").string()};
  const fs::path file = work / "m.safetensors";
  REQUIRE(run("asap-eval", Words{"bundle"} + of_run + Words{"--out", file.string()}).code == 0);
  const Words methods = {"--methods", "teacher,softmax", "--set", "shown_examples=0"};
  const Json of_texts = evaluated(work, "compare", of_run, methods);
  CHECK(evaluated(work, "compare", {"--model", file.string(), "--examples", "0"}, methods + data) ==
        of_texts);
  const Outcome nowhere =
      run("asap-eval",
          Words{"compare", "--model", file.string(), "--out", (work / "no").string()} + methods);
  CHECK(nowhere.code == 3);
  CHECK_MESSAGE(nowhere.error.find("data.path") != std::string::npos, nowhere.error);
}
