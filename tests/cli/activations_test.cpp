// Compiling captured activations of another program's network, from the command line.
#include <bit>
#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "support/npz_file.h"

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

/// The file with its float tensors as BF16 or F16; for values that both hold exactly.
std::string in_half_precision(const TensorFile& file, const std::string& type) {
  Json header = Json::object();
  std::string data;
  for (const auto& [name, stored] : file.tensors) {
    const std::size_t begin = data.size();
    if (stored.type == ElementType::float32) {
      const asap::tensor::Tensor<float> values = stored.to<float>();
      for (const float value : values.flat()) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        // float16 has a bias of 15 instead of 127 and 10 bits of fraction instead of 23.
        const std::uint32_t half =
            value == 0 ? 0 : (bits >> 16 & 0x8000) | (((bits >> 13) - (112u << 10)) & 0x7fff);
        const auto word = static_cast<std::uint16_t>(type == "BF16" ? bits >> 16 : half);
        data.append(reinterpret_cast<const char*>(&word), sizeof(word));
      }
    } else {
      data += stored.bytes;
    }
    header[name] = {{"dtype", stored.type == ElementType::float32 ? type : "I32"},
                    {"shape", std::vector<std::int64_t>(stored.shape.begin(), stored.shape.end())},
                    {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + text + data;
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

TEST_CASE("half precision, other layouts and masks are read, and the program says how") {
  const Workspace work;
  // bfloat16 and float16 of small whole numbers are exact, so all files mean the same.
  TensorFile plain;
  for (const char* name : {"q", "k"}) {
    asap::tensor::Tensor<float> values({96, 2, 5, 3});
    for (std::int64_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 7 + (name[0] == 'q' ? 3 : i / 11)) % 5 - 2);
    plain.put(name, values);
  }
  asap::tensor::Tensor<std::int32_t> lengths({96});
  for (std::int64_t i = 0; i < 96; ++i) lengths[i] = 3 + static_cast<std::int32_t>(i % 3);
  plain.put("lengths", lengths);
  write_safetensors(work / "float32.safetensors", plain);
  const Outcome first = compile_captured(work / "float32.safetensors", work / "float32", {});
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK(first.error.find("q [96, 2, 5, 3], k [96, 2, 5, 3], no values; float32; lengths: 384 of "
                         "480 tokens live\n") != std::string::npos);
  CHECK(read_json(work / "float32/summary.json")["heads"].size() == 2);  // evidence of each head

  for (const std::string type : {"BF16", "F16"}) {
    write_file_atomically(work / (type + ".safetensors"), in_half_precision(plain, type));
    const Outcome half = compile_captured(work / (type + ".safetensors"), work / type, {});
    REQUIRE_MESSAGE(half.code == 0, half.error);
    CHECK(half.error.find(type == "F16" ? "; float16; " : "; bfloat16; ") != std::string::npos);
    CHECK(read_file(work / type / "operator.safetensors") ==
          read_file(work / "float32/operator.safetensors"));
  }
  TensorFile misspelled = plain;
  misspelled.put("layer.1.qeury", lengths);
  write_safetensors(work / "unknown.safetensors", misspelled);
  const Outcome unknown = compile_captured(work / "unknown.safetensors", work / "unknown", {});
  CHECK(unknown.code == 3);
  CHECK(
      last_line(unknown.error).find("unknown tensor 'layer.1.qeury' (the nearest known name is") !=
      std::string::npos);
  CHECK_FALSE(std::filesystem::exists(work / "unknown"));

  write_file_atomically(work / "qk.npz", npz_file(plain.tensors));
  const Outcome archive = compile_captured(work / "qk.npz", work / "npz", {});
  REQUIRE_MESSAGE(archive.code == 0, archive.error);
  CHECK(read_file(work / "npz/operator.safetensors") ==
        read_file(work / "float32/operator.safetensors"));
  write_file_atomically(work / "q.npy", serialise_npy(plain.at("q")));
  const Outcome single = compile_captured(work / "q.npy", work / "npy", {});
  CHECK(single.code == 3);
  CHECK(last_line(single.error).find("numpy.savez(FILE, q=queries, k=keys)") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(work / "npy"));
}
