#include "evaluate/report/gallery_json.h"

#include <cmath>

#include <doctest/doctest.h>

#include "evaluate/study/plan_measures.h"
#include "support/compared_methods.h"
#include "support/random_encoder.h"

using namespace asap::data;
using namespace asap::evaluate;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

/// The bytes that base64 stands for, slowly.
std::vector<int> decoded(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<int> bytes;
  unsigned group = 0, bits = 0;
  for (const char digit : text) {
    if (digit == '=') break;
    group = group << 6 | static_cast<unsigned>(digits.find(digit));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<int>(group >> bits & 255));
  }
  return bytes;
}

}  // namespace

TEST_CASE("plans are the network's own, and their bytes are near to them") {
  const Dataset dataset = draw_shapes_dataset(small_data(), Split::test);
  const Comparison comparison = compared(dataset, {"teacher", "softmax", "sinkhorn:1", "f0@0"});
  const PlanGallery gallery =
      collect_plans(random_encoder(4), nullptr, dataset, comparison, {.examples = 2});
  CHECK(gallery.methods == std::vector<std::string>{"teacher", "softmax", "sinkhorn:1"});
  CHECK(gallery.truncated == 2);
  CHECK(gallery.compiled == 0);
  REQUIRE(gallery.examples.size() == 2);
  const ShownExample& example = gallery.examples[0];
  CHECK(example.tokens == 16);
  CHECK(example.input.pixels.size() == 64);
  CHECK(example.predictions.size() == 3);
  const Tensor<float>& teacher = example.plans[0][3];
  const Tensor<float>& softmax = example.plans[1][3];
  REQUIRE(teacher.shape() == Shape{16, 16});
  // Rows sum to 1; what softmax lacks are equal columns.
  CHECK(measure_plan(softmax.rows()).column_error > measure_plan(teacher.rows()).column_error);

  const Json head = gallery_json(gallery)["examples"][0]["heads"][3];
  const std::vector<int> bytes = decoded(head["data"]);
  REQUIRE(bytes.size() == 3 * 256);
  const double scale = head["scales"][0], difference_scale = head["scales"][1];
  for (std::int64_t i = 0; i < 256; ++i) {
    const double root = bytes[i] / 255.0, value = scale * root * root;
    // Half a step of the square root, and the four digits of the scale.
    CHECK(std::abs(value - teacher[i]) <= scale * (root / 255 + 1e-3));
    const double difference_root = (bytes[256 + i] - 128) / 127.0;
    const double difference = difference_scale * difference_root * std::abs(difference_root);
    CHECK(std::abs(difference - (double{softmax[i]} - teacher[i])) <=
          difference_scale * (std::abs(difference_root) / 127 + 1e-3));
  }
}
