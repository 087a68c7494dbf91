#include "io/image_file.h"

#include <string>

#include <doctest/doctest.h>

#include "property/count_refusals.h"
#include "support/image_files.h"

using namespace asap::io;
using namespace asap::test;

TEST_CASE("damaged PNG and JPEG files are accepted or refused, never more") {
  const auto read = [](const std::string& bytes) {
    const Image image = decode_image(bytes, 4096, "file");
    CHECK(std::ssize(image.pixels) == 3 * image.height * image.width);
  };
  const Image image = asap::test::coloured_image(3, 12, 10);
  CHECK(count_refusals(asap::test::png_file(image), read) > kMutations / 2);
  CHECK(count_refusals(asap::test::jpeg_file(image), read) > kMutations / 4);
}
