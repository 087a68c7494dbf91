#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Checks that an object has all of these numbers and that they are numbers.
void check_numbers(const Json& object, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    CAPTURE(name);
    REQUIRE(object.contains(name));
    CHECK(object[name].is_number());
  }
}

}  // namespace

TEST_CASE("train, compile and compare leave the promised files and numbers") {
  const Workspace work;
  const fs::path teacher = work / "teacher", compiled = work / "operator", out = work / "compare";

  REQUIRE(train(teacher, {"--set", "train.epochs=6", "--set", "data.shapes.examples=1024", "--set",
                          "model.attention.iterations=10"})
              .code == 0);
  for (const char* name : {"config.json", "metrics.jsonl", "summary.json"})
    CHECK_MESSAGE(fs::exists(teacher / name), name);
  const Json training = read_json(teacher / "summary.json");
  check_numbers(training["test"], {"accuracy", "loss"});
  check_numbers(training["train"], {"steps", "seconds", "examples_per_second", "step_peak_bytes"});
  // A part of what the process held, and more than the pixels of a shard.
  CHECK(training["train"]["step_peak_bytes"] > 8 * 64 * 4);
  CHECK(training["train"]["step_peak_bytes"] < training["memory"]["peak_bytes"]);
  check_numbers(training["model"], {"parameters"});
  check_numbers(training["memory"], {"peak_bytes"});
  CHECK(training["train"]["steps"] == 384);
  CHECK(training["model"]["attention"]["kind"] == "sinkhorn");
  // Four classes: learning anything at all lifts it clearly above one in four.
  CHECK(training["test"]["accuracy"] > 0.35);

  REQUIRE(compile(teacher, compiled, {"--features", "lse,lse0,it:1"}).code == 0);
  for (const char* name : {"operator.safetensors", "operator.json", "summary.json"})
    CHECK_MESSAGE(fs::exists(compiled / name), name);
  const Json fit = read_json(compiled / "summary.json");
  REQUIRE(fit["heads"].size() == 4);
  const std::vector<std::string> evidence = {"dual_r2", "plan_l1", "plan_kl", "column_error",
                                             "output_error"};
  check_numbers(fit["heads"][3], evidence);
  check_numbers(fit["heads"][3], {"layer", "head"});
  check_numbers(fit["mean"], evidence);

  const Outcome compared = run("asap-eval", {"compare", "--run", teacher.string(), "--compiled",
                                             compiled.string(), "--out", out.string(), "--methods",
                                             "teacher,softmax,sinkhorn:1,f0,compiled,compiled+1,"
                                             "sinkhorn:equal"});
  REQUIRE(compared.code == 0);
  for (const char* name : {"report.html", "accuracy.svg", "plan_distance.svg", "summary.json"})
    CHECK_MESSAGE(fs::exists(out / name), name);
  const Json methods = read_json(out / "summary.json")["methods"];
  // The truncation of equal latency: one of its own, or found to be sinkhorn:1.
  REQUIRE(methods.size() == (methods[2].contains("equal_latency") ? 6 : 7));
  const Json& equal = methods.size() == 6 ? methods[2] : methods[6];
  CHECK(equal["equal_latency"] == true);
  CHECK(equal["name"].get<std::string>().starts_with("sinkhorn:"));
  for (const Json& method : methods)
    check_numbers(method, {"accuracy", "agreement", "examples_per_second", "attention_milliseconds",
                           "plan_l1", "column_error"});
  CHECK(methods[0]["agreement"] == 1.0);
  CHECK(methods[0]["accuracy"] == training["test"]["accuracy"]);
  // The fitted dual must do better than no dual. One more iteration makes the columns more exact;
  // it may leave a teacher that has not converged behind.
  CHECK(methods[4]["plan_l1"] < methods[3]["plan_l1"]);
  CHECK(methods[5]["column_error"] < methods[4]["column_error"]);
}

TEST_CASE("key biases are compiled, and a cascade of theirs reruns few examples") {
  const Workspace work;
  const fs::path teacher = work / "teacher", compiled = work / "operator", out = work / "compare";
  REQUIRE(train(teacher, {"--set", "train.epochs=2"}).code == 0);
  REQUIRE(compile(teacher, compiled, {"--mode", "key_bias", "--features", "gau,lin,landmarks:8"})
              .code == 0);
  CHECK(read_json(compiled / "operator.json")["fit"]["mode"] == "key_bias");
  const Words comparison = {"compare",         "--run", teacher.string(), "--compiled",
                            compiled.string(), "--out", out.string(),     "--methods"};
  const Outcome compared =
      run("asap-eval", comparison + Words{"teacher,compiled", "--cascade", "0.2"});
  REQUIRE(compared.code == 0);
  CHECK(compared.out.find("rerun") != std::string::npos);
  const Json methods = read_json(out / "summary.json")["methods"];
  REQUIRE(methods.size() == 3);
  CHECK(methods[2]["name"] == "compiled:cascade");
  CHECK(methods[2]["agreement"] >= methods[1]["agreement"]);
  CHECK(methods[2]["cascade"]["calibration"]["rerun_share"] <= 0.2);
  check_numbers(methods[2]["cascade"], {"margin", "rerun_share"});

  CHECK(run("asap-eval", comparison + Words{"teacher", "--overwrite", "--cascade"}).code == 2);
  CHECK(compile(teacher, work / "scores", {"--mode", "key_bias", "--features", "lse"}).code == 2);
}

TEST_CASE("at a few tokens the compiled operator is the loop, and it says so") {
  const Workspace work;
  REQUIRE(train(work / "teacher").code == 0);
  const Outcome compiled = compile(work / "teacher", work / "operator", {"--error", "1e-5"});
  REQUIRE(compiled.code == 0);
  CHECK(compiled.out.find("keep the loop: nothing with an error of at most 1e-05") !=
        std::string::npos);
  const Json json = read_json(work / "operator" / "operator.json");
  const int iterations = json["teacher_iterations"];
  for (const Json& layer : json["operators"]) CHECK(layer["iterations"] == iterations);
  CHECK(json["choice"]["layers"][0]["frontier"].size() > 1);
  REQUIRE(run("asap-eval",
              {"compare", "--run", work / "teacher", "--compiled", work / "operator", "--methods",
               "teacher,teacher_log,compiled,guarded", "--out", work / "compare"})
              .code == 0);
  const Json methods = read_json(work / "compare" / "summary.json")["methods"];
  for (const Json& method : methods) {
    CAPTURE(method["name"]);
    CHECK(method["agreement"] == 1);
    CHECK(method["plan_l1"] < 1e-4);
  }
  CHECK(read_file(work / "compare" / "report.html").find("as it is published") !=
        std::string::npos);
  REQUIRE(run("asap-eval", {"drift", "--run", work / "teacher", "--compiled", work / "operator",
                            "--out", work / "drift"})
              .code == 0);

  Json chosen = read_json(work / "operator" / "operator.json");
  chosen["choice"]["profile"] = "my profile.json";
  write_json(work / "operator" / "operator.json", chosen);
  REQUIRE(run("asap-eval", {"drift", "--run", work / "teacher", "--compiled", work / "operator",
                            "--out", work / "by_profile"})
              .code == 0);
  const std::string command = read_json(work / "by_profile" / "summary.json")["commands"][1];
  CHECK_MESSAGE(command.find(" --profile 'my profile.json' ") != std::string::npos, command);

  const Outcome budget = compile(work / "teacher", work / "cheap", {"--budget", "0.1"});
  REQUIRE(budget.code == 0);
  CHECK(budget.out.find("nothing is within the budget") != std::string::npos);
  const Outcome profile = compile(work / "teacher", work / "other", {"--profile", "nowhere.json"});
  CHECK(profile.code == 3);
  CHECK(profile.error.find("nowhere.json") != std::string::npos);
}

TEST_CASE("--simd caps the instruction set of any command and refuses what is not there") {
  const Workspace work;
  const Outcome dry = run("asap-train", {"--dry-run", "--simd", "scalar"});
  const Outcome capitals = run("asap-train", {"--dry-run", "--simd", "Scalar"});
  CHECK(capitals.code == dry.code);
  const Outcome unknown = run("asap-train", {"--dry-run", "--simd", "mmx"});
  CHECK(unknown.code == 2);
  CHECK(unknown.error.find("--simd: instruction set 'mmx' is not usable here (hint: usable are ") !=
        std::string::npos);
  // Highway's portable form goes by different names.
  if (dry.code == 0) CHECK((dry.out + dry.error).find("SCALAR") != std::string::npos);
  if (dry.code != 0) CHECK(dry.error.find("usable are") != std::string::npos);
}

TEST_CASE("a softmax network's layers are replaced by an operator that imitates Sinkhorn") {
  const Workspace work;
  const fs::path teacher = work / "teacher", compiled = work / "operator", out = work / "compare";
  REQUIRE(train(teacher, {"--set", "model.attention.kind=softmax"}).code == 0);
  const Outcome refused = compile(teacher, compiled);
  CHECK(refused.code == 2);
  CHECK(refused.error.find("--teacher sinkhorn:10") != std::string::npos);

  REQUIRE(
      compile(teacher, compiled, {"--teacher", "sinkhorn:6", "--features", "lse,lse0,it:1"}).code ==
      0);
  CHECK(read_json(compiled / "operator.json")["teacher_iterations"] == 6);
  CHECK(read_json(compiled / "operator.json")["fit"]["teacher"] == "sinkhorn:6");
  const Outcome compared =
      run("asap-eval", {"compare", "--run", teacher.string(), "--compiled", compiled.string(),
                        "--out", out.string(), "--set", "evidence_examples=20", "--set",
                        "fidelity_examples=16", "--set", "shown_examples=2"});
  REQUIRE(compared.code == 0);
  CHECK(compared.out.find("as imitated") != std::string::npos);
  const Json summary = read_json(out / "summary.json");
  std::vector<std::string> names;
  for (const Json& method : summary["methods"]) {
    names.push_back(method["name"]);
    const bool is_compiled = names.back().starts_with("compiled");
    REQUIRE(method.contains("imitated_agreement") == is_compiled);
    if (is_compiled) CHECK(method["imitated_agreement"] > 0.9);
  }
  CHECK(names == std::vector<std::string>{"teacher", "sinkhorn:6@0", "sinkhorn:6@1", "sinkhorn:6",
                                          "f0", "compiled@0", "compiled@1", "compiled"});
  const std::string command = summary["commands"].back();
  CHECK_MESSAGE(command.find(" --set evidence_examples=20 --set fidelity_examples=16 --set "
                             "shown_examples=2 --out") != std::string::npos,
                command);
  CHECK(summary["compiled"]["teacher"] == "sinkhorn:6");
  CHECK(summary["compiled"]["examples"] == 20);
  CHECK(summary["compiled"]["mean"]["dual_r2"] > 0.5);
  CHECK(summary["compiled"]["heads"].size() == 4);
}

TEST_CASE("a map is fitted on some classes and judged on the others") {
  const Workspace work;
  const fs::path teacher = work / "teacher", compiled = work / "operator", out = work / "compare";
  REQUIRE(train(teacher).code == 0);
  REQUIRE(compile(teacher, compiled,
                  {"--set", "data.shift.classes=[0,1]", "--set", "data.shapes.examples=512"})
              .code == 0);
  const Json fit = read_json(compiled / "summary.json");
  CHECK(fit["calibration"]["source"] == "shapes train (classes 0, 1)");
  CHECK(fit["calibration"]["data"]["shift"]["classes"] == Json::array({0, 1}));
  REQUIRE(run("asap-eval", {"compare", "--run", teacher.string(), "--compiled", compiled.string(),
                            "--out", out.string(), "--methods", "teacher,compiled", "--set",
                            "data.shift.classes=[2,3]", "--set", "data.shift.noise=0.05"})
              .code == 0);
  const Json summary = read_json(out / "summary.json");
  CHECK(summary["data"] == "shapes test (classes 2, 3; noise 0.05)");
  CHECK(summary["examples"] < 64);
  CHECK(summary["methods"][1]["agreement"] > 0.8);
}

TEST_CASE(
    "token sequences of different lengths go the whole way, and a resumed run equals one in one "
    "go") {
  const Workspace work;
  const fs::path teacher = work / "teacher", compiled = work / "operator", out = work / "compare";
  Words words;
  for (const char* assignment :
       {"data.kind=majority", "data.classes=4", "data.majority.examples=640",
        "data.majority.test_examples=128", "data.text.word_dropout=0.05", "model.kind=text",
        "model.width=16", "model.layers=2", "model.pooling=class_token", "model.dropout=0.1",
        "model.embedding_dropout=0.1", "model.attention.iterations=6", "train.batch=32",
        "train.epochs=8", "train.learning_rate=0.01"})
    words = words + Words{"--set", assignment};

  const Outcome trained = run("asap-train", words + Words{"--out", teacher.string()});
  REQUIRE(trained.code == 0);
  CHECK(trained.error.find("640 training, 128 test texts") != std::string::npos);
  CHECK(trained.error.find("text Transformer") != std::string::npos);
  CHECK(trained.out.find("texts/s") != std::string::npos);
  CHECK(read_json(teacher / "summary.json")["test"]["accuracy"] > 0.6);  // chance is 0.25

  const fs::path parts = work / "parts";
  REQUIRE(run("asap-train",
              words + Words{"--out", parts.string(), "--max-steps", "70", "--threads", "1"})
              .code == 0);
  REQUIRE(run("asap-train", words + Words{"--out", parts.string(), "--resume"}).code == 0);
  CHECK(newest_checkpoint(parts) == newest_checkpoint(teacher));
  CHECK(read_file(parts / "metrics.jsonl") == read_file(teacher / "metrics.jsonl"));

  REQUIRE(compile(teacher, compiled).code == 0);
  const Outcome compared = run("asap-eval", {"compare", "--run", teacher.string(), "--compiled",
                                             compiled.string(), "--out", out.string()});
  REQUIRE(compared.code == 0);
  CHECK(compared.out.find("texts/s") != std::string::npos);
  const Json summary = read_json(out / "summary.json");
  for (const Json& method : summary["methods"])
    if (method["name"] == "compiled") CHECK(method["agreement"] > 0.9);
}

TEST_CASE("a softmax network becomes the start of a Sinkhorn one, and a wrong one is refused") {
  const Workspace work;
  const fs::path first = work / "first", second = work / "second";
  REQUIRE(train(first, {"--set", "model.attention.kind=softmax"}).code == 0);
  const Words from = {"--init-from", first.string()};
  const Outcome outcome = train(second, from + Words{"--max-steps", "3"});
  REQUIRE(outcome.code == 0);
  CHECK(outcome.error.find("starting from the weights of " + first.string()) != std::string::npos);
  CHECK(read_json(second / "config.json")["train"]["init_from"] == first.string());
  const Json summary = read_json(second / "summary.json");
  CHECK(summary["initial_weights"]["run"] == first.string());
  CHECK(summary["initial_weights"]["fresh"].empty());

  fs::remove_all(first);
  REQUIRE(train(second, from + Words{"--resume"}).code == 0);
  CHECK(read_json(second / "summary.json")["initial_weights"] == summary["initial_weights"]);

  const Outcome other =
      train(work / "third", {"--init-from", second.string(), "--set", "model.width=32"});
  CHECK(other.code == 2);
  CHECK(other.error.find("'embedding.patch.weight'") != std::string::npos);
  CHECK(train(work / "third", {"--init-from", first.string()}).code == 3);
}

TEST_CASE("a model that cannot read the data is refused with what would fit") {
  const Workspace work;
  const Outcome outcome = train(work / "run", {"--set", "data.kind=majority"});
  CHECK(outcome.code == 2);
  CHECK(outcome.error.find("model.kind is vit, but majority train holds texts") !=
        std::string::npos);
  CHECK(outcome.error.find("--set model.kind=text") != std::string::npos);
}

TEST_CASE("every executable answers --help with an example and --version with one line") {
  for (const char* program : {"asap-train", "asap-compile", "asap-eval", "relu-fit"}) {
    CAPTURE(program);
    const Outcome help = run(program, {"--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("Usage: " + std::string(program)) != std::string::npos);
    const Outcome version = run(program, {"--version"});
    CHECK(version.code == 0);
    CHECK(version.out.starts_with(std::string(program) + " "));
  }
}
