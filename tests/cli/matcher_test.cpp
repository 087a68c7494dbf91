// A matcher from the command line: training, comparison, matches.
#include <sstream>

#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/delimited.h"
#include "support/keypoint_files.h"
#include "support/npz_file.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Files of pairs and a trained matcher.
struct MatcherRun {
  Workspace work;

  MatcherRun() {
    write("train.npz", {.pairs = 12});
    write("test.npz", {.pairs = 5, .seed = 2});
    REQUIRE(train("run").code == 0);
  }
  void write(const std::string& name, const DrawnKeypoints& what) const {
    write_file_atomically(work / name, npz_file(drawn_keypoints(what).tensors));
  }
  std::string path(const std::string& name) const { return (work / name).string(); }
  Outcome train(const std::string& out, const Words& more = {}) const {
    return run(
        "asap-train",
        Words{"--set", "model.kind=matcher", "--set", "data.train=" + path("train.npz"), "--set",
              "data.test=" + path("test.npz"), "--set", "data.descriptors=histogram", "--set",
              "model.matcher.width=16", "--set", "model.matcher.layers=1", "--set",
              "train.max_steps=20", "--set", "train.batch=4", "--out", path(out)} +
            more);
  }
  Outcome evaluate(const std::string& command, const std::string& out, const Words& more) const {
    return run("asap-eval", Words{command, "--run", path("run"), "--out", path(out)} + more);
  }
};

}  // namespace

TEST_CASE("a matcher trains, is compared with classical methods, and writes its matches") {
  const MatcherRun f;
  const Json trained = read_json(f.work / "run" / "summary.json");
  CHECK(trained["test"][0]["f1"] > .5);
  CHECK(trained["train"]["finished"] == true);

  REQUIRE(f.train("dual", {"--set", "model.matcher.output=dual_softmax"}).code == 0);
  const Outcome compared = f.evaluate("compare", "compare", {"--also", f.path("dual")});
  REQUIRE(compared.code == 0);
  CHECK(compared.out.find("ratio:0.8") != std::string::npos);
  const Json compare = read_json(f.work / "compare" / "summary.json");
  const Json& methods = compare["files"][0]["methods"];
  CHECK(methods[0]["method"] == "network");
  CHECK(methods[0]["f1"] == trained["test"][0]["f1"]);
  CHECK(methods.back()["method"] == f.path("dual"));
  const std::string report = read_file(f.work / "compare" / "report.html");
  CHECK(report.find("<li>On test the network") != std::string::npos);
  CHECK(report.find("data-chart=\"plan-3\"") != std::string::npos);
  const std::string command =
      "asap-eval compare --run " + f.path("run") + " --also " + f.path("dual") + " --out DIR";
  CHECK(report.find(command) != std::string::npos);
  CHECK(compare["commands"] ==
        Json({"asap-train --config " + f.path("run/config.json") + " --out " + f.path("run"),
              command}));
  const DelimitedRows table = read_delimited(f.work / "compare" / "comparison.csv", {});
  CHECK(table.rows() == static_cast<std::int64_t>(methods.size()) + 1);

  f.write("calibration.npz", {.pairs = 5, .seed = 3});
  const Words calibrated{"--also", f.path("dual"), "--calibration", f.path("calibration.npz")};
  const Outcome chosen = f.evaluate("compare", "chosen", calibrated);
  REQUIRE_MESSAGE(chosen.code == 0, chosen.error);
  const Json thresholds = read_json(f.work / "chosen" / "summary.json");
  CHECK(thresholds["also"][0]["run"] == f.path("dual"));
  const double of_dual = thresholds["also"][0]["threshold"];
  const Words given{"--also", f.path("dual"), "--threshold", std::to_string(of_dual)};
  REQUIRE(f.evaluate("compare", "given", given).code == 0);
  CHECK(read_json(f.work / "given" / "summary.json")["files"][0]["methods"].back()["f1"] ==
        thresholds["files"][0]["methods"].back()["f1"]);
  CHECK(f.evaluate("compare", "none", calibrated + Words{"--threshold", ".3"}).code == 2);
  f.write("unmatched.npz", {.partners = 0});
  CHECK(f.evaluate("compare", "none", {"--calibration", f.path("unmatched.npz")}).code == 3);
  CHECK_FALSE(fs::exists(f.work / "none"));

  REQUIRE(f.evaluate("predict", "matches", {"--input", f.path("test.npz")}).code == 0);
  const Json answers = read_json(f.work / "matches" / "summary.json");
  CHECK(answers["f1"] == methods[0]["f1"]);
  const DelimitedRows rows = read_delimited(f.work / "matches" / "matches.csv", {});
  CHECK(rows.rows() == answers["matches"].get<std::int64_t>() + 1);
  CHECK(read_json(f.work / "matches" / "matches.json").size() == answers["matches"]);
  CHECK(
      f.evaluate("predict", "mutual", {"--input", f.path("test.npz"), "--method", "mutual"}).code ==
      0);
}

TEST_CASE("the configuration of a matcher that was dumped is that of a matcher") {
  const Workspace work;
  for (const char* form : {"minimal", "full"}) {
    CAPTURE(form);
    const Outcome dumped = run("asap-train", {"--dump-config", form, "--set", "model.kind=matcher",
                                              "--set", "model.matcher.width=16"});
    REQUIRE(dumped.code == 0);
    const fs::path file = work / (std::string(form) + ".json");
    write_file_atomically(file, dumped.out);
    const Outcome again = run("asap-train", {"--dump-config", form, "--config", file.string()});
    CHECK(again.code == 0);
    CHECK(again.out == dumped.out);
    CHECK(read_json(file)["model"]["kind"] == "matcher");
  }
}

TEST_CASE("the transport of a matcher is compiled, compared and used") {
  const MatcherRun f;
  const std::string op = f.path("op");
  const Words words{"--run", f.path("run"), "--out", op, "--iterations", "60"};
  const Outcome compiled = run("asap-compile", words + Words{"--calibration", "8"});
  REQUIRE_MESSAGE(compiled.code == 0, compiled.error);
  CHECK(compiled.out.find("measured on 4 pairs") != std::string::npos);
  const Json said = read_json(f.work / "op" / "summary.json");
  CHECK(said["teacher_iterations"] == 60);
  CHECK(said["calibration_pairs"] == 8);
  CHECK(said["evidence"]["compiled"]["plan_l1"] > 0);
  const std::string bytes = read_file(f.work / "op" / "operator.safetensors");
  const std::size_t simd = compiled.error.find("\n  SIMD");
  REQUIRE(simd != std::string::npos);
  std::string set;  // what was used anyway
  std::istringstream(compiled.error.substr(simd + 7)) >> set;
  REQUIRE(run("asap-compile",
              words + Words{"--calibration", "8", "--threads", "1", "--simd", set, "--overwrite"})
              .code == 0);
  CHECK(read_file(f.work / "op" / "operator.safetensors") == bytes);

  const Words methods{"--compiled", op, "--methods",
                      "teacher,network,sinkhorn:60,compiled,compiled+1,compiled+sparse:100"};
  const Outcome compared = f.evaluate("compare", "compare", methods);
  REQUIRE_MESSAGE(compared.code == 0, compared.error);
  CHECK(compared.out.find("compiled+sparse:100") != std::string::npos);
  const Json summary = read_json(f.work / "compare" / "summary.json");
  CHECK(summary["teacher_iterations"] == 60);
  const Json& rows = summary["files"][0]["methods"];
  CHECK(summary["commands"][1] == "asap-compile --run " + f.path("run") + " --pairs " +
                                      f.path("train.npz") +
                                      " --calibration 8 --iterations 60 --out " + op);
  CHECK(rows[0]["plan_l1"] == 0);
  CHECK(rows[1]["plan_l1"] > 0);  // the 20 iterations of the training
  CHECK(rows[2]["plan_l1"] == 0);
  CHECK(rows[3]["same"] > .5);
  CHECK(rows[5]["entries_per_row"] > 0);
  CHECK(rows[5]["polish_iterations"] > 0);
  CHECK_FALSE(rows[4].contains("entries_per_row"));
  REQUIRE(f.evaluate("compare", "all", {"--compiled", op, "--iterations", "20"}).code == 0);
  CHECK(read_json(f.work / "all" / "summary.json")["files"][0]["methods"][0]["plan_l1"] == 0);

  REQUIRE(
      f.evaluate("predict", "matches", {"--compiled", op, "--input", f.path("test.npz")}).code ==
      0);
  const Json answers = read_json(f.work / "matches" / "summary.json");
  CHECK(answers["method"] == "compiled");
  CHECK(answers["f1"] == rows[3]["f1"]);
}

TEST_CASE("bad input to the compilation of a matcher is refused") {
  const MatcherRun f;
  const auto compile = [&](const Words& more) {
    return run("asap-compile", Words{"--run", f.path("run"), "--out", f.path("op")} + more);
  };
  const auto expect = [](const Outcome& outcome, int code, const std::string& part) {
    CHECK(outcome.code == code);
    CHECK_MESSAGE(outcome.error.find(part) != std::string::npos, outcome.error);
  };
  expect(compile({"--slices", "4"}), 2, "--slices is not for runs of a matcher");
  expect(compile({"--set", "mode=row_dual"}), 2, "--set is not for runs of a matcher");
  expect(compile({"--seed", "4"}), 2, "--seed is not for runs of a matcher");
  expect(compile({"--iterations", "0"}), 2, "--iterations");
  expect(compile({"--calibration", "many"}), 2, "--calibration");
  expect(compile({"--calibration", "12"}), 3, "--calibration = 12");
  expect(compile({"--pairs", f.path("none.npz")}), 3, "none.npz");
  f.write("wide.npz", {.width = 20});
  expect(compile({"--pairs", f.path("wide.npz")}), 3, "20 numbers");
  CHECK_FALSE(fs::exists(f.work / "op"));

  REQUIRE(f.train("dual", {"--set", "model.matcher.output=dual_softmax"}).code == 0);
  expect(run("asap-compile", {"--run", f.path("dual"), "--out", f.path("op")}), 2, "dual softmax");
  REQUIRE(f.train("second", {"--seed", "5"}).code == 0);
  REQUIRE(run("asap-compile", {"--run", f.path("second"), "--out", f.path("op")}).code == 0);
  const Words with_operator{"--compiled", f.path("op")};
  expect(f.evaluate("compare", "other", with_operator), 3, "compiled for the matcher");
  expect(f.evaluate("compare", "other", {"--methods", "compiled"}), 2, "--compiled");
  write_file_atomically(f.work / "op" / "operator.json", "{\"format\": \"asap-operator\"}");
  expect(f.evaluate("compare", "other", with_operator), 3, "network with attention");
  expect(f.evaluate("predict", "other", with_operator + Words{"--input", f.path("test.npz")}), 3,
         "network with attention");
  expect(f.evaluate("predict", "other", {"--input", f.path("test.npz"), "--top", "2"}), 2,
         "--top is not for runs of a matcher");
  expect(f.evaluate("compare", "other", {"--guard-quantile", ".5"}), 2,
         "--guard-quantile is not for runs of a matcher");
  CHECK_FALSE(fs::exists(f.work / "other"));
}

TEST_CASE("bad input to a matcher is refused with its exit code and a hint") {
  const MatcherRun f;
  const auto expect = [](const Outcome& outcome, int code, const std::string& part) {
    CHECK(outcome.code == code);
    CHECK_MESSAGE(outcome.error.find(part) != std::string::npos, outcome.error);
  };
  expect(f.train("other", {"--dry-run"}), 2, "--dry-run is not for matchers");
  expect(f.train("other", {"--set", "model.width=3"}), 2, "model.width");
  expect(f.train("other", {"--set", "data.train=none.npz"}), 3, "make_keypoints.py");
  expect(f.train("run"), 2, "--resume");
  f.write("wide.npz", {.width = 20});
  expect(f.evaluate("predict", "other", {"--input", f.path("wide.npz")}), 3, "20 numbers");
  expect(f.train("other", {"--set", "data.test=" + f.path("wide.npz")}), 3,
         "descriptors of 20 numbers");
  expect(f.evaluate("compare", "other", {"--calibration", f.path("test.npz")}), 2,
         "holds the pairs that are compared");
  expect(f.evaluate("compare", "other", {"--methods", "softmax"}), 2, "--methods");
  expect(f.evaluate("diagnose", "other", {}), 2, "holds a matcher");
  write_file_atomically(f.work / "broken.npz", read_file(f.work / "test.npz").substr(0, 4000));
  expect(f.evaluate("predict", "other", {"--input", f.path("broken.npz")}), 3, "broken.npz");
  CHECK_FALSE(fs::exists(f.work / "other"));
}
