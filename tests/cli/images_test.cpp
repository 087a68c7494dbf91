#include <doctest/doctest.h>

#include "cli/process.h"
#include "support/image_files.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A picture with little blue, or little red.
Image picture(bool red, int height, int width, std::uint32_t seed) {
  Image image = coloured_image(3, height, width, seed);
  const std::size_t size = image.pixels.size() / 3;
  for (std::size_t i = 0; i < size; ++i) image.pixels[(red ? 2 : 0) * size + i] /= 4;
  return image;
}

void add(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, bytes);
}

/// 48 pictures to train and 24 to test with, of different sizes, PNG and JPEG.
fs::path write_pictures(const fs::path& folder) {
  for (const std::string part : {"train", "test"})
    for (std::uint32_t i = 0; i < (part == "train" ? 48u : 24u); ++i) {
      const bool red = i % 2 == 0, jpeg = i % 3 == 0;
      const int height = 10 + static_cast<int>(i % 5), width = 10 + static_cast<int>(i % 4);
      const Image image = picture(red, height, width, i + (part == "train" ? 0 : 100));
      add(folder / part / (red ? "red" : "blue") / (std::to_string(i) + (jpeg ? ".jpg" : ".png")),
          jpeg ? jpeg_file(image) : png_file(image));
    }
  return folder;
}

/// What distinguishes a training on these pictures from one on drawn shapes.
Words picture_settings(const fs::path& folder) {
  Words words;
  for (const std::string& assignment :
       {std::string("data.kind=image_folders"), "data.path=" + folder.string(),
        std::string("data.images.size=8"), std::string("data.images.flip=true"),
        std::string("data.images.crop_padding=1"), std::string("train.epochs=8")})
    words = words + Words{"--set", assignment};
  return words;
}

/// Training with these settings ends so, with one line that holds all the parts, and no folder.
void check_refused(const Words& words, int code, const std::vector<std::string>& parts) {
  const Workspace work;
  const Outcome outcome = train(work / "run", words);
  const std::string line = last_line(outcome.error);
  CAPTURE(line);
  CHECK(outcome.code == code);
  for (const std::string& part : parts) CHECK_MESSAGE(line.find(part) != std::string::npos, part);
  CHECK_FALSE(fs::exists(work / "run"));
}

}  // namespace

TEST_CASE("folders of pictures go the whole way, at any number of threads") {
  const Workspace work;
  const fs::path teacher = work / "teacher", compiled = work / "operator", out = work / "compare";
  const Words words = picture_settings(write_pictures(work / "pictures"));
  const Outcome trained = train(teacher, words + Words{"--threads", "2"});
  REQUIRE(trained.code == 0);
  CHECK(trained.error.find("48 training, 24 test images") != std::string::npos);
  const Json summary = read_json(teacher / "summary.json");
  const Json model = read_json(teacher / "config.json")["model"];
  CHECK(model["channels"] == 3);
  CHECK(model["classes"] == 2);
  CHECK(summary["test"]["accuracy"] > 0.8);  // red or blue; chance is 0.5

  REQUIRE(train(work / "again", words + Words{"--threads", "1"}).code == 0);
  CHECK(newest_checkpoint(work / "again") == newest_checkpoint(teacher));
  CHECK(read_file(work / "again" / "metrics.jsonl") == read_file(teacher / "metrics.jsonl"));

  REQUIRE(
      run("asap-compile", {"--run", teacher.string(), "--out", compiled.string(), "--calibration",
                           "32", "--set", "held_out=16", "--features", "lse,lse0"})
          .code == 0);
  REQUIRE(run("asap-eval", {"compare", "--run", teacher.string(), "--compiled", compiled.string(),
                            "--out", out.string(), "--methods", "teacher,softmax,f0,compiled"})
              .code == 0);
  const Json methods = read_json(out / "summary.json")["methods"];
  REQUIRE(methods.size() == 4);
  CHECK(methods[0]["accuracy"] == summary["test"]["accuracy"]);
  CHECK(methods[3]["plan_l1"] < methods[2]["plan_l1"]);
  CHECK(read_file(out / "report.html").find("images/s") != std::string::npos);
}

TEST_CASE("pictures of 16 bits train as those of 8 bits; files that are skipped are said") {
  const Workspace work;
  for (const int bits : {8, 16})
    for (const std::string part : {"train", "test"})
      for (int i = 0; i < 32; ++i) {
        std::string row;
        for (int column = 0; column < 8; ++column)
          row += std::string(static_cast<std::size_t>(bits / 8),
                             static_cast<char>(i % 2 == 0 ? 9 * column + i : 128 + 9 * column));
        add(work / std::to_string(bits) / part / (i % 2 == 0 ? "dark" : "mid") /
                (std::to_string(i) + ".png"),
            plain_png_row(8, bits, PNG_COLOR_TYPE_GRAY, row));
      }
  add(work / "8" / "train/dark/a.webp", "");
  add(work / "8" / "test/mid/.DS_Store", "");
  for (const std::string bits : {"8", "16"}) {
    const Outcome outcome = train(work / ("run" + bits), picture_settings(work / bits));
    REQUIRE(outcome.code == 0);
    const bool said = outcome.error.find("1 (1 .webp) in ") != std::string::npos &&
                      outcome.error.find("1 (1 hidden) in ") != std::string::npos;
    CHECK(said == (bits == "8"));
    CHECK((outcome.error.find("skipped") != std::string::npos) == (bits == "8"));
  }
  CHECK(read_file(work / "run8" / "metrics.jsonl") == read_file(work / "run16" / "metrics.jsonl"));
  // The commands that read these data later say it as well, each of its own part.
  const Outcome compiled =
      run("asap-compile", {"--run", (work / "run8").string(), "--out", (work / "op").string(),
                           "--calibration", "16", "--set", "held_out=8"});
  CHECK(compiled.error.find("skipped     1 (1 .webp) in ") != std::string::npos);
  const Outcome compared = run("asap-eval", {"compare", "--run", (work / "run8").string(),
                                             "--compiled", (work / "op").string(), "--out",
                                             (work / "c").string(), "--methods", "teacher"});
  CHECK(compared.error.find("skipped     1 (1 hidden) in ") != std::string::npos);
  CHECK(compared.error.find(": 32 test images") != std::string::npos);
}

TEST_CASE("classes that differ by the EXIF orientation alone are told apart") {
  const Workspace work;
  for (const std::string part : {"train", "test"})
    for (std::uint32_t i = 0; i < 48; ++i) {
      const bool turned = i % 2 == 0;
      Image image = coloured_image(3, 12, 12, i);
      for (std::size_t at = 0; at < image.pixels.size(); ++at)
        if (at % 144 >= 72) image.pixels[at] = 250;  // the lower half
      add(work / "pictures" / part / (turned ? "turned" : "upright") / (std::to_string(i) + ".jpg"),
          with_exif(jpeg_file(image), exif_data(turned ? 3 : 1, i % 3 == 0)));
    }
  REQUIRE(train(work / "run", picture_settings(work / "pictures")).code == 0);
  CHECK(read_json(work / "run" / "summary.json")["test"]["accuracy"] > 0.9);
}

TEST_CASE("augmentation changes a training and is part of its configuration") {
  const Workspace work;
  const fs::path folder = work / "run";
  REQUIRE(train(folder, {"--max-steps", "5"}).code == 0);
  const Outcome resumed = train(folder, {"--resume", "--set", "data.images.flip=true"});
  CHECK(resumed.code == 2);
  CHECK(last_line(resumed.error).find("data.images.flip") != std::string::npos);
  REQUIRE(train(work / "flipped", {"--max-steps", "5", "--set", "data.images.flip=true"}).code ==
          0);
  CHECK(newest_checkpoint(work / "flipped") != newest_checkpoint(folder));
}

TEST_CASE("pictures that cannot be used end the training with their name") {
  const Workspace work;
  const fs::path folder = write_pictures(work / "pictures");
  const Words words = picture_settings(folder);
  check_refused(words + Words{"--set", "data.images.size=0"}, 3, {"pixels", "data.images.size"});
  add(folder / "train/blue/0.png", "hello");
  check_refused(words, 3, {"train/blue/0.png", "neither a PNG nor a JPEG"});
  add(folder / "train/blue/0.png", jpeg_file(picture(false, 40, 40, 1)).substr(0, 700));
  check_refused(words, 3, {"train/blue/0.png", "truncated JPEG"});
  fs::remove_all(folder / "train/blue");
  fs::create_directories(folder / "train/blue");
  check_refused(words, 3, {"train/blue", "no images"});
  fs::remove_all(folder / "train/blue");
  add(folder / "train/black/0.png", png_file(picture(true, 9, 9, 1)));
  check_refused(words, 3, {"test/blue", "lacks"});
  fs::remove_all(folder);
  check_refused(words, 3, {folder.string(), "train/CLASS"});
  check_refused({"--set", "data.images.layout=cifar"}, 2, {"data.images.layout", "cifar10"});
}

TEST_CASE("image records train, and damaged ones are refused by name") {
  const Workspace work;
  std::string bytes;
  for (std::uint32_t i = 0; i < 32; ++i) {
    const Image image = picture(i % 2 == 0, 8, 8, i);
    bytes += static_cast<char>(i % 2);
    bytes.append(image.pixels.begin(), image.pixels.end());
  }
  const fs::path folder = work / "records";
  add(folder / "train.bin", bytes);
  add(folder / "test.bin", bytes);
  Words words;
  for (const std::string& assignment :
       {std::string("data.kind=image_records"), "data.path=" + folder.string(),
        std::string("data.classes=2"), std::string("data.images.record_side=8")})
    words = words + Words{"--set", assignment};
  CHECK(train(work / "run", words).code == 0);

  add(folder / "test.bin", bytes + "x");
  check_refused(words, 3, {"test.bin", "193 bytes", "truncated"});
  bytes[193] = 7;
  add(folder / "test.bin", bytes);
  check_refused(words, 3, {"test.bin", "label 7 of image 1", "data.classes"});
  check_refused(words + Words{"--set", "data.images.layout=cifar10"}, 3, {"data_batch_1.bin"});
}
