#include "data/points/points_dataset.h"

#include <cmath>
#include <cstdlib>

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/load/load_dataset.h"
#include "data/points/point_files.h"
#include "io/gzip.h"
#include "io/npy.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// Two sets of two points with labels 1 and 0, in the layout of ModelNet10 samples.
std::string modelnet_bytes() {
  std::string bytes = "MN10";
  for (const int size : {2, 2, 3}) bytes += {static_cast<char>(size), 0, 0, 0};
  bytes += std::string{1, 0};
  for (const int value : {32767, 0, -32767, 100, 200, 300, 1, 2, 3, -4, -5, -6}) {
    bytes += static_cast<char>(value & 0xff);
    bytes += static_cast<char>((value >> 8) & 0xff);
  }
  return bytes;
}

void expect_table_error(const std::string& text, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_delimited_points(text, "p.csv"); }, parts);
}

void expect_binary_error(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_modelnet(bytes, "m.bin"); }, parts);
}

DataConfig config_of(const TemporaryFolder& folder) {
  DataConfig config;
  config.kind = DataKind::points;
  config.path = folder.path().string();
  config.classes = 2;
  config.points.normalise = false;
  return config;
}

constexpr const char* kKernelSet =
    "set,label,x,y\na,1,0.5,1\na,1,2,3\n\n# a comment\nb, 0, -1, 1e-1\n";

}  // namespace

TEST_CASE("samples of ModelNet10 are read, plain and packed") {
  for (const bool packed : {false, true}) {
    const PointSets sets =
        parse_modelnet(packed ? compress_gzip(modelnet_bytes()) : modelnet_bytes(), "m.bin");
    CHECK(sets.width == 3);
    CHECK(sets.labels == std::vector<std::int32_t>{1, 0});
    CHECK(sets.offsets == std::vector<std::int64_t>{0, 2, 4});
    REQUIRE(sets.points.size() == 12);
    CHECK(sets.points[0] == 1);
    CHECK(sets.points[2] == -1);
    CHECK(sets.points[11] == -6.0f / 32767.0f);
  }
}

TEST_CASE("damaged samples of ModelNet10 are refused with what does not fit") {
  const std::string good = modelnet_bytes();
  expect_binary_error("", {"m.bin", "MN10"});
  expect_binary_error(good.substr(0, 15), {"MN10"});
  expect_binary_error("XX10" + good.substr(4), {"MN10"});
  expect_binary_error(good.substr(0, good.size() - 1),
                      {"2 sets of 2 points", "13 bytes", "cut off"});
  expect_binary_error(good + "x", {"2 sets of 2 points"});
  std::string sizes = good;
  sizes[4] = 3;
  expect_binary_error(sizes, {"3 sets of 2 points"});
  sizes = good;
  sizes[12] = 2;
  expect_binary_error(sizes, {"of 2 coordinates", "3"});
  sizes = good;
  for (int i = 4; i < 12; ++i) sizes[static_cast<std::size_t>(i)] = static_cast<char>(0xff);
  expect_binary_error(sizes,
                      {"4294967295 sets"});  // claims more than is there; nothing is allocated
}

TEST_CASE("tables of points are read with or without names, and packed") {
  for (const std::string& text : {std::string(kKernelSet), compress_gzip(kKernelSet),
                                  std::string("a,1,.5,1\r\na,1,2,3\r\nb,0,-1,.1")}) {
    const PointSets sets = parse_delimited_points(text, "p.csv");
    CHECK(sets.width == 2);
    CHECK(sets.labels == std::vector<std::int32_t>{1, 0});
    CHECK(sets.offsets == std::vector<std::int64_t>{0, 2, 3});
    CHECK(sets.points == std::vector<float>{0.5f, 1, 2, 3, -1, 0.1f});
  }
}

TEST_CASE("damaged tables of points are refused by line") {
  expect_table_error("", {"p.csv", "no points"});
  expect_table_error("set,label,x\n", {"no points"});
  expect_table_error("a,1\n", {"p.csv:1", "at least 3 columns"});
  expect_table_error("a,1,2\na,1,2,3\n", {"p.csv:2", "expected 3 columns", "found 4"});
  expect_table_error("a,1,2\na,one,2\n", {"p.csv:2", "'one'", "whole number"});
  expect_table_error("a,-1,2\n", {"p.csv:1", "'-1'"});
  expect_table_error("a,1,2\na,1,two\n", {"p.csv:2", "'two' is not a number"});
  expect_table_error("a,1,2\na,1,\n", {"p.csv:2", "is not a number"});
  expect_table_error("a,1,2\na,1,nan\n", {"p.csv:2", "nan", "not finite"});
  expect_table_error("a,1,2\na,1,1e39\n", {"p.csv:2", "1e39", "not finite"});
  expect_table_error("a,1,2\na,0,3\n", {"p.csv:2", "set 'a'", "label 0", "1"});
  expect_table_error("a,1,2\nb,1,3\na,1,3\n", {"p.csv:3", "set 'a'", "again"});
}

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

TEST_CASE("normalised sets have mean zero and radius one, coinciding points become zero") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "train.csv", "a,0,1,5\na,0,3,5\nb,1,9,9\n");
  DataConfig config = config_of(folder);
  config.points.normalise = true;
  const Dataset dataset = load_dataset(config, Split::train);
  CHECK(dataset.points == std::vector<float>{-1, 0, 1, 0, 0, 0});
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
