#include "data/images/idx_dataset.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/load/load_dataset.h"
#include "data/model_fit.h"
#include "io/gzip.h"
#include "io/idx.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Four images of 2x3 pixels, image i filled with the byte 10 * i; labels 0, 1, 2, 1.
struct SmallFiles {
  TemporaryFolder folder;
  IdxArray images{Shape{4, 2, 3}, std::vector<std::uint8_t>(24)};
  IdxArray labels{Shape{4}, {0, 1, 2, 1}};
  DataConfig config;

  SmallFiles() {
    for (std::size_t i = 0; i < 24; ++i) images.values[i] = static_cast<std::uint8_t>(i / 6 * 10);
    config.path = folder.path().string();
    config.name = "small";
    config.classes = 3;
  }
  void write() const {
    write_file_atomically(folder / "train-images-idx3-ubyte", serialise_idx(images));
    write_file_atomically(folder / "train-labels-idx1-ubyte.gz",
                          compress_gzip(serialise_idx(labels)));
  }
};

/// Sets an environment variable for the time of a test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old, had_ = true;
    ::setenv(name, value.c_str(), 1);
  }
  ~ScopedVariable() { had_ ? ::setenv(name_, old_.c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

}  // namespace

TEST_CASE("IDX files become a data set, plain and packed files mixed") {
  SmallFiles files;
  files.write();
  const Dataset dataset = load_dataset(files.config, Split::train);
  CHECK(dataset.size() == 4);
  CHECK(dataset.height == 2);
  CHECK(dataset.width == 3);
  CHECK(dataset.channels == 1);
  CHECK(dataset.classes() == 3);
  CHECK(dataset.labels == std::vector<std::int32_t>{0, 1, 2, 1});
  CHECK(dataset.pixels == files.images.values);
  CHECK(dataset.fingerprint.size() == 32);
}

TEST_CASE("a limit keeps the first examples and changes the fingerprint") {
  SmallFiles files;
  files.write();
  const Dataset all = load_dataset(files.config, Split::train);
  files.config.train_examples = 2;
  const Dataset two = load_dataset(files.config, Split::train);
  CHECK(two.size() == 2);
  CHECK(two.pixels.size() == 12);
  CHECK(two.fingerprint != all.fingerprint);
  files.config.train_examples = 100;
  CHECK(load_dataset(files.config, Split::train).fingerprint == all.fingerprint);
}

TEST_CASE("training images that all have one label are refused") {
  SmallFiles files;
  files.labels.values = {1, 1, 1, 1};
  files.write();
  expect_error<DataError>([&] { load_dataset(files.config, Split::train); },
                          {"all 4 examples have the label 1", "at least two classes"});
  files.labels.values = {1, 1, 1, 0};
  files.write();
  files.config.train_examples = 2;
  CHECK(load_dataset(files.config, Split::train).size() == 2);
}

TEST_CASE("the fingerprint follows pixels, labels and sizes, but not the name") {
  SmallFiles files;
  files.write();
  const Dataset original = load_dataset(files.config, Split::train);
  Dataset other = original;
  other.name = "renamed";
  CHECK(dataset_fingerprint(other) == original.fingerprint);
  other.pixels[23] ^= 1;
  CHECK(dataset_fingerprint(other) != original.fingerprint);
  other = original;
  other.labels[0] = 1;
  CHECK(dataset_fingerprint(other) != original.fingerprint);
  other = original;
  std::swap(other.height, other.width);
  CHECK(dataset_fingerprint(other) != original.fingerprint);
}

TEST_CASE("a missing data set is reported with every way to get one") {
  SmallFiles files;
  expect_error<DataError>([&] { load_dataset(files.config, Split::train); },
                          {"'small'", files.config.path.c_str(), "train-images-idx3-ubyte",
                           "--set data.path=DIR", "ASAP_DATA_DIR", "--set data.kind=shapes"});
  files.config.name = "fashion-mnist";
  expect_error<DataError>([&] { load_dataset(files.config, Split::test); },
                          {"t10k-images-idx3-ubyte", "apt-get install dataset-fashion-mnist"});
}

TEST_CASE("missing labels are reported by name") {
  SmallFiles files;
  files.write();
  std::filesystem::remove(files.folder / "train-labels-idx1-ubyte.gz");
  expect_error<DataError>([&] { load_dataset(files.config, Split::train); },
                          {"train-labels-idx1-ubyte", files.config.path.c_str()});
}

TEST_CASE("files that do not belong together are rejected") {
  SmallFiles files;
  SUBCASE("more labels than images") {
    files.labels = {Shape{5}, {0, 1, 2, 1, 0}};
    files.write();
    expect_error<DataError>([&] { load_dataset(files.config, Split::train); },
                            {"5 labels", "4 images", "train-labels"});
  }
  SUBCASE("a label outside the classes") {
    files.labels.values[2] = 3;
    files.write();
    expect_error<DataError>([&] { load_dataset(files.config, Split::train); },
                            {"train-labels", "label 3", "example 2", "0 to 2", "data.classes"});
  }
  SUBCASE("no image at all") {
    files.images = {Shape{0, 2, 3}, {}};
    files.write();
    expect_error<DataError>([&] { load_dataset(files.config, Split::train); }, {"[0, 2, 3]"});
  }
  SUBCASE("truncated images") {
    files.write();
    const std::string bytes = serialise_idx(files.images);
    write_file_atomically(files.folder / "train-images-idx3-ubyte", bytes.substr(0, 30));
    expect_error<DataError>([&] { load_dataset(files.config, Split::train); },
                            {"train-images-idx3-ubyte", "truncated"});
  }
}

TEST_CASE("ASAP_DATA_DIR is searched before installed packages, data.path instead of both") {
  SmallFiles files;
  files.write();
  const ScopedVariable variable("ASAP_DATA_DIR", files.config.path);
  files.config.path.clear();
  CHECK(load_dataset(files.config, Split::train).size() == 4);
  const auto folders = idx_search_path(files.config);
  REQUIRE(folders.size() == 3);
  CHECK(folders[0] == files.folder / "small");
  CHECK(folders[2] == "/usr/share/datasets/small");
  files.config.path = "elsewhere";
  CHECK(idx_search_path(files.config) == std::vector<std::filesystem::path>{"elsewhere"});
}

TEST_CASE("a model takes its sizes from the data and must agree with them") {
  SmallFiles files;
  files.write();
  const Dataset dataset = load_dataset(files.config, Split::train);
  ModelConfig model;
  model.patch = 1;
  const ModelConfig complete = fit_model_to_data(model, dataset, "run.json");
  CHECK(complete.image_height == 2);
  CHECK(complete.image_width == 3);
  CHECK(complete.channels == 1);
  CHECK(complete.classes == 3);
  model.classes = 10;
  expect_error<UsageError>([&] { fit_model_to_data(model, dataset, "run.json"); },
                           {"run.json", "model.classes is 10", "has 3"});
  model = {};
  expect_error<UsageError>([&] { fit_model_to_data(model, dataset, "run.json"); },
                           {"model.patch (4)", "model.image_height (2)"});
}

TEST_CASE("Fashion-MNIST's normalisation in the shipped configuration is that of its pixels") {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    MESSAGE("dataset-fashion-mnist is not installed, nothing to check");
    return;
  }
  DataConfig config;
  from_json(read_json(ASAP_SOURCE_DIR "/configs/train/fashion_mnist_sinkhorn.json")["data"], config,
            "fashion_mnist_sinkhorn.json");
  config.path = "/usr/share/datasets/fashion-mnist";
  const Dataset dataset = load_dataset(config, Split::train);
  CHECK(dataset.size() == 60000);
  CHECK(dataset.class_names[9] == "Ankle boot");
  double sum = 0;
  double squares = 0;
  for (const std::uint8_t pixel : dataset.pixels) {
    sum += pixel / 255.0;
    squares += pixel / 255.0 * pixel / 255.0;
  }
  const double mean = sum / static_cast<double>(dataset.pixels.size());
  const double deviation =
      std::sqrt(squares / static_cast<double>(dataset.pixels.size()) - mean * mean);
  // The configuration gives three decimals.
  CHECK(std::abs(mean - config.pixel_mean) <= 0.5e-3);
  CHECK(std::abs(deviation - config.pixel_deviation) <= 0.5e-3);
}

TEST_CASE("MNIST is found by its name where ASAP_DATA_DIR holds it") {
  const char* folder = std::getenv("ASAP_DATA_DIR");
  if (!folder || !std::filesystem::is_directory(std::filesystem::path(folder) / "mnist")) {
    MESSAGE("skipped: ASAP_DATA_DIR has no mnist");
    return;
  }
  DataConfig config;
  config.name = "mnist";
  const Dataset test = load_dataset(config, Split::test);
  CHECK(test.size() == 10000);
  CHECK(test.height == 28);
  CHECK(test.labels.at(0) == 7);  // its well-known first digits: 7 2 1 0 4
  CHECK(test.labels.at(4) == 4);
}
