// Networks with region-constrained activations, as a user trains and compiles them.
#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

Words region(const Words& more = {}) {
  return Words{"--set", "model.feed_forward.kind=region", "--set", "train.peaks_fraction=0.5"} +
         more;
}

}  // namespace

TEST_CASE(
    "a Transformer with region-constrained feed-forward parts is compiled and compared like any "
    "other") {
  const Workspace work;
  const Outcome trained = train(work / "teacher", region());
  REQUIRE_MESSAGE(trained.code == 0, trained.error);
  CHECK(trained.error.find("region-constrained activations of depth 3") != std::string::npos);
  REQUIRE(compile(work / "teacher", work / "operator").code == 0);
  const Outcome compared =
      run("asap-eval", {"compare", "--run", work / "teacher", "--compiled", work / "operator",
                        "--methods", "teacher,compiled", "--out", work / "compare", "--quiet"});
  REQUIRE_MESSAGE(compared.code == 0, compared.error);
  const Json summary = read_json(work / "compare/summary.json");
  CHECK(summary["methods"][0]["agreement"] == 1);
  CHECK(summary["methods"][1]["agreement"].get<double>() > 0.7);
  const Outcome exported = run("asap-eval", {"export", "--run", work / "teacher", "--compiled",
                                             work / "operator", "--out", work / "onnx", "--json"});
  REQUIRE_MESSAGE(exported.code == 0, exported.error);
  CHECK(Json::parse(exported.out)["method"] == "compiled");
  CHECK(Json::parse(exported.out)["inputs"][0]["name"] == "pixels");
  CHECK(fs::file_size(work / "onnx/network.onnx") > 1000);
  const Outcome refused = run("asap-eval", {"export", "--run", work / "teacher", "--method",
                                            "espformer", "--out", work / "refused"});
  CHECK(refused.code == 2);
  CHECK(last_line(refused.error).find("--method espformer cannot be exported") !=
        std::string::npos);
  CHECK_FALSE(fs::exists(work / "refused"));
  const Outcome regions = run("asap-eval", {"regions", "--run", work / "teacher", "--segments", "4",
                                            "--out", work / "regions", "--quiet"});
  REQUIRE_MESSAGE(regions.code == 0, regions.error);
  for (const char* name : {"report.html", "regions.svg"})
    CHECK_MESSAGE(fs::exists(work / "regions" / name), name);
  CHECK(read_json(work / "regions/summary.json")["channel_regions"]["min"] == 8);
}

Json count_regions(const std::filesystem::path& folder, const char* threads) {
  const Outcome counted = run("asap-eval", {"regions", "--run", folder.string(), "--segments", "6",
                                            "--json", "--threads", threads});
  REQUIRE_MESSAGE(counted.code == 0, counted.error);
  return Json::parse(counted.out);
}

TEST_CASE(
    "a perceptron learns, goes on after a stop as if there had been none, and is not compiled") {
  const Workspace work;
  const Words mlp =
      region({"--set", "model.kind=mlp", "--set", "model.heads=3", "--set", "train.epochs=30",
              "--set", "train.checkpoint_every=100", "--set", "train.learning_rate=0.003"});
  REQUIRE(train(work / "whole", mlp).code == 0);
  REQUIRE(train(work / "stopped", mlp + Words{"--max-steps", "13"}).code == 0);
  const Json constrained = count_regions(work / "stopped", "2");
  CHECK(constrained["follows_peaks"] == true);
  CHECK(constrained["channel_regions"]["min"] == 8);  // 2^3 by construction
  CHECK(constrained["channel_regions"]["max"] == 8);
  REQUIRE(train(work / "stopped", mlp + Words{"--resume", "--threads", "3"}).code == 0);
  CHECK(newest_checkpoint(work / "stopped") == newest_checkpoint(work / "whole"));
  const Json summary = read_json(work / "whole/summary.json");
  CHECK(summary["test"]["accuracy"].get<double>() > 0.3);  // of four classes
  const Json whole = count_regions(work / "whole", "1");
  CHECK(whole == count_regions(work / "whole", "3"));
  CHECK(whole["accuracy"] == summary["test"]["accuracy"]);
  CHECK(whole["follows_peaks"] == false);
  CHECK(whole["regions"]["max"].get<int>() > 8);
  CHECK(run("asap-eval", {"regions", "--run", work / "nothing"}).code == 3);
  const Outcome exported =
      run("asap-eval", {"export", "--run", work / "whole", "--out", work / "onnx", "--json"});
  REQUIRE_MESSAGE(exported.code == 0, exported.error);
  CHECK(Json::parse(exported.out)["classes"].size() == 4);
  CHECK(std::filesystem::file_size(work / "onnx/network.onnx") > 1000);
  CHECK(run("asap-eval", {"export", "--run", work / "whole", "--method", "teacher", "--out",
                          work / "perceptron"})
            .code == 2);
  const std::string bundle = work / "m.safetensors";
  REQUIRE(run("asap-eval", {"bundle", "--run", work / "whole", "--out", bundle}).code == 0);
  REQUIRE(run("asap-eval", {"export", "--model", bundle, "--out", work / "again"}).code == 0);
  for (const char* file : {"network.onnx", "summary.json"})
    CHECK(asap::base::read_file(work / "again" / file) ==
          asap::base::read_file(work / "onnx" / file));
  const Outcome compiled = compile(work / "whole", work / "operator");
  CHECK(compiled.code == 2);
  CHECK(last_line(compiled.error).find("no attention to compile") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(work / "operator"));
  CHECK(run("asap-eval", {"diagnose", "--run", work / "whole", "--out", work / "d"}).code == 2);
}

TEST_CASE(
    "a convolutional network is resumed, answers from a run and a bundle, and is not compiled") {
  const Workspace work;
  const Words settings =
      region({"--set", "model.kind=convolutional", "--set", "model.convolution.channels=[4,6]",
              "--set", "train.epochs=4", "--set", "train.checkpoint_every=100"});
  const Outcome trained = train(work / "whole", settings);
  REQUIRE_MESSAGE(trained.code == 0, trained.error);
  CHECK(trained.error.find("2 convolutions in each block of 4, 6 channels") != std::string::npos);
  REQUIRE(train(work / "stopped", settings + Words{"--max-steps", "3"}).code == 0);
  const Outcome other_layers =
      train(work / "stopped", settings + Words{"--resume", "--set", "model.convolution.layers=1"});
  CHECK(other_layers.code == 2);
  CHECK(last_line(other_layers.error).find("model.convolution.layers") != std::string::npos);
  REQUIRE(train(work / "stopped", settings + Words{"--resume", "--threads", "3"}).code == 0);
  CHECK(newest_checkpoint(work / "stopped") == newest_checkpoint(work / "whole"));
  const Json regions = count_regions(work / "whole", "2");
  CHECK(regions["accuracy"] == read_json(work / "whole/summary.json")["test"]["accuracy"]);
  CHECK(regions["regions"]["max"].get<int>() > 8);  // along what the hidden layers read
  const std::string bundle = work / "m.safetensors";
  REQUIRE(run("asap-eval", {"bundle", "--run", work / "whole", "--out", bundle}).code == 0);
  const Outcome from_bundle =
      run("asap-eval", {"export", "--model", bundle, "--out", work / "onnx"});
  CHECK(from_bundle.code == 2);
  CHECK(last_line(from_bundle.error).find("model.kind convolutional is not exported") !=
        std::string::npos);
  const Outcome compiled = compile(work / "whole", work / "operator");
  CHECK(compiled.code == 2);
  CHECK(last_line(compiled.error).find("model.kind convolutional has no attention to compile") !=
        std::string::npos);
}
