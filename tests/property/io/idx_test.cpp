#include "io/idx.h"

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "io/gzip.h"
#include "property/count_refusals.h"

using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("damaged IDX files, plain and packed, are accepted or refused, never more") {
  const std::string plain = serialise_idx({Shape{3, 4, 4}, std::vector<std::uint8_t>(48, 7)});
  const auto read = [](const std::string& bytes) {
    const IdxArray array = parse_idx(bytes, 3, "file");
    CHECK(static_cast<std::int64_t>(array.values.size()) == array.shape.size());
  };
  CHECK(count_refusals(plain, read) > kMutations / 4);
  CHECK(count_refusals(compress_gzip(plain), read) > kMutations / 2);
}
