#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// The command ended with this code and one line on stderr that holds all the parts.
void check_failure(const Outcome& outcome, int code, const std::vector<std::string>& parts) {
  const std::string line = last_line(outcome.error);
  CAPTURE(line);
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK(line.find(": error: ") != std::string::npos);
  for (const std::string& part : parts) CHECK_MESSAGE(line.find(part) != std::string::npos, part);
}

/// Training with one more setting fails this way and leaves no folder.
void check_training_fails(const Words& more, int code, const std::vector<std::string>& parts) {
  const Workspace work;
  check_failure(train(work / "run", more), code, parts);
  CHECK_FALSE(fs::exists(work / "run"));
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

/// The four files of an IDX data set, 32 images of 8 x 8 with labels 0 to 3, ready to be damaged.
struct IdxFolder {
  explicit IdxFolder(const fs::path& path) : path_(path) {
    fs::create_directories(path);
    for (const std::string part : {"train", "t10k"}) {
      std::string pixels, labels;
      for (int i = 0; i < 32 * 64; ++i) pixels += static_cast<char>(i * 7);
      for (int i = 0; i < 32; ++i) labels += static_cast<char>(i % 4);
      write(part + "-images-idx3-ubyte",
            big_endian(0x803) + big_endian(32) + big_endian(8) + big_endian(8) + pixels);
      write(part + "-labels-idx1-ubyte", big_endian(0x801) + big_endian(32) + labels);
    }
  }
  void write(const std::string& name, const std::string& content) const {
    write_file_atomically(path_ / name, content);
  }
  std::string content(const std::string& name) const { return read_file(path_ / name); }

  /// Trains on it.
  Outcome train_on(const fs::path& run_folder) const {
    return train(run_folder, {"--set", "data.kind=idx", "--set", "data.path=" + path_.string()});
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("undamaged IDX files train, so that the failures below are those of the damage") {
  const Workspace work;
  CHECK(IdxFolder(work / "data").train_on(work / "run").code == 0);
}

TEST_CASE("a missing data set names the folder, the package and the way without files") {
  check_training_fails(
      {"--set", "data.kind=idx", "--set", "data.path=/nowhere"}, 3,
      {"train-images-idx3-ubyte", "/nowhere", "dataset-fashion-mnist", "data.kind=shapes"});
}

TEST_CASE("a truncated IDX file is a data error that names it") {
  const Workspace work;
  const IdxFolder data(work / "data");
  const std::string name = "train-images-idx3-ubyte";
  for (const std::size_t length : {0, 3, 15, 500}) {
    data.write(name, data.content(name).substr(0, length));
    check_failure(data.train_on(work / "run"), 3, {name});
    CHECK_FALSE(fs::exists(work / "run"));
  }
}

TEST_CASE("a file with the wrong magic number is a data error that names it") {
  const Workspace work;
  const IdxFolder data(work / "data");
  const std::string name = "t10k-labels-idx1-ubyte";
  std::string content = data.content(name);
  content[0] = 'x';
  data.write(name, content);
  check_failure(data.train_on(work / "run"), 3, {name});
  CHECK_FALSE(fs::exists(work / "run"));
}

TEST_CASE("a label outside the classes is a data error that names file, label and field") {
  const Workspace work;
  const IdxFolder data(work / "data");
  const std::string name = "train-labels-idx1-ubyte";
  std::string content = data.content(name);
  content[8 + 5] = 9;
  data.write(name, content);
  check_failure(data.train_on(work / "run"), 3, {name, "9", "data.classes"});
  CHECK_FALSE(fs::exists(work / "run"));
}

TEST_CASE("as many labels as images are needed") {
  const Workspace work;
  const IdxFolder data(work / "data");
  data.write("train-labels-idx1-ubyte", big_endian(0x801) + big_endian(31) + std::string(31, '\0'));
  check_failure(data.train_on(work / "run"), 3, {"31", "32"});
}

TEST_CASE("an unknown configuration key is refused with the nearest one, in flags and in files") {
  check_training_fails({"--set", "model.widht=8"}, 2, {"model.widht", "model.width"});
  const Workspace work;
  write_file_atomically(work / "bad.json", R"({"model": {"atention": {"kind": "softmax"}}})");
  check_training_fails({"--config", (work / "bad.json").string()}, 2,
                       {"bad.json", "model.atention", "model.attention"});
}

TEST_CASE("values of the wrong type or range name field, expectation and value") {
  check_training_fails({"--set", "model.width=wide"}, 2, {"model.width", "integer", "wide"});
  check_training_fails({"--set", "train.learning_rate=true"}, 2, {"train.learning_rate", "number"});
  check_training_fails({"--set", "model.attention.kind=linear"}, 2,
                       {"model.attention.kind", "linear", "softmax", "sinkhorn"});
  check_training_fails({"--set", "model.attention.iterations=-1"}, 2,
                       {"model.attention.iterations", "-1"});
  check_training_fails({"--set", "model.attention.epsilon=0"}, 2, {"model.attention.epsilon", "0"});
  check_training_fails({"--set", "no-equals-sign"}, 2, {"no-equals-sign"});
}

TEST_CASE("fields that do not fit each other are refused together") {
  check_training_fails({"--set", "model.width=17"}, 2, {"model.width", "17", "model.heads"});
  check_training_fails({"--set", "model.patch=3"}, 2, {"model.patch", "3", "8"});
  check_training_fails({"--set", "data.classes=99"}, 2, {"data.classes", "99"});
  check_training_fails({"--set", "train.batch=1000"}, 2, {"train.batch"});
}

TEST_CASE("a configuration that is missing or no JSON is a data error with file and line") {
  check_training_fails({"--config", "/nowhere.json"}, 3, {"/nowhere.json"});
  const Workspace work;
  write_file_atomically(work / "bad.json", "{\n  \"model\": {\n    oops\n  }\n}\n");
  check_training_fails({"--config", (work / "bad.json").string()}, 3, {"bad.json:3"});
}

TEST_CASE("a folder that cannot be made is a usage error") {
  const Workspace work;
  write_file_atomically(work / "file", "not a folder");
  check_failure(train(work / "file"), 2, {"file"});
  CHECK(read_file(work / "file") == "not a folder");
  check_failure(run("asap-train", tiny_training()), 2, {"--out is required"});
}

TEST_CASE("a training that diverges is a numerical error that names step and tensor") {
  const Workspace work;
  // Scores divided by an epsilon below the smallest float overflow at once.
  const Outcome outcome = train(work / "run", {"--set", "model.attention.epsilon=1e-39"});
  check_failure(outcome, 4, {"step 1", "train.learning_rate"});
  CHECK_FALSE(fs::exists(work / "run" / "summary.json"));
  CHECK_FALSE(fs::exists(work / "run" / "checkpoint"));
}

TEST_CASE("a checkpoint of another shape is a data error that names the tensor") {
  const Workspace work;
  const fs::path teacher = work / "teacher";
  REQUIRE(train(teacher, {"--max-steps", "5"}).code == 0);
  Json config = read_json(teacher / "config.json");
  config["model"]["width"] = 24;
  write_json(teacher / "config.json", config);
  const Words eval = {"compare", "--run", teacher.string(), "--out", (work / "out").string()};
  check_failure(run("asap-eval", eval), 3, {"model.safetensors", "embedding", "shape"});
  check_failure(compile(teacher, work / "op"), 3, {"model.safetensors", "embedding", "shape"});
  CHECK_FALSE(fs::exists(work / "out"));
  CHECK_FALSE(fs::exists(work / "op"));
}

TEST_CASE("resuming with another model or other data is refused") {
  const Workspace work;
  const fs::path folder = work / "run";
  REQUIRE(train(folder, {"--max-steps", "5"}).code == 0);
  const auto before = newest_checkpoint(folder);
  const Outcome model = train(folder, {"--resume", "--set", "model.width=32"});
  CHECK(model.code == 2);
  CHECK(last_line(model.error).find("model.width") != std::string::npos);
  const Outcome data = train(folder, {"--resume", "--set", "data.shapes.seed=2"});
  CHECK(data.code != 0);
  CHECK(newest_checkpoint(folder) == before);
}

TEST_CASE("a damaged checkpoint is a data error that names the file") {
  const Workspace work;
  const fs::path teacher = work / "teacher";
  REQUIRE(train(teacher).code == 0);
  const fs::path model = teacher / "checkpoint" / "step-00000024" / "model.safetensors";
  const std::string content = read_file(model);
  write_file_atomically(model, content.substr(0, content.size() / 2));
  const Words eval = {"compare", "--run", teacher.string(), "--out", (work / "out").string()};
  check_failure(run("asap-eval", eval), 3, {"model.safetensors"});
  CHECK_FALSE(fs::exists(work / "out"));
}

TEST_CASE("an operator compiled for another model is refused") {
  const Workspace work;
  REQUIRE(train(work / "a").code == 0);
  REQUIRE(train(work / "b", {"--seed", "2"}).code == 0);
  REQUIRE(compile(work / "a", work / "op").code == 0);
  check_failure(run("asap-eval", {"compare", "--run", (work / "b").string(), "--compiled",
                                  (work / "op").string(), "--out", (work / "out").string()}),
                3, {(work / "op").string(), "compiled for the model"});
  CHECK_FALSE(fs::exists(work / "out"));
}

TEST_CASE("runs, operators and methods that are not there are named") {
  const Workspace work;
  REQUIRE(train(work / "run", {"--max-steps", "5"}).code == 0);
  const std::string run_folder = (work / "run").string(), out = (work / "out").string();
  check_failure(run("asap-eval", {"compare", "--run", "/nowhere", "--out", out}), 3, {"/nowhere"});
  check_failure(
      run("asap-eval", {"compare", "--run", run_folder, "--compiled", "/nowhere", "--out", out}), 3,
      {"/nowhere"});
  check_failure(run("asap-eval", {"compare", "--run", run_folder, "--methods", "teacher,sinkhron:3",
                                  "--out", out}),
                2, {"sinkhron:3", "sinkhorn:K"});
  check_failure(
      run("asap-eval", {"compare", "--run", run_folder, "--methods", "f0@7", "--out", out}), 2,
      {"f0@7", "layers from 0"});
  check_failure(
      run("asap-eval", {"compare", "--run", run_folder, "--methods", "compiled", "--out", out}), 2,
      {"compiled", "--compiled"});
  check_failure(run("asap-eval", {"compare", "--out", out}), 2, {"--run"});
  check_failure(compile("/nowhere", work / "out"), 3, {"/nowhere"});
  CHECK_FALSE(fs::exists(work / "out"));
}

TEST_CASE("compiling a softmax teacher or with impossible settings is refused") {
  const Workspace work;
  REQUIRE(
      train(work / "softmax", {"--max-steps", "5", "--set", "model.attention.kind=softmax"}).code ==
      0);
  CHECK(compile(work / "softmax", work / "op").code == 2);
  REQUIRE(train(work / "run", {"--max-steps", "5"}).code == 0);
  check_failure(compile(work / "run", work / "op", {"--features", "pot,gua"}), 2, {"gua", "gau"});
  CHECK(compile(work / "run", work / "op", {"--slices", "0"}).code == 2);
  CHECK(compile(work / "run", work / "op", {"--calibration", "100000"}).code == 2);
  CHECK_FALSE(fs::exists(work / "op"));
}

TEST_CASE("NaN and infinity are refused by every flag that takes a number") {
  for (const char* value : {"nan", "inf"}) {
    const auto refused = [&](const char* program, Words words, const std::string& flag) {
      check_refusal(run(program, words + Words{flag, value}), 2, {flag + ": must be ", value});
    };
    refused("asap-train", {}, "--rank-timeout");
    for (const char* command : {"bundle", "compare", "predict"})
      refused("asap-eval", {command}, "--cascade");
    for (const char* command : {"compare", "predict"})
      refused("asap-eval", {command}, "--threshold");
    refused("asap-eval", {"compare"}, "--guard-quantile");
    refused("relu-fit", {"fit"}, "--tolerance");
    refused("relu-fit", {"eval"}, "--x");
    for (const char* flag : {"--from", "--to"}) refused("relu-fit", {"regions"}, flag);
    // These are fields of a configuration.
    const Words fit = {"fit", "--function", "x", "--out", "/nowhere"};
    for (const char* flag : {"--validation", "--test"})
      check_refusal(run("relu-fit", fit + Words{flag, value}), 2,
                    {std::string(flag) + " must be between 0.05 and 0.5", value});
    check_refusal(run("asap-compile", {"--activations", "/nowhere", "--error", value}), 2,
                  {"--error", value});
    check_refusal(run("asap-eval", {"bench", "--logit-range", value, "--out", "/nowhere"}), 2,
                  {"logit_range", value});
  }
}
