#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

TEST_CASE(
    "every kind of attention trains, alike at any number of threads, resumes and is compared") {
  for (const std::string kind : {"sinkformer", "espformer", "lotformer", "differential"}) {
    CAPTURE(kind);
    const Workspace work;
    const fs::path whole = work / "whole", parts = work / "parts", out = work / "compare";
    const Words more = {"--set", "model.attention.kind=" + kind, "--set",
                        "model.attention.pivots=3"};
    REQUIRE(train(whole, more + Words{"--threads", "1"}).code == 0);
    CHECK(read_json(whole / "summary.json")["model"]["attention"]["kind"] == kind);
    REQUIRE(train(parts, more + Words{"--max-steps", "9"}).code == 0);
    REQUIRE(train(parts, more + Words{"--resume", "--threads", "2"}).code == 0);
    CHECK(newest_checkpoint(whole) == newest_checkpoint(parts));

    REQUIRE(run("asap-eval", {"compare", "--run", whole.string(), "--out", out.string(),
                              "--methods", "teacher,espformer"})
                .code == 0);
    CHECK(read_json(out / "summary.json")["methods"][0]["agreement"] == 1.0);
    // Only Sinkhorn's plan has a loop to do without.
    CHECK(compile(whole, work / "operator").code == (kind == "sinkformer" ? 0 : 2));
  }
}
