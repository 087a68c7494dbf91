// Pretrained encoders, from the command line: import, another attention, training, compilation,
// embeddings, and what cannot be read.
#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/npy.h"
#include "support/image_files.h"
#include "support/pretrained_folder.h"
#include "support/text_folder.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A training from the model in work/model on the texts in work/data, into work/`out`.
Outcome train_from(const Workspace& work, const std::string& out, const Words& more) {
  return run("asap-train",
             Words{"--init-from", (work / "model" / "model.safetensors").string(), "--set",
                   "data.kind=text", "--set", "data.path=" + (work / "data").string(), "--set",
                   "train.batch=16", "--out", (work / out).string()} +
                 more);
}

/// The images of vit_tiny's golden values as PNG files, two classes of them for training and test.
void write_golden_images(const fs::path& folder, const Json& images) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image image{3, 12, 12, images[i].get<std::vector<std::uint8_t>>()};
    for (const char* part : {"train", "test"}) {
      const fs::path place = folder / part / (i % 2 == 0 ? "even" : "odd");
      fs::create_directories(place);
      write_file_atomically(place / (std::to_string(i) + ".png"), png_file(image));
    }
  }
}

/// A training from the ViT in work/model, which describes its images, into work/run.
Outcome train_from_images(const Workspace& work, const Words& more) {
  return run("asap-train", Words{"--init-from", (work / "model").string(), "--set",
                                 "data.path=" + (work / "data").string(), "--set", "train.batch=2",
                                 "--set", "train.shard=2", "--out", (work / "run").string()} +
                               more);
}

}  // namespace

TEST_CASE("a pretrained encoder becomes a run without training, with PyTorch's embeddings") {
  const Workspace work;
  write_text_folder(work / "data", 32);
  PretrainedFolder(work / "model").write();
  const Outcome trained = train_from(
      work, "run",
      {"--set", "train.epochs=0", "--set", "model.pooling=mean", "--set", "model.pooler=false"});
  CAPTURE(trained.error);
  REQUIRE(trained.code == 0);
  CHECK(fs::exists(work / "run" / "text" / "vocab.txt"));
  const Json golden = read_json(fs::path(ASAP_GOLDEN_DATA) / "bert_tiny" / "embeddings.json");
  std::string lines;
  for (const Json& text : golden["texts"]) lines += text.get<std::string>() + "\n";
  write_file_atomically(work / "texts.txt", lines);
  REQUIRE(run("asap-eval",
              {"predict", "--run", (work / "run").string(), "--input",
               (work / "texts.txt").string(), "--embeddings", "--out", (work / "answers").string()})
              .code == 0);
  const asap::tensor::Tensor<float> embeddings =
      read_npy(work / "answers" / "embeddings.npy").to<float>();
  for (std::size_t text = 0; text < golden["texts"].size(); ++text)
    for (std::size_t i = 0; i < 8; ++i)
      CHECK(std::abs(
                embeddings.rows()(static_cast<std::int64_t>(text), static_cast<std::int64_t>(i)) -
                golden["softmax.mean"][text][i].get<double>()) < 2e-5);
}

TEST_CASE(
    "its attention is swapped, trained, compiled and compared, and a stopped training resumes") {
  const Workspace work;
  write_text_folder(work / "data", 96);
  PretrainedFolder(work / "model").write();
  const Words sinkhorn{"--set", "model.attention.kind=sinkhorn",
                       "--set", "model.attention.iterations=4",
                       "--set", "train.epochs=2"};
  REQUIRE(train_from(work, "run", sinkhorn).code == 0);
  REQUIRE(train_from(work, "parts", sinkhorn + Words{"--max-steps", "3"}).code == 0);
  fs::remove_all(work / "model");  // a run has all it needs
  REQUIRE(train_from(work, "parts", sinkhorn + Words{"--resume", "--threads", "2"}).code == 0);
  CHECK(newest_checkpoint(work / "parts") == newest_checkpoint(work / "run"));

  REQUIRE(compile(work / "run", work / "operator").code == 0);
  REQUIRE(run("asap-eval", {"compare", "--run", (work / "run").string(), "--compiled",
                            (work / "operator").string(), "--out", (work / "compare").string(),
                            "--methods", "teacher,f0,compiled"})
              .code == 0);
  const Json methods = read_json(work / "compare" / "summary.json")["methods"];
  CHECK(methods[2]["agreement"] > 0.9);
}

TEST_CASE("pairs of texts are trained on and answered, with PyTorch's embeddings") {
  const Workspace work;
  fs::create_directories(work / "data");
  std::string rows;
  for (int i = 0; i < 96; ++i)
    rows += std::string(i % 3 == 0 ? "yes\thello world\ta runner" : "no\trun\tthe world") + " " +
            std::string(static_cast<std::size_t>(i % 5), '.') + "\n";
  for (const char* part : {"train.tsv", "test.tsv"})
    write_file_atomically(work / "data" / part, rows);
  PretrainedFolder(work / "model").write();
  const Words pairs{"--set", "data.text.pairs=true", "--set", "data.text.max_tokens=12"};
  const Outcome untrained =
      train_from(work, "run",
                 pairs + Words{"--set", "train.epochs=0", "--set", "model.pooling=mean", "--set",
                               "model.pooler=false"});
  CAPTURE(untrained.error);
  REQUIRE(untrained.code == 0);
  const Json golden = read_json(fs::path(ASAP_GOLDEN_DATA) / "bert_tiny" / "pairs.json");
  std::string lines;
  for (const Json& pair : golden["pairs"])
    lines += pair[0].get<std::string>() + "\t" + pair[1].get<std::string>() + "\n";
  write_file_atomically(work / "pairs.txt", lines);
  REQUIRE(run("asap-eval",
              {"predict", "--run", (work / "run").string(), "--input",
               (work / "pairs.txt").string(), "--embeddings", "--out", (work / "answers").string()})
              .code == 0);
  const asap::tensor::Tensor<float> found =
      read_npy(work / "answers" / "embeddings.npy").to<float>();
  for (std::size_t pair = 0; pair < golden["pairs"].size(); ++pair)
    for (std::size_t i = 0; i < 8; ++i)
      CHECK(std::abs(found.rows()(static_cast<std::int64_t>(pair), static_cast<std::int64_t>(i)) -
                     golden["softmax"][pair][i].get<double>()) < 2e-5);

  const Words sinkhorn{"--set", "model.attention.kind=sinkhorn", "--set", "train.epochs=4"};
  REQUIRE(train_from(work, "tuned", pairs + sinkhorn).code == 0);
  REQUIRE(compile(work / "tuned", work / "operator").code == 0);
  check_refusal(
      train_from(work, "cut",
                 {"--set", "data.text.pairs=true", "--set", "data.text.text_columns=[\"2\"]"}),
      3, {"train.tsv", "two columns", "found 1"});
}

TEST_CASE("what cannot be read of a pretrained model ends before any work") {
  const Workspace work;
  write_text_folder(work / "data", 32);
  PretrainedFolder model(work / "model");
  model.write();
  check_refusal(train_from(work, "run", {"--set", "model.width=16"}), 2,
                {"model.width is 16", "need 8"});
  check_refusal(train_from(work, "run", {"--set", "data.text.max_tokens=2"}), 2,
                {"data.text.max_tokens", "3"});
  check_refusal(run("asap-train", {"--set", "train.epochs=0", "--out", (work / "run").string()}), 2,
                {"train.epochs is 0", "init_from"});
  model.config["model_type"] = "roberta";
  model.write();
  check_refusal(train_from(work, "run", {}), 3, {"roberta", "BPE"});
  model.config["model_type"] = "bert";
  model.rename("encoder.layer.0.output.dense.bias", "encoder.layer.0.output.dense.bais");
  model.write();
  check_refusal(train_from(work, "run", {}), 3,
                {"encoder.layer.0.output.dense.bias", "missing", "bais"});
  CHECK_FALSE(fs::exists(work / "run"));
}

TEST_CASE("a pretrained ViT becomes a run with PyTorch's embeddings, or its attention is swapped") {
  const Workspace work;
  PretrainedFolder(work / "model", "vit_tiny").write();
  const Json golden = read_json(fs::path(ASAP_GOLDEN_DATA) / "vit_tiny" / "embeddings.json");
  write_golden_images(work / "data", golden["images"]);
  const Words untrained{"--set", "train.epochs=0", "--set", "model.pooler=false"};
  const Outcome trained = train_from_images(work, untrained);
  CAPTURE(trained.error);
  REQUIRE(trained.code == 0);
  for (const std::size_t image : {0u, 1u}) {
    const fs::path file = work / "data" / "test" / (image == 0 ? "even/0.png" : "odd/1.png");
    const fs::path answers = work / ("answers" + std::to_string(image));
    REQUIRE(run("asap-eval", {"predict", "--run", (work / "run").string(), "--input", file.string(),
                              "--embeddings", "--out", answers.string()})
                .code == 0);
    const asap::tensor::Tensor<float> found = read_npy(answers / "embeddings.npy").to<float>();
    for (std::size_t i = 0; i < 8; ++i)
      CHECK(std::abs(found[static_cast<std::int64_t>(i)] -
                     golden["class_token"][image][i].get<double>()) < 2e-5);
  }
  fs::remove_all(work / "run");
  const Words sinkhorn{"--set", "model.attention.kind=sinkhorn", "--set", "train.epochs=3"};
  REQUIRE(train_from_images(work, sinkhorn + Words{"--max-steps", "1"}).code == 0);
  fs::remove_all(work / "model");  // a run has all it needs
  REQUIRE(train_from_images(work, sinkhorn + Words{"--resume"}).code == 0);
}

TEST_CASE("images that a pretrained ViT does not read end before any work") {
  const Workspace work;
  PretrainedFolder(work / "model", "vit_tiny").write();
  const Json golden = read_json(fs::path(ASAP_GOLDEN_DATA) / "vit_tiny" / "embeddings.json");
  write_golden_images(work / "data", golden["images"]);
  check_refusal(train_from_images(work, {"--set", "data.images.size=8"}), 2,
                {"8 x 8 pixels", "12 x 12 pixels", "data.images.size=12"});
  check_refusal(train_from_images(work, {"--set", "data.images.colours=grey"}), 2,
                {"1 channel,", "3 channels"});
  check_refusal(train_from_images(work, {"--set", "data.kind=text"}), 3,
                {"reads images", "data.kind is text"});
  CHECK_FALSE(fs::exists(work / "run"));
}
