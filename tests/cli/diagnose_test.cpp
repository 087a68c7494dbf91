#include <cmath>

#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

Outcome diagnose(const fs::path& run_folder, const fs::path& out, const Words& more = {}) {
  return run("asap-eval",
             Words{"diagnose", "--run", run_folder.string(), "--out", out.string()} + more);
}

}  // namespace

TEST_CASE("diagnose leaves the promised numbers, table, pictures and report, at any thread count") {
  const Workspace work;
  const fs::path teacher = work / "run", compiled = work / "operator", out = work / "out";
  REQUIRE(train(teacher).code == 0);
  REQUIRE(compile(teacher, compiled).code == 0);
  const Outcome outcome = diagnose(
      teacher, out, {"--compiled", compiled.string(), "--examples", "20", "--iterations", "6"});
  REQUIRE(outcome.code == 0);
  for (const char* part : {"sink share", "rank residual", "teacher", "softmax", "compiled"})
    CHECK_MESSAGE(outcome.out.find(part) != std::string::npos, part);
  for (const char* name : {"report.html", "rank_collapse.svg", "pure_rank_collapse.svg",
                           "entropy.svg", "attention_sinks.svg", "column_error.svg"})
    CHECK_MESSAGE(fs::exists(out / name), name);

  const Json summary = read_json(out / "summary.json");
  CHECK(summary["examples"] == 20);
  CHECK(summary["tokens"] == 16);
  CHECK(summary["collapse_base"] > 0);
  CHECK(summary["theorem_base"] > summary["collapse_base"]);
  REQUIRE(summary["methods"].size() == 4);  // teacher, softmax, compiled, compiled+3
  // The verdict comes first, on the screen, in the summary and on the page, whose title is no path.
  REQUIRE(summary["verdict"].size() == 2);
  CHECK(outcome.out.starts_with(summary["verdict"][0].get<std::string>()));
  const std::string page = asap::base::read_file(out / "report.html");
  CHECK(page.find(summary["verdict"][0].get<std::string>()) < page.find("<figure"));
  CHECK(page.find("<h1>Drawn shapes: attention diagnosed</h1>") != std::string::npos);
  for (const Json& method : summary["methods"]) {
    CHECK(method["rank_residual"].size() == 3);  // two layers
    REQUIRE(method["pure_rank_residual"].size() == 3);
    REQUIRE(method["pure_rank_bound"].size() == 3);
    CHECK(method["pure_rank_residual"][0] == method["rank_residual"][0]);
    for (int depth = 0; depth < 3; ++depth)
      CHECK(method["pure_rank_residual"][depth].get<double>() <=
            method["pure_rank_bound"][depth].get<double>() + 1e-6);
    REQUIRE(method["heads"].size() == 4);
    for (const Json& head : method["heads"]) {
      CHECK(head["sink_share"] >= 1.0 / 16 - 1e-6);
      CHECK(head["sink_share"] <= 1.0);
      CHECK(head["entropy"] > 0.0);
      CHECK(head["entropy"] <= 1.0 + 1e-6);
      CHECK(head["logit_range"] > 0.0);
    }
  }
  // Softmax is no iteration, the teacher four; tokens before the first layer are the same for all.
  const Json& methods = summary["methods"];
  const Json& head = methods[0]["heads"][0];
  REQUIRE(head["column_error_by_iteration"].size() == 7);
  CHECK(std::abs(head["column_error_by_iteration"][4].get<double>() -
                 head["column_error"].get<double>()) < 1e-5);
  CHECK(std::abs(head["column_error_by_iteration"][0].get<double>() -
                 methods[1]["heads"][0]["column_error"].get<double>()) < 1e-5);
  CHECK_FALSE(methods[1]["heads"][0].contains("column_error_by_iteration"));
  CHECK(methods[0]["rank_residual"][0] == methods[1]["rank_residual"][0]);

  Json one = diagnose(teacher, work / "one", {"--json", "--threads", "1"}).code == 0
                 ? read_json(work / "one" / "summary.json")
                 : Json();
  REQUIRE(diagnose(teacher, work / "two", {"--threads", "3"}).code == 0);
  CHECK(one["methods"] == read_json(work / "two" / "summary.json")["methods"]);
}

TEST_CASE("diagnose works on sets with padding and labels per token, and on other kinds") {
  const Workspace work;
  const fs::path run_folder = work / "run";
  REQUIRE(run("asap-train",
              {"--config", ASAP_SOURCE_DIR "/configs/train/matching_espformer.json", "--set",
               "data.matching.examples=64", "--set", "data.matching.test_examples=8", "--set",
               "model.width=16", "--max-steps", "2", "--out", run_folder.string()})
              .code == 0);
  REQUIRE(diagnose(run_folder, work / "out", {"--methods", "teacher,sinkhorn:2"}).code == 0);
  const Json summary = read_json(work / "out" / "summary.json");
  CHECK(summary["tokens"] == 48);
  // ESPFormer's plan has no bound; Sinkhorn's in its place would have one only in a network of its
  // kind.
  CHECK_FALSE(summary["methods"][0].contains("pure_rank_bound"));
}

TEST_CASE("diagnose refuses runs, methods and numbers that make no sense") {
  const Workspace work;
  REQUIRE(train(work / "run", {"--max-steps", "2"}).code == 0);
  CHECK(diagnose(work / "nowhere", work / "out").code == 3);
  CHECK(diagnose(work / "run", work / "out", {"--methods", "teachr"}).code == 2);
  CHECK(diagnose(work / "run", work / "out", {"--methods", "compiled"}).code == 2);
  CHECK(diagnose(work / "run", work / "out", {"--iterations", "-1"}).code == 2);
  CHECK(diagnose(work / "run", work / "out", {"--set", "iterations=5000"}).code == 2);
  CHECK_FALSE(fs::exists(work / "out"));
}
