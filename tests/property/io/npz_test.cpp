#include "io/npz.h"

#include <string>

#include <doctest/doctest.h>

#include "property/count_refusals.h"
#include "support/npz_file.h"

using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("damaged npz archives, stored and deflated, are accepted or refused, never more") {
  const std::map<std::string, StoredTensor> arrays{
      {"a", StoredTensor::from(Tensor<double>(Shape{2, 2}))},
      {"b", StoredTensor::from(Tensor<std::uint8_t>(Shape{5}))}};
  const auto read = [](const std::string& bytes) {
    for (const auto& [name, tensor] : parse_npz(bytes, "file").tensors)
      CHECK(static_cast<std::int64_t>(tensor.bytes.size()) ==
            tensor.shape.size() * element_bytes(tensor.type));
  };
  CHECK(count_refusals(npz_file(arrays), read) > kMutations / 2);
  CHECK(count_refusals(npz_file(arrays, NpzPacking::deflated), read) > kMutations / 2);
  CHECK(count_refusals(npz_file(arrays, NpzPacking::stored_with_64_bits), read) > kMutations / 2);
}
