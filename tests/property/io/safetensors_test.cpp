#include "io/safetensors.h"

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "property/count_refusals.h"

using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

TEST_CASE("damaged safetensors files are accepted or refused, never more") {
  TensorFile file;
  file.put("layers.0.weight", Tensor<float>(Shape{2, 3}));
  file.put("counts", Tensor<std::int64_t>(Shape{2}));
  file.metadata["version"] = "1";
  const int refused = count_refusals(serialise_safetensors(file), [](const std::string& bytes) {
    const TensorFile read = parse_safetensors(bytes, "file");
    // What was accepted is consistent: it can be written and read again.
    CHECK(parse_safetensors(serialise_safetensors(read), "file").tensors == read.tensors);
  });
  CHECK(refused > kMutations / 2);
}
