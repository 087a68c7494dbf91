#include "predict/image_input.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "io/idx.h"
#include "support/expect_error.h"
#include "support/image_files.h"
#include "support/small_run.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::bundle;
using namespace asap::data;
using namespace asap::io;
using namespace asap::predict;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

/// A network on grey images of 8 x 8 pixels.
struct ImageModel {
  TemporaryFolder folder;
  TrainedModel model;

  ImageModel() : model((write_image_run(folder / "run"), load_run(folder / "run", ""))) {}

  Examples read(const fs::path& path, const InputConfig& config = {}) {
    Faults faults;
    return read(path, config, faults);
  }
  Examples read(const fs::path& path, const InputConfig& config, Faults& faults) {
    const auto reader = open_input(path, model, config);
    Examples examples = no_examples(model);
    while (reader->read(2, examples, faults)) {
    }
    has_labels = reader->has_labels();
    skipped = reader->skipped();
    return examples;
  }
  void add(const std::string& name, const Image& image) {
    make_directories((folder / name).parent_path());
    write_file_atomically(folder / name, png_file(image));
  }
  bool has_labels = false;
  std::string skipped;
};

}  // namespace

TEST_CASE("a file and folders of images are read in the order of their names") {
  ImageModel images;
  const std::string& first_class = images.model.class_names[0];
  images.add("in/b.png", coloured_image(1, 8, 8, 1));
  images.add("in/a.png", coloured_image(3, 8, 8, 2));
  images.add("in/" + first_class + "/c.png", coloured_image(1, 8, 8, 3));
  images.add("in/unknown/d.png", coloured_image(1, 8, 8, 4));
  for (const int threads : {1, 2}) {
    InputConfig config;
    config.threads = threads;
    const Examples read = images.read(images.folder / "in", config);
    REQUIRE(read.size() == 4);
    CHECK(images.has_labels);
    const std::string labelled = first_class + "/c.png";
    for (std::size_t i = 0; i < 4; ++i)
      CHECK(read.labels[i] == (read.ids[i] == labelled ? 0 : kNotScored));
    CHECK(std::ranges::count(read.ids, "unknown/d.png") == 1);
    CHECK(std::ranges::is_sorted(read.ids));
    CHECK(read.dataset.pixels.size() == 4 * 64);
  }
  const Examples one = images.read(images.folder / "in/b.png");
  CHECK(one.ids == std::vector<std::string>{"b.png"});
  CHECK(one.dataset.pixels == coloured_image(1, 8, 8, 1).pixels);
  CHECK_FALSE(images.has_labels);
}

TEST_CASE("images of another size are refused, or resized where that was asked for") {
  ImageModel images;
  images.add("wide.png", coloured_image(1, 10, 20, 1));
  expect_error<DataError>([&] { images.read(images.folder / "wide.png"); },
                          {"wide.png", "20x10", "8x8", "`resize`"});
  for (const Resize resize : {Resize::stretch, Resize::crop})
    CHECK(images.read(images.folder / "wide.png", {.resize = resize}).dataset.pixels.size() == 64);
}

TEST_CASE("files in the format of MNIST are read with the labels beside them") {
  ImageModel images;
  const Image image = coloured_image(1, 16, 8, 3);
  const fs::path path = images.folder / "t10k-images-idx3-ubyte";
  write_file_atomically(path, serialise_idx({{2, 8, 8}, image.pixels}));
  const Examples bare = images.read(path);
  CHECK(bare.dataset.pixels == image.pixels);
  CHECK_FALSE(images.has_labels);
  write_file_atomically(images.folder / "t10k-labels-idx1-ubyte", serialise_idx({{2}, {3, 0}}));
  CHECK(images.read(path).labels == std::vector<std::int32_t>{3, 0});
  write_file_atomically(images.folder / "t10k-labels-idx1-ubyte", serialise_idx({{2}, {9, 0}}));
  expect_error<DataError>([&] { images.read(path); }, {"label 9"});
  write_file_atomically(images.folder / "t10k-labels-idx1-ubyte", serialise_idx({{1}, {1}}));
  expect_error<DataError>([&] { images.read(path); }, {"2 images", "1 label beside"});
  write_file_atomically(path, serialise_idx({{1, 16, 8}, image.pixels}));
  expect_error<DataError>([&] { images.read(path); }, {"16", "8x8", "`resize`"});
}

TEST_CASE("files in the format of MNIST are resized as the same images in files of their own") {
  ImageModel images;
  const Image both = coloured_image(1, 24, 10, 3);
  const fs::path path = images.folder / "t10k-images-idx3-ubyte";
  write_file_atomically(path, serialise_idx({{2, 12, 10}, both.pixels}));
  const auto middle = both.pixels.begin() + 120;
  images.add("in/1.png", {1, 12, 10, {both.pixels.begin(), middle}});
  images.add("in/2.png", {1, 12, 10, {middle, both.pixels.end()}});
  for (const Resize resize : {Resize::stretch, Resize::crop})
    for (const int threads : {1, 2}) {
      const InputConfig config{.resize = resize, .threads = threads};
      const Examples read = images.read(path, config);
      CHECK(read.dataset.pixels == images.read(images.folder / "in", config).dataset.pixels);
      CHECK(read.ids == std::vector<std::string>{"1", "2"});
    }
  write_file_atomically(path, serialise_idx({{2, 0, 10}, {}}));
  expect_error<DataError>([&] { images.read(path, {.resize = Resize::crop}); }, {"8x8"});
}

TEST_CASE("a file that is no image is a fault, and a folder without images an error") {
  ImageModel images;
  images.add("in/a.png", coloured_image(1, 8, 8, 1));
  write_file_atomically(images.folder / "in/b.png", "no image");
  std::int64_t reported = 0;
  Faults faults([&](const DataError&, std::int64_t) { ++reported; });
  CHECK(images.read(images.folder / "in", {}, faults).size() == 1);
  CHECK(reported == 1);
  CHECK(images.skipped.empty());
  for (const char* other : {"in/c.webp", "in/d.webp", "in/.thumbs"})
    write_file_atomically(images.folder / other, "");
  CHECK(images.read(images.folder / "in", {}, faults).size() == 1);
  CHECK(images.skipped == "2 (2 .webp)");  // what is hidden is nobody's example
  make_directories(images.folder / "none");
  write_file_atomically(images.folder / "none/x.gif", "GIF");
  expect_error<DataError>([&] { images.read(images.folder / "none"); }, {"no images", ".gif"});
}
