#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "config/train_config.h"

namespace asap::config {

/// Where the parts of a training run lie:
///   RUN/config.json                     the resolved configuration
///   RUN/data.json                       where files of data were found: see data/data_origin.h
///   RUN/metrics.jsonl                   one JSON object per logged step
///   RUN/checkpoint/step-00001000/       model.safetensors, optimizer.safetensors, state.json
///   RUN/checkpoint/best/                the same, of the best test so far (train.keep_best)
///   RUN/text/                           for texts: token ids and classes, see text/text_codec.h
///   RUN/.lock                           exists while a process trains into the folder
///   RUN/summary.json                    written last
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.json"; }
  std::filesystem::path data() const { return path_ / "data.json"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path text() const { return path_ / "text"; }
  std::filesystem::path summary() const { return path_ / "summary.json"; }
  std::filesystem::path lock() const { return path_ / ".lock"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoint"; }
  std::filesystem::path checkpoint(std::int64_t step) const;
  std::filesystem::path best_checkpoint() const { return checkpoints() / "best"; }

  /// Steps of the complete checkpoints, ascending.
  std::vector<std::int64_t> checkpoint_steps() const;
  /// Folder of the newest complete checkpoint.
  std::optional<std::filesystem::path> newest_checkpoint() const;
  /// The same; DataError when there is none.
  std::filesystem::path require_checkpoint() const;
  /// The resolved configuration. DataError when this is not the folder of a run.
  TrainConfig read_config() const;

 private:
  std::filesystem::path path_;
};

inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";
inline constexpr const char* kStateFile = "state.json";

}  // namespace asap::config
