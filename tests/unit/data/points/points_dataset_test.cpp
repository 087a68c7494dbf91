#include <cmath>
#include <cstdlib>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/load/load_dataset.h"
#include "data/points/point_files.h"
#include "io/npy.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "unit/data/points/small_points.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("a folder's points are found in each of their forms") {
  const TemporaryFolder folder;
  const DataConfig config = config_of(folder);
  expect_error<DataError>([&] { load_dataset(config, Split::train); },
                          {"train.csv", "train_points.npy", "data.kind=solids"});

  write_file_atomically(folder / "some_train_2x2x3.bin", modelnet_bytes());
  CHECK(load_dataset(config, Split::train).point_width == 3);

  Tensor<float> points({2, 3, 2});
  Tensor<std::int64_t> labels(Shape{2});
  points[3] = 7;
  labels[1] = 1;
  write_npy(folder / "train_points.npy", StoredTensor::from(points.view()));
  write_npy(folder / "train_labels.npy", StoredTensor::from(labels.view()));
  const Dataset arrays = load_dataset(config, Split::train);
  CHECK(arrays.offsets == std::vector<std::int64_t>{0, 3, 6});
  CHECK(arrays.points[3] == 7);
  CHECK(arrays.labels == std::vector<std::int32_t>{0, 1});

  write_file_atomically(folder / "train.csv", kKernelSet);
  write_file_atomically(folder / "classes.txt", "chair\ntable\n");
  const Dataset table = load_dataset(config, Split::train);
  CHECK(table.kind == ExampleKind::points);
  CHECK(table.class_names == std::vector<std::string>{"chair", "table"});
  CHECK(table.points[0] == 0.5f);

  write_file_atomically(folder / "train.csv", "a,2,1\n");
  expect_error<DataError>([&] { load_dataset(config, Split::train); },
                          {"train.csv", "label 2", "data.classes"});
}

TEST_CASE("training points that all have one label are refused, test points are not") {
  const TemporaryFolder folder;
  const DataConfig config = config_of(folder);
  for (const char* name : {"train.csv", "test.csv"})
    write_file_atomically(folder / name, "a,1,1\nb,1,2\nc,1,3\n");
  expect_error<DataError>([&] { load_dataset(config, Split::train); },
                          {"train.csv: all 3 examples have the label 1", "at least two classes"});
  CHECK(load_dataset(config, Split::test).size() == 3);
}

TEST_CASE("arrays of points must fit each other and be finite") {
  const auto refuse = [](const Tensor<float>& points, const Tensor<float>& labels,
                         std::initializer_list<const char*> parts) {
    expect_error<DataError>(
        [&] {
          point_sets_from_arrays(StoredTensor::from(points.view()),
                                 StoredTensor::from(labels.view()), "p.npy");
        },
        parts);
  };
  refuse(Tensor<float>({2, 3}), Tensor<float>(Shape{2}), {"p.npy", "[sets, points, coordinates]"});
  refuse(Tensor<float>({2, 3, 2}), Tensor<float>(Shape{3}), {"p.npy"});
  Tensor<float> half(Shape{2});
  half[1] = 0.5f;
  refuse(Tensor<float>({2, 3, 2}), half, {"label of set 1"});

  const TemporaryFolder folder;
  Tensor<float> points({2, 3, 2});
  points[9] = NAN;
  write_npy(folder / "train_points.npy", StoredTensor::from(points.view()));
  write_npy(folder / "train_labels.npy", StoredTensor::from(Tensor<float>(Shape{2}).view()));
  expect_error<DataError>([&] { load_dataset(config_of(folder), Split::train); },
                          {"point 1 of example 1", "not finite"});
}

TEST_CASE("ModelNet10 has its official split where ASAP_DATA_DIR holds it") {
  const char* folder = std::getenv("ASAP_DATA_DIR");
  if (!folder || !std::filesystem::is_directory(std::filesystem::path(folder) / "modelnet10")) {
    MESSAGE("skipped: ASAP_DATA_DIR has no modelnet10");
    return;
  }
  DataConfig config;
  config.kind = DataKind::points;
  config.name = "modelnet10";
  config.points.count = 128;
  const Dataset train = load_dataset(config, Split::train),
                test = load_dataset(config, Split::test);
  CHECK(train.size() == 3991);
  CHECK(test.size() == 908);
  CHECK(test.tokens(0) == 128);
  CHECK(test.stored_tokens(0) == 512);
  CHECK(test.class_names.at(2) == "chair");
}
