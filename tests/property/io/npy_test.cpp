#include "io/npy.h"

#include <string>

#include <doctest/doctest.h>

#include "property/count_refusals.h"

using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("damaged npy files are accepted or refused, never more") {
  const std::string valid = serialise_npy(StoredTensor::from(Tensor<double>(Shape{2, 2})));
  const int refused = count_refusals(valid, [](const std::string& bytes) {
    const StoredTensor read = parse_npy(bytes, "file");
    CHECK(parse_npy(serialise_npy(read), "file") == read);
  });
  CHECK(refused > kMutations / 2);
}
