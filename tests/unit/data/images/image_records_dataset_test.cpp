#include <cstdlib>
#include <filesystem>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/dataset.h"
#include "data/images/image_ops.h"
#include "data/load/load_dataset.h"
#include "io/gzip.h"
#include "support/expect_error.h"
#include "support/image_record.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

namespace {

constexpr std::size_t kCifarPixels = 3 * 32 * 32;

DataConfig config_of(const TemporaryFolder& folder, RecordLayout layout, int classes) {
  DataConfig config;
  config.kind = DataKind::image_records;
  config.path = folder.path().string();
  config.classes = classes;
  config.images.layout = layout;
  return config;
}

}  // namespace

TEST_CASE("CIFAR-10 is read from its batches and named by its own file") {
  const TemporaryFolder folder;
  const DataConfig config = config_of(folder, RecordLayout::cifar10, 2);
  expect_error<DataError>([&] { load_dataset(config, Split::train); },
                          {"data_batch_1.bin", ".gz", "data.path"});
  for (int batch = 1; batch <= 5; ++batch) {
    expect_error<DataError>([&] { load_dataset(config, Split::train); }, {"data_batch_"});
    const std::string bytes =
        record(batch % 2 == 0 ? "\1" : std::string(1, '\0'), kCifarPixels, batch);
    write_file_atomically(folder / ("data_batch_" + std::to_string(batch) + ".bin"), bytes);
  }
  write_file_atomically(folder / "test_batch.bin.gz", compress_gzip(record("\1", kCifarPixels)));
  write_file_atomically(folder / "batches.meta.txt", "airplane\r\ncar\n\n");
  const Dataset train = load_dataset(config, Split::train);
  CHECK(train.size() == 5);
  CHECK(train.channels == 3);
  CHECK(train.height == 32);
  CHECK(train.width == 32);
  CHECK(train.labels == std::vector<std::int32_t>{0, 1, 0, 1, 0});
  CHECK(train.pixels[kCifarPixels] == 2);
  CHECK(train.class_names == std::vector<std::string>{"airplane", "car"});
  CHECK(train.name.ends_with(" train"));
  CHECK(load_dataset(config, Split::test).labels == std::vector<std::int32_t>{1});
}

TEST_CASE("CIFAR-100 has a coarse and a fine label") {
  const TemporaryFolder folder;
  DataConfig config = config_of(folder, RecordLayout::cifar100, 3);
  write_file_atomically(folder / "train.bin", record("\1\2", kCifarPixels));
  write_file_atomically(folder / "fine_label_names.txt", "apple\nbee\ncat\n");
  const Dataset fine = load_dataset(config, Split::train);
  CHECK(fine.labels == std::vector<std::int32_t>{2});
  CHECK(fine.class_names[2] == "cat");
  config.images.labels = Cifar100Labels::coarse;
  config.classes = 2;
  const Dataset coarse = load_dataset(config, Split::train);
  CHECK(coarse.labels == std::vector<std::int32_t>{1});
  CHECK(coarse.class_names == std::vector<std::string>{"0", "1"});
  CHECK(coarse.fingerprint != fine.fingerprint);
}

TEST_CASE("training records that all have one label are refused") {
  const TemporaryFolder folder;
  const DataConfig config = config_of(folder, RecordLayout::cifar100, 3);
  write_file_atomically(folder / "train.bin",
                        record("\1\2", kCifarPixels) + record("\1\2", kCifarPixels, 1));
  expect_error<DataError>([&] { load_dataset(config, Split::train); },
                          {"all 2 examples have the label 2"});
}

TEST_CASE("records of other sizes are found by name, resized and made grey on request") {
  const TemporaryFolder folder;
  DataConfig config = config_of(folder, RecordLayout::rgb, 2);
  config.images.record_side = 4;
  expect_error<DataError>([&] { load_dataset(config, Split::test); }, {"*test*.bin"});
  const std::string bytes = record("\1", 48) + record(std::string(1, '\0'), 48, 100);
  write_file_atomically(folder / "some_train_2.bin.gz", compress_gzip(bytes));
  const Dataset plain = load_dataset(config, Split::train);
  CHECK(plain.size() == 2);
  CHECK(plain.height == 4);
  CHECK(plain.pixels[48] == 100);

  config.images.size = 2;
  config.images.colours = ImageColours::grey;
  const Dataset small = load_dataset(config, Split::train);
  CHECK(small.channels == 1);
  CHECK(small.height == 2);
  CHECK(small.width == 2);
  const Image first{3, 4, 4, {plain.pixels.begin(), plain.pixels.begin() + 48}};
  const Image expected = resize_image(to_grey(first), 2, 2);
  CHECK(std::equal(expected.pixels.begin(), expected.pixels.end(), small.pixels.begin()));

  config.path = "/nowhere";
  expect_error<DataError>([&] { load_dataset(config, Split::test); }, {"/nowhere", "data.path"});
}

TEST_CASE("Cats and Dogs has 2000 photographs where ASAP_DATA_DIR holds it") {
  const char* folder = std::getenv("ASAP_DATA_DIR");
  if (!folder || !std::filesystem::is_directory(std::filesystem::path(folder) / "cats_dogs")) {
    MESSAGE("skipped: ASAP_DATA_DIR has no cats_dogs");
    return;
  }
  DataConfig config;
  config.kind = DataKind::image_records;
  config.name = "cats_dogs";
  config.classes = 2;
  for (const Split split : {Split::train, Split::test}) {
    const Dataset dataset = load_dataset(config, split);
    CHECK(dataset.size() == 2000);
    CHECK(dataset.image_size() == 3 * 64 * 64);
    CHECK(std::ranges::count(dataset.labels, 1) == 1000);
    CHECK(dataset.class_names == std::vector<std::string>{"cat", "dog"});
  }
}
