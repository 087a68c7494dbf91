#include "predict/point_input.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "data/points/point_set.h"
#include "io/npy.h"
#include "support/expect_error.h"
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

/// A network on sets of points in space, of three classes.
struct PointModel {
  TemporaryFolder folder;
  TrainedModel model;

  PointModel() : model((write_point_run(folder / "run"), load_run(folder / "run", ""))) {}

  Examples read(const std::string& name) {
    Faults faults;
    return read(name, faults);
  }
  Examples read(const std::string& name, Faults& faults) {
    const auto reader = open_input(folder / name, model, {});
    Examples examples = no_examples(model);
    while (reader->read(2, examples, faults)) {
    }
    has_labels = reader->has_labels();
    skipped = reader->skipped();
    return examples;
  }
  bool has_labels = false;
  std::string skipped;
};

asap::tensor::Tensor<float> drawn(const asap::tensor::Shape& shape) {
  asap::tensor::Tensor<float> values(shape);
  RandomStream random(4, RandomPurpose::test);
  for (float& value : values.flat()) value = static_cast<float>(random.normal());
  return values;
}

}  // namespace

TEST_CASE("arrays of sets are read with the labels beside them, centred and scaled") {
  PointModel points;
  const auto values = drawn({3, 5, 3});
  write_npy(points.folder / "x_points.npy", StoredTensor::from(values));
  const Examples bare = points.read("x_points.npy");
  REQUIRE(bare.size() == 3);
  CHECK_FALSE(points.has_labels);
  Dataset expected = bare.dataset;
  std::ranges::copy(values.flat(), expected.points.begin());
  normalise_point_sets(expected);
  CHECK(bare.dataset.points == expected.points);
  asap::tensor::Tensor<std::int32_t> labels({3});
  labels[1] = 2;
  write_npy(points.folder / "x_labels.npy", StoredTensor::from(labels));
  CHECK(points.read("x_points.npy").labels == std::vector<std::int32_t>{0, 2, 0});
  labels[1] = 3;
  write_npy(points.folder / "x_labels.npy", StoredTensor::from(labels));
  expect_error<DataError>([&] { points.read("x_points.npy"); }, {"label 3", "set 2"});
  write_npy(points.folder / "plane.npy", StoredTensor::from(drawn({3, 5, 2})));
  expect_error<DataError>([&] { points.read("plane.npy"); }, {"2 coordinates", "3"});
}

TEST_CASE("a folder of arrays holds one set each") {
  PointModel points;
  make_directories(points.folder / "in");
  write_npy(points.folder / "in/b.npy", StoredTensor::from(drawn({4, 3})));
  write_npy(points.folder / "in/a.npy", StoredTensor::from(drawn({7, 3})));
  write_npy(points.folder / "in/c.npy", StoredTensor::from(drawn({2, 7, 3})));
  std::int64_t reported = 0;
  Faults faults([&](const DataError&, std::int64_t) { ++reported; });
  const Examples read = points.read("in", faults);
  CHECK(read.ids == std::vector<std::string>{"a.npy", "b.npy"});
  CHECK(read.dataset.tokens(0) == 7);
  CHECK(reported == 1);
  CHECK(points.skipped.empty());
  write_file_atomically(points.folder / "in/d.ply", "ply");
  points.read("in", faults);
  CHECK(points.skipped == "1 (1 .ply)");
  make_directories(points.folder / "none");
  write_file_atomically(points.folder / "none/d.ply", "ply");
  expect_error<DataError>([&] { points.read("none"); }, {"no .npy files", "1 (1 .ply)"});
}

TEST_CASE("CSV holds set, label and coordinates, or fewer columns") {
  PointModel points;
  const auto write = [&](const std::string& text) {
    write_file_atomically(points.folder / "sets.csv", text);
    return points.read("sets.csv");
  };
  const Examples labelled = write("a,1,0,0,1\na,1,1,0,0\nb,0,1,2,3\nb,0,4,4,4\n");
  CHECK(labelled.ids == std::vector<std::string>{"a", "b"});
  CHECK(labelled.labels == std::vector<std::int32_t>{1, 0});
  const Examples named = write("set,x,y,z\na,0,0,1\na,1,0,0\nb,1,2,3\n");
  CHECK(named.ids == std::vector<std::string>{"a", "b"});
  CHECK(named.labels == std::vector<std::int32_t>(2, kNotScored));
  CHECK_FALSE(points.has_labels);
  const Examples one = write("x,y,z\n0,0,1\n1,0,0\n1,2,3\n");
  CHECK(one.size() == 1);
  CHECK(one.dataset.tokens(0) == 3);
  expect_error<DataError>([&] { write("1,2\n"); }, {"sets.csv:1", "2 columns", "3 coordinates"});
  expect_error<DataError>([&] { write("a,1,2,3\na,1,2,nan\n"); }, {"sets.csv:2", "not finite"});
  expect_error<DataError>([&] { write("a,1,x,3\n"); }, {"sets.csv:1"});
}
