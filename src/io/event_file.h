#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Event files of TensorBoard: records of protocol buffers (tensorflow.Event), each with its length
// and two checksums. See tensorboard/summary/writer/record_writer.py and
// tensorboard/compat/proto/event.proto of TensorBoard 2.
namespace asap::io {

/// CRC-32C (Castagnoli) of the bytes, as RFC 3720 defines it.
std::uint32_t crc32c(std::string_view bytes);

/// A record: its length in 8 bytes, the masked checksum of these, the data, its masked checksum.
std::string event_record(std::string_view data);

/// The record that begins every file.
std::string event_file_header();

/// Numbers of one step, each with the name it has in TensorBoard.
using Scalars = std::vector<std::pair<std::string, double>>;

/// One record with the scalars of a step, as floats. Its wall time is the step, in seconds, so that
/// equal trainings give equal bytes; TensorBoard's relative times count steps.
std::string scalar_record(std::int64_t step, const Scalars& scalars);

/// The scalars of a line of metrics.jsonl: every number but `step`; `test_loss` becomes
/// "test/loss", `loss` "train/loss".
Scalars scalars_of_metrics(std::string_view line, std::int64_t& step);

/// Keeps an event file equal to a file of metrics that grows. The event file is a pure function of
/// the complete lines of the metrics: a run that was killed and resumed has the bytes of one that
/// was not.
class EventMirror {
 public:
  EventMirror(std::filesystem::path metrics, std::filesystem::path events)
      : metrics_(std::move(metrics)), events_(std::move(events)) {}

  /// Appends what the metrics gained since the last call. The first call, and one after the metrics
  /// were replaced by another file (MetricsWriter does that to cut them back), writes all of it
  /// anew. DataError when a file cannot be read or written.
  void update();

 private:
  std::string new_records(std::string_view lines);
  void append(std::string_view records) const;

  std::filesystem::path metrics_, events_;
  std::uint64_t mirrored_file_ = 0;  // its inode; 0: none
  std::size_t mirrored_ = 0;         // bytes of it
};

/// Where a run keeps its event file.
std::filesystem::path event_file_of(const std::filesystem::path& run);

}  // namespace asap::io
