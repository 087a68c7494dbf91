// A matcher from the command line: training, comparison, matches.
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
  const DelimitedRows table = read_delimited(f.work / "compare" / "comparison.csv", {});
  CHECK(table.rows() == static_cast<std::int64_t>(methods.size()) + 1);

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
  expect(f.evaluate("compare", "other", {"--methods", "teacher"}), 2, "--methods");
  expect(f.evaluate("diagnose", "other", {}), 2, "holds a matcher");
  write_file_atomically(f.work / "broken.npz", read_file(f.work / "test.npz").substr(0, 4000));
  expect(f.evaluate("predict", "other", {"--input", f.path("broken.npz")}), 3, "broken.npz");
  CHECK_FALSE(fs::exists(f.work / "other"));
}
