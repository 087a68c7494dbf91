#include "data/points/point_files.h"

#include <doctest/doctest.h>

#include "config/model_input.h"
#include "io/gzip.h"
#include "support/expect_error.h"
#include "unit/data/points/small_points.h"

using namespace asap::base;
using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

namespace {

void expect_points_error(const std::string& text, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_delimited_points(text, "p.csv"); }, parts);
}

void expect_binary_error(const std::string& bytes, std::initializer_list<const char*> parts) {
  expect_error<DataError>([&] { parse_modelnet(bytes, "m.bin"); }, parts);
}

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

TEST_CASE("a delimited file of points may declare its separator") {
  const PointSets sets = parse_delimited_points("sep=;\n0;1;,5;,25\n0;1;,75;0\n", "p.csv");
  CHECK(sets.width == 2);
  CHECK(sets.points[0] == 0.5f);
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
                      {"4,294,967,295 sets"});  // claims more than is there; nothing is allocated
}

TEST_CASE("tables of points are read with or without names, and packed") {
  for (const std::string& text : {std::string(kKernelSet), compress_gzip(kKernelSet),
                                  std::string("a,1,.5,1\r\na,1,2,3\r\nb,0,-1,.1"),
                                  std::string("a,1,.5,1\ra,1,2,3\rb,0,-1,.1\r"),
                                  "\xef\xbb\xbf" + std::string("a,1,.5,1\na,1,2,3\nb,0,-1,.1"),
                                  std::string("\"a\",\"1\",\".5\",1\na,1,2,3\nb,0,-1,.1\n"),
                                  std::string("set;label;x;y\na;1;,5;1\na;1;2,0;3\nb;0;-1;0,1\n"),
                                  std::string("a\t1\t.5\t1\na\t1\t2\t3\nb\t0\t-1\t.1\n")}) {
    const PointSets sets = parse_delimited_points(text, "p.csv");
    CHECK(sets.width == 2);
    CHECK(sets.labels == std::vector<std::int32_t>{1, 0});
    CHECK(sets.offsets == std::vector<std::int64_t>{0, 2, 3});
    CHECK(sets.points == std::vector<float>{0.5f, 1, 2, 3, -1, 0.1f});
  }
}

TEST_CASE("damaged tables of points are refused by line") {
  expect_points_error("", {"p.csv", "no points"});
  expect_points_error("set,label,x\n", {"no points"});
  expect_points_error("a,1\n", {"p.csv:1", "at least 3 columns"});
  expect_points_error("a,1,2\na,1,2,3\n", {"p.csv:2", "expected 3 columns", "found 4"});
  expect_points_error("a,1,2\na,one,2\n", {"p.csv:2", "'one'", "whole number"});
  expect_points_error("a,-1,2\n", {"p.csv:1", "'-1'"});
  expect_points_error("a,1,2\na,1,two\n", {"p.csv:2", "'two' is not a number"});
  expect_points_error("a,1,2\na,1,\n", {"p.csv:2", "is not a number"});
  expect_points_error("a,1,2\na,1,nan\n", {"p.csv:2", "nan", "not finite"});
  expect_points_error("a,1,2\na,1,1e39\n", {"p.csv:2", "1e39", "not finite"});
  expect_points_error("a,1,2\na,0,3\n", {"p.csv:2", "set 'a'", "label 0", "1"});
  expect_points_error("a,1,2\nb,1,3\na,1,3\n", {"p.csv:3", "set 'a'", "again"});
}

TEST_CASE("names and separators that contradict the columns of points are refused") {
  expect_points_error(",set,label,x\n0,a,1,2\n", {"p.csv:1", "column 1 has no name", "pandas"});
  expect_points_error("label,set,x\n1,a,2\n", {"p.csv:1", "'set' must be column 1"});
  expect_points_error("id,set,label,x\n1,a,1,2\n", {"p.csv:1", "'set' must be column 1"});
  expect_points_error("name,x,label\na,2,1\n", {"p.csv:1", "'label' must be column 2"});
  expect_points_error("a,one,2\na,1,3\n", {"p.csv:1", "'one'", "whole number"});
  expect_points_error("0,a,0,1\n1,a,0,2\n", {"p.csv:1", "label 'a'", "whole number"});
  expect_points_error("set,label,x,x\na,1,2,3\n", {"p.csv:1", "two columns are called 'x'"});
  expect_points_error("set,label,x\na,1,2,3\n", {"p.csv:2", "expected 3 columns", "found 4"});
  expect_points_error("a;1;2,5\na;1;2.5\n", {"p.csv:2: line 1 has a decimal comma"});
  expect_points_error("a;1;2,5,1\n", {"p.csv:1", "'2,5,1' is not a number"});
  expect_points_error(
      "\xff\xfe"
      "a",
      {"p.csv: the text is utf-16", "iconv -f utf-16"});
}

TEST_CASE("points without labels are told apart by the number of their columns") {
  const PointSets labelled = parse_unlabelled_points("a,1,0.5,2\na,1,3,4\nb,0,5,6\n", 2, "p.csv");
  CHECK(labelled.labels == std::vector<std::int32_t>{1, 0});
  CHECK(labelled.names == std::vector<std::string>{"a", "b"});
  CHECK(labelled.offsets == std::vector<std::int64_t>{0, 2, 3});
  const PointSets named = parse_unlabelled_points("set,x,y\na,0.5,2\na,3,4\nb,5,6\n", 2, "p.csv");
  CHECK(named.points == labelled.points);
  CHECK(named.labels == std::vector<std::int32_t>(2, asap::config::kNotScored));
  const PointSets one = parse_unlabelled_points("0.5 2\n3 4\n5 6\n", 2, "p.csv");
  CHECK(one.points == labelled.points);
  CHECK(one.size() == 1);
  CHECK(one.width == 2);
  expect_error<DataError>([] { parse_unlabelled_points("1,2,3,4,5\n", 2, "p.csv"); },
                          {"p.csv:1", "found 5 columns", "2 coordinates"});
  expect_error<DataError>([] { parse_unlabelled_points("a,1\nb,1,2\n", 2, "p.csv"); },
                          {"p.csv:1", "mixes"});
}
