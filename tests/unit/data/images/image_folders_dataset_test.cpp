#include "data/images/image_folders_dataset.h"

#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/images/image_ops.h"
#include "data/load/load_dataset.h"
#include "io/image_file.h"
#include "support/expect_error.h"
#include "support/image_files.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// Images of 6 x 8 pixels: two cats and a dog to train with, a dog to test.
struct Pictures {
  TemporaryFolder folder;
  DataConfig config;

  Pictures() {
    config.kind = DataKind::image_folders;
    config.path = folder.path().string();
    add("train/cat/b.png", png_file(coloured_image(3, 6, 8, 1)));
    add("train/cat/a.PNG", png_file(coloured_image(3, 6, 8, 2)));
    add("train/dog/z.png", png_file(coloured_image(3, 6, 8, 3)));
    add("test/dog/t.png", png_file(coloured_image(3, 6, 8, 4)));
  }
  void add(const std::string& name, const std::string& bytes) const {
    fs::create_directories((folder / name).parent_path());
    write_file_atomically(folder / name, bytes);
  }
  Dataset load(Split split = Split::train) const { return load_dataset(config, split); }
  void expect_refused(Split split, std::initializer_list<const char*> parts) const {
    expect_error<DataError>([&] { load(split); }, parts);
  }
};

/// Pixels of one example.
std::vector<std::uint8_t> pixels_of(const Dataset& dataset, std::int64_t example) {
  const auto first = dataset.pixels.begin() + example * dataset.image_size();
  return {first, first + dataset.image_size()};
}

}  // namespace

TEST_CASE("folders of images become a data set, classes and files sorted by name, in rotation") {
  const Pictures pictures;
  pictures.add("train/notes.txt", "not a folder");
  pictures.add("train/cat/notes.txt", "not an image");
  pictures.add("train/cat/.hidden.png", "not looked at");
  const Dataset train = pictures.load();
  CHECK(train.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(train.labels == std::vector<std::int32_t>{0, 1, 0});
  CHECK(train.channels == 3);
  CHECK(train.height == 6);
  CHECK(train.width == 8);
  CHECK(pixels_of(train, 0) == coloured_image(3, 6, 8, 2).pixels);  // a.PNG
  CHECK(pixels_of(train, 1) == coloured_image(3, 6, 8, 3).pixels);
  CHECK(pixels_of(train, 2) == coloured_image(3, 6, 8, 1).pixels);
  CHECK(train.fingerprint == pictures.load().fingerprint);
  const Dataset test = pictures.load(Split::test);
  CHECK(test.labels == std::vector<std::int32_t>{1});
  CHECK(test.class_names == train.class_names);
}

TEST_CASE("files and folders that are not read are counted") {
  const Pictures pictures;
  CHECK(pictures.load().skipped.empty());
  pictures.add("train/cat/c.webp", "");
  pictures.add("train/dog/d.WEBP", "");
  pictures.add("train/dog/.DS_Store", "");
  pictures.add("train/dog/LICENSE", "");
  pictures.add("train/dog/more/e.png", "");
  pictures.add("train/.ipynb_checkpoints/f.png", "");
  pictures.add("train/notes.txt", "");
  pictures.add("test/dog/g.gif", "");
  CHECK(pictures.load().skipped == "7 (1 .txt, 2 .webp, 1 folder, 2 hidden, 1 without an ending)");
  CHECK(pictures.load(Split::test).skipped == "1 (1 .gif)");
  CHECK(pictures.load().size() == 3);

  pictures.add("train/fox/a.webp", "");
  pictures.expect_refused(Split::train, {"train/fox", "no images", "1 (1 .webp)", "convert"});
}

TEST_CASE("the first examples are of all classes, and no other file is opened") {
  Pictures pictures;
  pictures.config.train_examples = 2;
  pictures.add("train/cat/b.png", "damaged");
  CHECK(pictures.load().labels == std::vector<std::int32_t>{0, 1});
}

TEST_CASE("PNG and JPEG images of any size are resized when that is asked for") {
  Pictures pictures;
  const std::string jpeg = jpeg_file(coloured_image(3, 30, 20));
  pictures.add("train/dog/a.jpeg", jpeg);
  pictures.expect_refused(Split::train, {"a.jpeg", "20x30", "a.PNG", "8x6", "data.images.size"});
  pictures.config.images.size = 4;
  pictures.config.images.fit = ImageFit::crop;
  const Dataset train = pictures.load();
  CHECK(train.size() == 4);
  CHECK(train.image_size() == 48);
  CHECK(pixels_of(train, 1) ==
        resize_image(centre_square(decode_image(jpeg, 100, "a.jpeg")), 4, 4).pixels);
  pictures.config.images.colours = ImageColours::grey;
  CHECK(pictures.load().image_size() == 16);
  pictures.config.images.max_side = 29;
  pictures.expect_refused(Split::train, {"a.jpeg", "20x30", "29"});
}

TEST_CASE("an image that is none, or truncated, is named") {
  const Pictures pictures;
  pictures.add("train/dog/y.png", "hello");
  pictures.expect_refused(Split::train, {"train/dog/y.png", "neither a PNG nor a JPEG"});
  pictures.add("train/dog/y.png", jpeg_file(coloured_image(3, 6, 8)).substr(0, 300));
  pictures.expect_refused(Split::train, {"train/dog/y.png", "truncated JPEG"});
}

TEST_CASE("folders that do not make a data set are refused with what is expected") {
  const Pictures pictures;
  pictures.add("test/dgo/a.png", "");
  pictures.expect_refused(Split::test, {"test/dgo", "lacks", "did you mean 'dog'"});
  fs::create_directories(pictures.folder / "train/empty");
  pictures.expect_refused(Split::train, {"train/empty", "no images"});

  const TemporaryFolder folder;
  DataConfig config = pictures.config;
  config.path = folder.path().string();
  const auto refused = [&](std::initializer_list<const char*> parts) {
    expect_error<DataError>([&] { load_dataset(config, Split::train); }, parts);
  };
  refused({"no folder", "/train", "DIR/train/CLASS/*.png"});
  fs::create_directories(folder / "train");
  refused({"/train", "no folders of classes", "DIR/train/CLASS/*.png"});
  fs::create_directories(folder / "train" / "cat");
  refused({"one class only", "cat"});
  config.path = "/nowhere";
  refused({"/nowhere", "DIR/train/CLASS/*.png"});
}
