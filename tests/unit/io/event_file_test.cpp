#include "io/event_file.h"

#include <cstring>

#include <doctest/doctest.h>

#include "base/files.h"
#include "io/metrics.h"
#include "support/temporary_folder.h"

namespace asap::test {
namespace {

/// The checksum bit by bit, as RFC 3720 defines it.
std::uint32_t naive_crc(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const std::uint32_t last = (crc ^ (static_cast<unsigned char>(byte) >> bit)) & 1u;
      crc = (crc >> 1) ^ (last != 0 ? 0x82f63b78u : 0u);
    }
  return ~crc;
}

std::uint32_t naive_mask(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  REQUIRE(at + sizeof(Number) <= bytes.size());
  Number value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The data of all records, after a check of lengths and checksums.
std::vector<std::string> records_of(std::string_view bytes) {
  std::vector<std::string> records;
  while (!bytes.empty()) {
    const auto length = static_cast<std::size_t>(number_at<std::uint64_t>(bytes, 0));
    CHECK(number_at<std::uint32_t>(bytes, 8) == naive_mask(naive_crc(bytes.substr(0, 8))));
    const std::string_view data = bytes.substr(12, length);
    CHECK(number_at<std::uint32_t>(bytes, 12 + length) == naive_mask(naive_crc(data)));
    records.emplace_back(data);
    bytes.remove_prefix(16 + length);
  }
  return records;
}

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE_FALSE(bytes.empty());
    const auto byte = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

/// The fields of a protocol buffer in their order: number, and the bytes or the varint as text.
std::vector<std::pair<std::uint64_t, std::string>> fields_of(std::string_view bytes) {
  std::vector<std::pair<std::uint64_t, std::string>> fields;
  while (!bytes.empty()) {
    const std::uint64_t key = take_varint(bytes);
    std::size_t length = 0;
    switch (key & 7) {
      case 0:
        fields.emplace_back(key >> 3, std::to_string(take_varint(bytes)));
        continue;
      case 1:
        length = 8;
        break;
      case 2:
        length = static_cast<std::size_t>(take_varint(bytes));
        break;
      case 5:
        length = 4;
        break;
      default:
        FAIL("an unknown wire type");
    }
    fields.emplace_back(key >> 3, bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return fields;
}

TEST_CASE("the checksum is that of the standard") {
  CHECK(io::crc32c("123456789") == 0xe3069283u);  // the check value of CRC-32C
  CHECK(io::crc32c("") == 0);
  for (const std::string& text :
       {std::string("a"), std::string("events"), std::string(300, '\xff')})
    CHECK(io::crc32c(text) == naive_crc(text));
}

TEST_CASE("a file begins with its version") {
  const std::vector<std::string> records = records_of(io::event_file_header());
  REQUIRE(records.size() == 1);
  CHECK(fields_of(records[0]).back() == std::pair<std::uint64_t, std::string>{3, "brain.Event:2"});
}

TEST_CASE("a step is one event with a value for every scalar") {
  const std::vector<std::string> records =
      records_of(io::scalar_record(300, {{"train/loss", 0.5}, {"test/loss", -2}}));
  REQUIRE(records.size() == 1);
  const auto event = fields_of(records[0]);
  REQUIRE(event.size() == 3);
  CHECK(event[0].first == 1);
  CHECK(number_at<double>(event[0].second, 0) == 300);
  CHECK(event[1] == std::pair<std::uint64_t, std::string>{2, "300"});
  CHECK(event[2].first == 5);
  const auto values = fields_of(event[2].second);
  REQUIRE(values.size() == 2);
  const auto second = fields_of(values[1].second);
  CHECK(second[0] == std::pair<std::uint64_t, std::string>{1, "test/loss"});
  CHECK(second[1].first == 2);
  CHECK(number_at<float>(second[1].second, 0) == -2);
}

TEST_CASE("metrics become scalars of training and test") {
  std::int64_t step = 0;
  CHECK(io::scalars_of_metrics(R"({"step":7,"loss":1.5,"note":"x"})", step) ==
        io::Scalars{{"train/loss", 1.5}});
  CHECK(step == 7);
  CHECK(io::scalars_of_metrics(R"({"step":8,"test_accuracy":1})", step) ==
        io::Scalars{{"test/accuracy", 1}});
  CHECK(io::scalars_of_metrics("{\"step\":9", step).empty());
}

io::Json line_of(std::int64_t step) {
  return {{"step", step}, {"loss", 1.0 / static_cast<double>(step)}};
}

TEST_CASE("the mirror of metrics that grow, are cut back and written again has no duplicates") {
  const TemporaryFolder folder;
  const std::filesystem::path metrics = folder / "metrics.jsonl", events = folder / "a/events";
  io::EventMirror mirror(metrics, events);
  mirror.update();
  CHECK_FALSE(std::filesystem::exists(events));
  {
    io::MetricsWriter writer(metrics);
    for (std::int64_t step = 1; step <= 5; ++step) {
      writer.write(line_of(step));
      mirror.update();
      CHECK(records_of(base::read_file(events)).size() == static_cast<std::size_t>(1 + step));
    }
    mirror.update();
  }
  const std::string whole = base::read_file(events);
  {
    io::MetricsWriter writer(metrics, 3);  // a rollback in the same process
    writer.write(line_of(4));
    mirror.update();
    CHECK(records_of(base::read_file(events)).size() == 5);
    writer.write(line_of(5));
    mirror.update();
  }
  CHECK(base::read_file(events) == whole);
  io::MetricsWriter writer(metrics, 2);
  io::EventMirror next(metrics, events);  // another process
  for (std::int64_t step = 3; step <= 5; ++step) {
    writer.write(line_of(step));
    next.update();
  }
  CHECK(base::read_file(events) == whole);
}

TEST_CASE("a line that is not complete waits") {
  const TemporaryFolder folder;
  const std::filesystem::path metrics = folder / "metrics.jsonl", events = folder / "events";
  base::write_file_atomically(metrics, "{\"step\":1,\"loss\":2}\n{\"step\":2,");
  io::EventMirror mirror(metrics, events);
  mirror.update();
  CHECK(records_of(base::read_file(events)).size() == 2);
}

}  // namespace
}  // namespace asap::test
