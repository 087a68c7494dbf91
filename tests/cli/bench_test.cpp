#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kForms = {"softmax",
                                         "softmax_stored",
                                         "sinkhorn_exp",
                                         "sinkhorn_single",
                                         "sinkhorn_gibbs_bf16",
                                         "sinkhorn_bf16",
                                         "sinkhorn_tiled",
                                         "sinkhorn_log",
                                         "compiled",
                                         "compiled_no_sort",
                                         "compiled_relaxed",
                                         "compiled_corrected",
                                         "compiled_landmarks",
                                         "compiled_single",
                                         "compiled_gibbs_bf16",
                                         "compiled_tiled",
                                         "compiled_bf16",
                                         "compiled_tiled_bf16",
                                         "compiled_no_lse",
                                         "compiled_no_lse_bf16",
                                         "compiled_one_pass",
                                         "compiled_one_pass_bf16",
                                         "espformer"};

/// A benchmark of a few milliseconds.
Words tiny_bench(const fs::path& out) {
  return {"bench",
          "--sizes",
          "8,24",
          "--head-width",
          "8",
          "--iterations",
          "3",
          "--slices",
          "2",
          "--heads",
          "3",
          "--rounds",
          "2",
          "--set",
          "calibration=4",
          "--set",
          "turn_seconds=0",
          "--out",
          out.string()};
}

/// The summary without what the clock says.
Json without_times(Json summary) {
  for (const char* name : {"growth", "peak_gflops", "peak_disturbed", "threads", "command"})
    summary.erase(name);
  for (Json& row : summary["rows"])
    for (const std::string& form : kForms) {
      row.erase(form);
      for (const char* name : {"milliseconds", "fastest_milliseconds", "over_softmax",
                               "over_compiled", "gflops", "fraction_of_peak", "memory_bytes"})
        row["forms"][form].erase(name);
    }
  return summary;
}

void check_refused(const Words& more, const std::vector<std::string>& parts) {
  const Workspace work;
  const Outcome outcome = run(
      "asap-eval", Words{"bench", "--head-width", "8", "--out", (work / "bench").string()} + more);
  const std::string line = last_line(outcome.error);
  CAPTURE(line);
  CHECK(outcome.code == 2);
  for (const std::string& part : parts) CHECK_MESSAGE(line.find(part) != std::string::npos, part);
  CHECK_FALSE(fs::exists(work / "bench"));
}

}  // namespace

TEST_CASE("bench leaves the promised numbers, tables and report") {
  const Workspace work;
  const Outcome outcome = run("asap-eval", tiny_bench(work / "bench"));
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("Milliseconds per head") != std::string::npos);
  for (const char* part : {"softmax", "sinkhorn_", "compiled_bf16", "Compiled attention is"})
    CHECK_MESSAGE(outcome.out.find(part) != std::string::npos, part);
  for (const char* part : {"\nespformer", "Output error"})  // rows that are left to the report
    CHECK_MESSAGE(outcome.out.find(part) == std::string::npos, part);
  CHECK(fs::exists(work / "bench" / "report.html"));
  const Json summary = read_json(work / "bench" / "summary.json");
  CHECK(summary["peak_gflops"] > 0);
  REQUIRE(summary["rows"].size() == 2);
  for (const Json& row : summary["rows"]) {
    CHECK(row["d"] == 8);
    CHECK(row["heads"] == 3);
    for (const std::string& form : kForms) {
      CAPTURE(form);
      REQUIRE(row.contains(form));
      CHECK(row[form] > 0);
      for (const char* name : {"milliseconds", "memory_bytes", "gflops", "fraction_of_peak",
                               "plan_l1", "output_error", "log_domain_heads"})
        CHECK_MESSAGE(row["forms"][form][name].is_number(), name);
    }
    // float32 against float64, far above rounding and far below any real difference.
    for (const char* exact : {"sinkhorn_exp", "sinkhorn_single", "sinkhorn_tiled", "sinkhorn_log"})
      CHECK_MESSAGE(row["forms"][exact]["plan_l1"] < 1e-4, exact);
    // bfloat16 keeps entries to 0.4 %.
    CHECK(row["forms"]["sinkhorn_gibbs_bf16"]["plan_l1"] < 0.01);
    CHECK(row["forms"]["compiled"]["plan_l1"] < row["forms"]["softmax"]["plan_l1"]);
  }
  CHECK(summary["rows"][0]["n"] == 8);
  CHECK(summary["rows"][1]["n"] == 24);
}

TEST_CASE("all but the times of a benchmark is the same in every run, at any number of threads") {
  const Workspace work;
  REQUIRE(run("asap-eval", tiny_bench(work / "one") + Words{"--threads", "1"}).code == 0);
  REQUIRE(run("asap-eval", tiny_bench(work / "two") + Words{"--threads", "2"}).code == 0);
  CHECK(without_times(read_json(work / "one" / "summary.json")) ==
        without_times(read_json(work / "two" / "summary.json")));
}

TEST_CASE("bench measures only the forms asked for, and prints JSON alone when asked") {
  const Workspace work;
  const Outcome outcome =
      run("asap-eval", tiny_bench(work / "bench") + Words{"--forms", "compiled,softmax", "--json"});
  REQUIRE(outcome.code == 0);
  const Json summary = Json::parse(outcome.out);
  CHECK(summary["rows"][0]["forms"].size() == 2);
  CHECK(summary["rows"][0].contains("softmax"));
  CHECK_FALSE(summary["rows"][0].contains("espformer"));
}

TEST_CASE("bench prints every form and every table when asked for all") {
  const Workspace work;
  const Outcome outcome = run("asap-eval", tiny_bench(work / "bench") + Words{"--forms", "all"});
  REQUIRE(outcome.code == 0);
  for (const std::string& form : kForms)
    CHECK_MESSAGE(outcome.out.find(form) != std::string::npos, form);
  CHECK(outcome.out.find("Output error") != std::string::npos);
}

TEST_CASE("forms are found by their former names") {
  const Workspace work;
  const Outcome outcome =
      run("asap-eval", tiny_bench(work / "bench") + Words{"--forms", "compiled_half", "--json"});
  REQUIRE(outcome.code == 0);
  CHECK(Json::parse(outcome.out)["rows"][0].contains("compiled_gibbs_bf16"));
  check_refused({"--forms", "compiled_half,compiled_gibbs_bf16"}, {"named twice"});
}

TEST_CASE("a form that would not finish in time, or not fit, is skipped and says so") {
  const Workspace work;
  const Outcome outcome =
      run("asap-eval", tiny_bench(work / "bench") + Words{"--set", "time_budget=1e-9", "--json"});
  REQUIRE(outcome.code == 0);
  const Json rows = Json::parse(outcome.out)["rows"];
  CHECK(rows[0].contains("softmax"));
  CHECK_FALSE(rows[1].contains("softmax"));
  CHECK(rows[1]["forms"]["softmax"]["skipped"] == "over 1e-09 s a turn from N = 24");
}

TEST_CASE("bench refuses what it cannot measure and names the field or flag") {
  check_refused({"--forms", "softmax,compilde"}, {"compilde", "compiled"});
  check_refused({"--forms", "softmax,softmax"}, {"softmax", "twice"});
  check_refused({"--sizes", "24,8"}, {"sizes", "24", "8"});
  check_refused({"--slices", "9"}, {"slices", "9", "8"});
  check_refused({"--rounds", "0"}, {"rounds"});
  check_refused({"--logit-range", "-1"}, {"logit_range"});
  check_refused({"--sizes", "8", "--scaling"}, {"--scaling", "--sizes"});
}

TEST_CASE("bench times the transport of matchers and refuses flags that are not for it") {
  const Workspace work;
  const auto bench = [&](const std::string& out, const Words& more) {
    return run("asap-eval",
               Words{"bench", "--transport", "--sizes", "40,50", "--head-width", "8",
                     "--iterations", "20", "--rounds", "1", "--out", (work / out).string()} +
                   more);
  };
  const Outcome outcome = bench("out", {});
  REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
  CHECK(outcome.out.find("compiled+sparse:100") != std::string::npos);
  const Json summary = read_json(work / "out" / "summary.json");
  CHECK(summary["iterations"] == 20);
  CHECK(summary["sizes"][1]["points"] == 50);
  CHECK(summary["sizes"][1]["forms"][0]["name"] == "log_domain");
  CHECK(summary["sizes"][1]["forms"][1]["plan_l1"] < 1e-3);
  CHECK(bench("none", {"--forms", "compiled"}).code == 2);
  CHECK(bench("none", {"--profile"}).code == 2);
  CHECK_FALSE(fs::exists(work / "none"));
}
