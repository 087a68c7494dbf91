#include "io/image_records.h"

#include <doctest/doctest.h>

#include "io/gzip.h"
#include "support/expect_error.h"
#include "support/image_record.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

ImageRecordShape small_shape() {
  ImageRecordShape shape;
  shape.classes = 3;
  shape.height = 2;
  shape.width = 1;
  return shape;
}

void expect_records_refused(const std::string& bytes, std::initializer_list<const char*> parts) {
  ImageRecords records;
  expect_error<DataError>([&] { append_image_records(bytes, small_shape(), "train.bin", records); },
                          parts);
  CHECK(records.labels.empty());
  CHECK(records.pixels.empty());
}

}  // namespace

TEST_CASE("records are appended file by file, plain and packed") {
  ImageRecords records;
  const std::string first = record("\1", 6, 10) + record("\2", 6, 20);
  append_image_records(first, small_shape(), "a", records);
  append_image_records(compress_gzip(record(std::string(1, '\0'), 6)), small_shape(), "b", records);
  CHECK(records.labels == std::vector<std::int32_t>{1, 2, 0});
  CHECK(records.pixels == std::vector<std::uint8_t>{10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25,
                                                    0, 1, 2, 3, 4, 5});
}

TEST_CASE("records that do not fit are refused with what was expected") {
  const std::string good = record("\1", 6) + record("\2", 6);
  expect_records_refused("", {"train.bin", "no images"});
  expect_records_refused(compress_gzip(""), {"train.bin", "no images"});
  expect_records_refused(good.substr(0, 5),
                         {"train.bin", "5 bytes", "7 bytes", "3x2x1", "truncated"});
  expect_records_refused(good.substr(0, 13), {"13 bytes", "truncated after 1 record,", "layout"});
  expect_records_refused(compress_gzip(good).substr(0, 20), {"train.bin", "gzip"});
  expect_records_refused(record("\1", 6) + record("\3", 6),
                         {"train.bin", "label 3 of image 1", "0 to 2", "data.classes"});
}
