// Readers meet thousands of damaged versions of valid files. They may accept one (a changed pixel
// is still a picture) or refuse it with a DataError or UsageError of one line; nothing else may
// happen.

#include <cstdint>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "config/train_config.h"
#include "data/sampler.h"
#include "io/gzip.h"
#include "io/idx.h"
#include "io/image_file.h"
#include "io/image_records.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "support/damage.h"
#include "support/image_files.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::data;
using namespace asap::io;
using namespace asap::tensor;
using namespace asap::test;

namespace {

constexpr int kMutations = 5000;

/// Reads damaged versions of `valid` and returns how many were refused.
int count_refusals(const std::string& valid, const std::function<void(const std::string&)>& read) {
  CHECK_NOTHROW(read(valid));
  int refused = 0;
  for (std::uint32_t i = 0; i < kMutations; ++i) {
    RandomStream random(1, RandomPurpose::test, i);
    const std::string bytes = damage(valid, random);
    try {
      read(bytes);
    } catch (const Error& error) {
      ++refused;
      const bool expected = error.kind() == ErrorKind::data || error.kind() == ErrorKind::usage;
      CHECK_MESSAGE(expected, "damage ", i, ": ", error.what());
      CHECK_MESSAGE(std::string(error.what()).find('\n') == std::string::npos, "damage ", i);
    } catch (const std::exception& error) {
      FAIL_CHECK("damage ", i, ": ", error.what());
    }
  }
  return refused;
}

}  // namespace

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

TEST_CASE("damaged npy files are accepted or refused, never more") {
  const std::string valid = serialise_npy(StoredTensor::from(Tensor<double>(Shape{2, 2})));
  const int refused = count_refusals(valid, [](const std::string& bytes) {
    const StoredTensor read = parse_npy(bytes, "file");
    CHECK(parse_npy(serialise_npy(read), "file") == read);
  });
  CHECK(refused > kMutations / 2);
}

TEST_CASE("damaged PNG and JPEG files are accepted or refused, never more") {
  const auto read = [](const std::string& bytes) {
    const Image image = decode_image(bytes, 4096, "file");
    CHECK(std::ssize(image.pixels) == 3 * image.height * image.width);
  };
  const Image image = asap::test::coloured_image(3, 12, 10);
  CHECK(count_refusals(asap::test::png_file(image), read) > kMutations / 2);
  CHECK(count_refusals(asap::test::jpeg_file(image), read) > kMutations / 4);
}

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

TEST_CASE("damaged IDX files, plain and packed, are accepted or refused, never more") {
  const std::string plain = serialise_idx({Shape{3, 4, 4}, std::vector<std::uint8_t>(48, 7)});
  const auto read = [](const std::string& bytes) {
    const IdxArray array = parse_idx(bytes, 3, "file");
    CHECK(static_cast<std::int64_t>(array.values.size()) == array.shape.size());
  };
  CHECK(count_refusals(plain, read) > kMutations / 4);
  CHECK(count_refusals(compress_gzip(plain), read) > kMutations / 2);
}

TEST_CASE("damaged configurations are accepted or refused, never more") {
  const int refused =
      count_refusals(format_json(to_json(TrainConfig{})), [](const std::string& text) {
        TrainConfig config;
        from_json(parse_json(text, "file"), config, "file");
        config.validate("file");
      });
  CHECK(refused > kMutations / 2);
}

TEST_CASE("damaged --set arguments are accepted or refused, never more") {
  count_refusals("model.attention.iterations=10", [](const std::string& text) {
    TrainConfig config;
    set_field(config, text);
  });
}

TEST_CASE("damaged sampler positions are accepted or refused, never more") {
  EpochSampler sampler({23, 5, 9, true});
  sampler.next();
  count_refusals(format_json(sampler.position()), [](const std::string& text) {
    EpochSampler other({23, 5, 9, true});
    other.restore(parse_json(text, "file"), "file");
    CHECK(other.next().size() > 0);
  });
}
