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

TEST_CASE("products in bfloat16 train, alike at any number of threads, resume and compile") {
  const Workspace work;
  const fs::path whole = work / "whole", parts = work / "parts", out = work / "compare";
  const Words more = {"--set", "model.product_precision=bfloat16"};
  REQUIRE(train(whole, more + Words{"--threads", "1"}).code == 0);
  CHECK(read_json(whole / "config.json")["model"]["product_precision"] == "bfloat16");
  REQUIRE(train(parts, more + Words{"--max-steps", "9"}).code == 0);
  // A run goes on in the precision it began in.
  check_refusal(train(parts, {"--resume", "--set", "model.product_precision=single"}), 2,
                {"product_precision"});
  REQUIRE(train(parts, more + Words{"--resume", "--threads", "2"}).code == 0);
  CHECK(newest_checkpoint(whole) == newest_checkpoint(parts));
  // Highway's portable form goes by different names; none of these has such products.
  int refused = 0;
  for (const std::string simd : {"scalar", "emu128", "neon"}) {
    CAPTURE(simd);
    const Outcome without = train(work / simd, more + Words{"--simd", simd, "--max-steps", "1"});
    refused += without.code == 2 ? 1 : 0;
    if (without.code == 0)
      CHECK((without.out + without.error).find("no products in bfloat16") != std::string::npos);
  }
  CHECK(refused < 3);
  REQUIRE(compile(whole, work / "operator").code == 0);
  REQUIRE(run("asap-eval",
              {"compare", "--run", whole.string(), "--compiled", (work / "operator").string(),
               "--out", out.string(), "--methods", "teacher,softmax,compiled"})
              .code == 0);
  CHECK(read_json(out / "summary.json")["methods"][0]["agreement"] == 1.0);
}

TEST_CASE("attention with slack trains, resumes, compiles, compares, predicts and is diagnosed") {
  const Workspace work;
  const fs::path whole = work / "whole", parts = work / "parts", op = work / "operator";
  const Words more = {"--set", "model.attention.slack=learned", "--set",
                      "model.attention.slack_start=2"};
  REQUIRE(train(whole, more + Words{"--threads", "1"}).code == 0);
  REQUIRE(train(parts, more + Words{"--max-steps", "9"}).code == 0);
  REQUIRE(train(parts, more + Words{"--resume", "--threads", "2"}).code == 0);
  CHECK(newest_checkpoint(whole) == newest_checkpoint(parts));
  REQUIRE(compile(whole, op).code == 0);

  const fs::path out = work / "compare";
  REQUIRE(run("asap-eval", {"compare", "--run", whole.string(), "--compiled", op.string(), "--out",
                            out.string(), "--methods",
                            "teacher,teacher_log,softmax,sinkhorn:4,sinkhorn:1,compiled,compiled+1,"
                            "compiled:cascade,f0,sinkhorn_bf16:4"})
              .code == 0);
  const Json methods = read_json(out / "summary.json")["methods"];
  for (const Json& method : methods)
    if (method["name"] == "sinkhorn:4" || method["name"] == "teacher_log")  // T of the teacher
      CHECK(method["agreement"] == 1.0);
  // Guards and certificates compare columns with a sum that slack does not fix.
  for (const char* method : {"guarded", "warm"}) {
    const Outcome refused =
        run("asap-eval", {"compare", "--run", whole.string(), "--compiled", op.string(), "--out",
                          (work / "refused").string(), "--methods", method});
    check_refusal(refused, 2, {"slack", "hint: compiled+1", "compiled:cascade"});
  }
  check_refusal(run("asap-eval", {"drift", "--run", whole.string(), "--compiled", op.string(),
                                  "--out", (work / "refused").string()}),
                2, {"slack", "hint: asap-eval compare"});

  const fs::path diagnosed = work / "diagnosed";
  const Outcome outcome = run("asap-eval", {"diagnose", "--run", whole.string(), "--out",
                                            diagnosed.string(), "--examples", "20"});
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("slack: layer 0: a token receives at most") != std::string::npos);
  const Json summary = read_json(diagnosed / "summary.json");
  REQUIRE(summary["column_bounds"].size() == 2);
  for (const Json& layer : summary["column_bounds"])
    for (const Json& bound : layer) CHECK(bound.get<double>() > 1.5);  // it starts at 3
  const Json& masses = summary["methods"][0]["token_mass"][0];
  CHECK(masses["most"][0]["mass"].get<double>() > masses["least"][0]["mass"].get<double>());
}

TEST_CASE("slack that makes no sense is refused in words") {
  const Workspace work;
  const auto refused = [&](const Words& settings, const char* word) {
    Words more;
    for (const std::string& setting : settings) more = more + Words{"--set", setting};
    const Outcome outcome = train(work / "run", more);
    CHECK(outcome.code == 2);
    CHECK_MESSAGE(outcome.error.find(word) != std::string::npos, outcome.error);
  };
  refused({"model.attention.slack=learned", "model.attention.kind=softmax"}, "sinkhorn only");
  refused({"model.attention.slack=learned", "model.attention.kind=sinkformer"}, "sinkhorn only");
  refused({"model.attention.slack=fixed", "model.attention.gradient=implicit"}, "exact gradient");
  refused({"model.attention.slack=fixed", "model.attention.iterations=0"},
          "one Sinkhorn iteration");
  refused({"model.attention.slack=learned", "model.attention.slack_start=0"}, "above 0");
  refused({"model.attention.slack=fixed", "model.attention.slack_start=-1"}, "slack_start");
  refused({"model.attention.slack=some"}, "learned");
}

TEST_CASE("a fixed slack of 0 trains Sinkhorn's very network") {
  const Workspace work;
  REQUIRE(train(work / "none").code == 0);
  REQUIRE(train(work / "zero",
                {"--set", "model.attention.slack=fixed", "--set", "model.attention.slack_start=0"})
              .code == 0);
  const auto weights = [](const fs::path& run_folder) {
    std::string bytes;
    for (const auto& [name, content] : newest_checkpoint(run_folder))
      if (name.ends_with("model.safetensors")) bytes = content;
    return bytes;
  };
  CHECK_FALSE(weights(work / "none").empty());
  CHECK(weights(work / "none") == weights(work / "zero"));
}
