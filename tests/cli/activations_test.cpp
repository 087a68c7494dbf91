// Compiling captured activations of another program's network, from the command line.
#include <cmath>

#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/safetensors.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

/// Two layers of 96 examples of 6 tokens, 8 columns: waves, different for each tensor.
TensorFile captured() {
  TensorFile file;
  int phase = 0;
  for (const char* name :
       {"layers.0.queries", "layers.0.keys", "layers.1.queries", "layers.1.keys"}) {
    asap::tensor::Tensor<float> values({96, 6, 8});
    for (std::int64_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(std::sin(0.7 * static_cast<double>(i) * (1 + phase)) +
                                     std::cos(0.013 * static_cast<double>(i * i % 997)));
    file.put(name, values);
    ++phase;
  }
  return file;
}

Outcome compile_captured(const std::filesystem::path& file, const std::filesystem::path& out,
                         const Words& more) {
  return run("asap-compile", Words{"--activations", file.string(), "--out", out.string(),
                                   "--calibration", "64", "--set", "held_out=32"} +
                                 more);
}

}  // namespace

TEST_CASE("captured activations are compiled once the number of heads is stated") {
  const Workspace work;
  const std::filesystem::path file = work / "qk.safetensors";
  TensorFile tensors = captured();
  write_safetensors(file, tensors);
  const Outcome unknown = compile_captured(file, work / "unknown", {});
  CHECK(unknown.code == 2);
  CHECK(last_line(unknown.error)
            .find("8 columns of queries and keys is not stated (1, 2, 4, 8 "
                  "divide them) (hint: give --heads N") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(work / "unknown"));

  const Outcome stated = compile_captured(file, work / "flag", {"--heads", "2"});
  REQUIRE_MESSAGE(stated.code == 0, stated.error);
  CHECK(stated.error.find("  activations 96 examples of 6 tokens, 2 layers of 2 heads, width 4;") !=
        std::string::npos);
  CHECK(stated.error.find("10 iterations, epsilon 1\n") != std::string::npos);
  CHECK(read_json(work / "flag/summary.json")["heads"].size() == 4);

  tensors.metadata["heads"] = "2";
  write_safetensors(file, tensors);
  for (const Words& words :
       {Words{}, Words{"--heads", "2"}, Words{"--set", "activations.heads=2"}}) {
    const Workspace other;
    const Outcome outcome = compile_captured(file, other / "op", words);
    REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
    CHECK(read_file(other / "op/operator.safetensors") ==
          read_file(work / "flag/operator.safetensors"));
  }
  const Outcome contradicted = compile_captured(file, work / "four", {"--heads", "4"});
  CHECK(contradicted.code == 2);
  CHECK(last_line(contradicted.error).find("leave --heads out") != std::string::npos);
  CHECK(compile_captured(file, work / "zero", {"--heads", "0"}).code == 2);
  CHECK(run("asap-compile", {"--run", "r", "--heads", "2", "--out", work / "run"}).code == 2);

  // A dumped configuration does not state what was not stated.
  const Outcome dumped = run("asap-compile", {"--dump-config"});
  CHECK(parse_json(dumped.out, "stdout")["activations"].contains("iterations"));
  CHECK_FALSE(parse_json(dumped.out, "stdout")["activations"].contains("heads"));
  const Outcome with = run("asap-compile", {"--dump-config", "minimal", "--heads", "4"});
  CHECK(parse_json(with.out, "stdout")["activations"]["heads"] == 4);
}
