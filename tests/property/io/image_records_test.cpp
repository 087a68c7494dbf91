#include "io/image_records.h"

#include <string>

#include <doctest/doctest.h>

#include "io/gzip.h"
#include "property/count_refusals.h"

using namespace asap::io;
using namespace asap::test;

TEST_CASE("damaged image records, plain and packed, are accepted or refused, never more") {
  ImageRecordShape shape;
  shape.height = shape.width = 4;
  const std::string plain(3 * shape.bytes(), '\3');
  const auto read = [&](const std::string& bytes) {
    ImageRecords records;
    append_image_records(bytes, shape, "file", records);
    CHECK(records.pixels.size() == records.labels.size() * shape.pixel_bytes());
  };
  CHECK(count_refusals(plain, read) > kMutations / 4);
  CHECK(count_refusals(compress_gzip(plain), read) > kMutations / 2);
}
