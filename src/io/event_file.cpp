#include "io/event_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <protozero/pbf_builder.hpp>
#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"
#include "io/json.h"

namespace asap::io {
namespace {

enum class EventField : protozero::pbf_tag_type {
  wall_time = 1,
  step = 2,
  file_version = 3,
  summary = 5
};
enum class SummaryField : protozero::pbf_tag_type { value = 1 };
enum class ValueField : protozero::pbf_tag_type { tag = 1, simple_value = 2 };

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, reflected
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[byte] = value;
  }
  return table;
}

template <class Integer>
void append_little_endian(Integer value, std::string& out) {
  for (std::size_t byte = 0; byte < sizeof value; ++byte)
    out.push_back(static_cast<char>((value >> (8 * byte)) & 0xff));
}

std::uint32_t masked(std::uint32_t crc) {
  constexpr std::uint32_t kMask = 0xa282ead8;
  return ((crc >> 15) | (crc << 17)) + kMask;
}

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
  throw base::DataError(
      "cannot " + std::string(what) + " '" + path.string() + "': " + std::strerror(errno),
      "free some space on the disk, or train without `tensorboard`");
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes)
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return crc ^ 0xffffffff;
}

std::string event_record(std::string_view data) {
  std::string record;
  append_little_endian(std::uint64_t{data.size()}, record);
  append_little_endian(masked(crc32c(record)), record);
  record += data;
  append_little_endian(masked(crc32c(data)), record);
  return record;
}

std::string event_file_header() {
  std::string event;
  protozero::pbf_builder<EventField> builder(event);
  builder.add_double(EventField::wall_time, 0);
  builder.add_string(EventField::file_version, "brain.Event:2");
  return event_record(event);
}

std::string scalar_record(std::int64_t step, const Scalars& scalars) {
  std::string event;
  protozero::pbf_builder<EventField> builder(event);
  builder.add_double(EventField::wall_time, static_cast<double>(step));
  builder.add_int64(EventField::step, step);
  {
    protozero::pbf_builder<SummaryField> summary(builder, EventField::summary);
    for (const auto& [tag, number] : scalars) {
      protozero::pbf_builder<ValueField> value(summary, SummaryField::value);
      value.add_string(ValueField::tag, tag);
      value.add_float(ValueField::simple_value, static_cast<float>(number));
    }
  }
  return event_record(event);
}

Scalars scalars_of_metrics(std::string_view line, std::int64_t& step) {
  constexpr std::string_view kTest = "test_";
  const Json json = Json::parse(line, nullptr, false);
  Scalars scalars;
  if (!json.is_object() || !json.contains("step")) return scalars;
  step = json["step"].get<std::int64_t>();
  for (const auto& [name, value] : json.items()) {
    if (name == "step" || !value.is_number()) continue;
    scalars.emplace_back(
        name.starts_with(kTest) ? "test/" + name.substr(kTest.size()) : "train/" + name,
        value.get<double>());
  }
  return scalars;
}

std::string EventMirror::new_records(std::string_view lines) {
  std::string records;
  for (std::size_t end; (end = lines.find('\n')) != std::string_view::npos;
       lines.remove_prefix(end + 1)) {
    std::int64_t step = 0;
    const Scalars scalars = scalars_of_metrics(lines.substr(0, end), step);
    if (!scalars.empty()) records += scalar_record(step, scalars);
    mirrored_ += end + 1;
  }
  return records;
}

void EventMirror::append(std::string_view records) const {
  std::ofstream file(events_, std::ios::binary | std::ios::app);
  file.write(records.data(), static_cast<std::streamsize>(records.size()));
  file.flush();
  if (!file) fail("write", events_);
}

void EventMirror::update() {
  struct stat status {};
  if (::stat(metrics_.c_str(), &status) != 0) return;  // no step has been taken
  const auto size = static_cast<std::size_t>(status.st_size);
  if (status.st_ino == mirrored_file_ && size >= mirrored_) {
    std::ifstream file(metrics_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(mirrored_));
    std::string lines(size - mirrored_, '\0');
    file.read(lines.data(), static_cast<std::streamsize>(lines.size()));
    if (!file) fail("read", metrics_);
    if (const std::string records = new_records(lines); !records.empty()) append(records);
    return;
  }
  mirrored_file_ = status.st_ino;
  mirrored_ = 0;
  base::make_directories(events_.parent_path());
  base::write_file_atomically(events_,
                              event_file_header() + new_records(base::read_file(metrics_)));
}

std::filesystem::path event_file_of(const std::filesystem::path& run) {
  return run / "tensorboard" / "events.out.tfevents.0.asap";
}

}  // namespace asap::io
